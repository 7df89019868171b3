"""Build-governance: the constitution compiled to the lock, with a person's word where it loosens the fence."""

from typing import Annotated

from exo_sidecar.domain import loosening_rules, policy_texts
from exo_sidecar.domain.holding import HumanRequired
from exo_sidecar.domain.loosening import Difference
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import CONSTITUTION, Lock
from exo_sidecar.model.rule import EvolutionGate
from exo_sidecar.model.setting import Change
from exo_sidecar.model.view import View
from exo_sidecar.operations import policy_keeping, policy_making, policy_verifying
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

_SHOWN_MAX = 3
_SOURCES = (CONSTITUTION, "config.yaml")
"""What is compiled, and where the checks are that its rules may name."""


class BuildGovernance(Params, frozen=True, kw_only=True):
    """Parameters of `build-governance`."""

    allow_loosening: Annotated[bool, param("Compile it although it lets somebody do more than before")] = False


class GovernanceBuilt(Result, frozen=True, kw_only=True):
    """The lock of the constitution as it stands."""

    policy_digest: str
    """Of the lock."""
    source_digest: str
    """Of the constitution's text."""
    rules: int
    loosened: tuple[Change, ...]
    """Rules that allow more than the lock before did."""
    tightened: tuple[Change, ...]
    changed: bool


@operation(Panel.GOVERNANCE, writes=True, idempotent=True)
def run(ctx: Context, params: BuildGovernance) -> GovernanceBuilt:
    """Compile CONSTITUTION.md to governance.lock.json.

    Strict: every fault is an error with its line and rule, and nothing is written then; an edit in .exo that cannot be
    read is one, too. The same text after the same lock makes the same bytes. A change that lets somebody do more than
    before is for a person, and says so with --allow-loosening. While the constitution is in conflict nothing is
    compiled. exo compose seals what was compiled.
    """
    found: list[tuple[Lock, Difference, bool]] = []

    def rule(view: View) -> Outcome:
        record = view.policy()
        before = policy_making.standing_lock(record)
        refusal = policy_making.refuse_unsettled(view)
        lock = refusal or policy_making.compiled(record, policy_texts.texts_of(view))
        if isinstance(lock, ExoError):
            return refused(lock)
        old = loosening_rules.of_lock(before) if before is not None else loosening_rules.of_lock(lock)
        moved = loosening_rules.difference(old, loosening_rules.of_lock(lock))
        drafts = policy_making.of_lock(record, lock)
        found.append((lock, moved, before is None or lock.digest != before.digest))
        denied = _denied(ctx, params, before, moved) if drafts else None
        return refused(denied) if denied is not None else Outcome(events=drafts)

    verdict = policy_verifying.verify(ctx)
    if verdict.verdict == "tampered" and verdict.refusal is not None:
        policy_keeping.record_tampering(ctx, verdict)
        raise verdict.refusal
    policy_keeping.refuse_unreadable(ctx, _SOURCES)
    ctx.transact(rule)
    lock, moved, changed = found[-1]
    return GovernanceBuilt(
        policy_digest=lock.digest,
        source_digest=lock.source,
        rules=len(lock.rules),
        loosened=moved.loosened,
        tightened=moved.tightened,
        changed=changed,
    )


def _denied(ctx: Context, params: BuildGovernance, before: Lock | None, moved: Difference) -> HumanRequired | None:
    """Return why the caller may not compile this; the first lock of a repository loosens nothing."""
    command = "exo build-governance --allow-loosening" if moved.loosened else "exo build-governance"
    if moved.loosened and not (params.allow_loosening and ctx.is_person):
        named = ", ".join(each.key for each in moved.loosened[:_SHOWN_MAX])
        message = f"{named} would let somebody do more than before: that is for a person to say"
        who = "" if ctx.is_person else "ask a person to run "
        return HumanRequired(message, hint=f"{who}{command}", loosened=tuple(each.key for each in moved.loosened))
    if before is not None and not ctx.is_person and _is_gated(before):
        message = "rules that somebody has written by hand are compiled by a person: an evolution gate says so"
        return HumanRequired(message, hint=f"ask a person to run {command}")
    return None


def _is_gated(lock: Lock) -> bool:
    """Whether changes of governance are kept for people."""
    return any(isinstance(rule, EvolutionGate) and rule.kind == "governance" for rule in lock.rules)
