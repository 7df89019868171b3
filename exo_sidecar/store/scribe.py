"""What operations pass in to have things written down, because the store knows no rule: links, and words of commits."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from exo_sidecar.model.actor import Actor
from exo_sidecar.model.commit_plan import CommitPlan
from exo_sidecar.model.instant import Instant
from exo_sidecar.store.drafts import Link


class Scribe(NamedTuple):
    """How a decision enters the record: the kernel's `append_audit` and `commit_plan`."""

    link: Link
    plan: Callable[[str, Sequence[str], Actor, Instant], CommitPlan]
