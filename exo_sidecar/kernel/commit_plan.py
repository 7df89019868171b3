"""One operation, one commit, and a message that names it (docs/kernel.md)."""

from collections.abc import Sequence

from exo_sidecar.model import instant
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.commit_plan import CommitPlan
from exo_sidecar.model.instant import Instant


def commit_plan(operation: str, subjects: Sequence[str], actor: Actor, at: Instant) -> CommitPlan:
    """Return what the commit of one transaction says: `exo: <operation> <subject> [<another>]`, by whom, and when.

    `subjects` are those of its events, in their order. The actor is a claim, so no mail reaches its address.
    """
    every = list(dict.fromkeys(subjects))
    named = [*every[:1], *(f"[{subject}]" for subject in every[1:2])]
    return CommitPlan(
        message=" ".join(["exo:", operation, *named]) + "\n",
        author=f"{actor} <{actor.replace(':', '.')}@exo.invalid>",
        seconds=instant.epoch_seconds(at),
    )
