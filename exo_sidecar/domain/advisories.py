"""Start advisories: what a session should know before it begins (docs/guides/advisories.md). Pure, over known facts.

They inform and stop nobody. Warnings come first, then by kind; within a kind the order is that of the facts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from exo_sidecar.base.quoting import one_line
from exo_sidecar.domain import advised_places
from exo_sidecar.domain.advised_places import Behind, BranchWork, LastBranch, Upstream
from exo_sidecar.model import advisory, duration, glob_overlap
from exo_sidecar.model.advisory import Advisory
from exo_sidecar.model.config import CoUpdate
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.ticket import Scope

SHOWN_MAX: Final = 10
"""Of one kind; how many more there are is said."""
NAMED_MAX: Final = 20
_LOAD_PER_CORE: Final = 0.7
_MEMORY_MIN_MIB: Final = 2048


class Worked(NamedTuple):
    """Another ticket that is being worked on."""

    ticket: TicketId
    actor: str
    scope: Scope
    """Effective."""


class Bound(NamedTuple):
    """Another session that is bound to the same ticket."""

    session: SessionId
    actor: str
    is_overtaken: bool
    """Whether the ticket was taken over from it."""


class Machine(NamedTuple):
    """The machine that the session works on."""

    cores: int
    load: float
    """Of the last minute."""
    memory_mib: int
    """Available."""

    @property
    def state(self) -> str:
        """Return how it is, as people read it."""
        return f"{self.cores} cores, load {self.load:.1f}, {self.memory_mib / 1024:.1f} GiB free"


class Late(NamedTuple):
    """A handoff for another actor that this session took up."""

    to: str
    late_by_seconds: int


class Facts(NamedTuple):
    """What is known; a part that could not be looked at is empty, and whoever gathered it says so."""

    scope: Scope
    """Effective, of the session's ticket."""
    is_heavy: bool = False
    is_provisional: bool = False
    others: tuple[Worked, ...] = ()
    bound: tuple[Bound, ...] = ()
    branches: tuple[BranchWork, ...] = ()
    """Not merged, the newest first."""
    last_branch: LastBranch | None = None
    behind: Behind | None = None
    behind_warned: int = 15
    upstream: Upstream | None = None
    machine: Machine | None = None
    co_updates: tuple[CoUpdate, ...] = ()
    dirty: tuple[str, ...] = ()
    policy: tuple[str, ...] = ()
    """What is to be said of the policy, in whole sentences."""
    cancelled_blockers: tuple[TicketId, ...] = ()
    """What the ticket waits for, or waited for until somebody took it away, and that will never be done."""
    late: Late | None = None


def advise(facts: Facts) -> tuple[Advisory, ...]:
    """Return what the session should know: warnings first, then by kind."""
    found = [each for rule in _RULES for each in rule(facts)]
    return tuple(sorted(found, key=lambda each: (each.severity != "warning", each.kind)))


def overlap(one: Scope, other: Scope) -> tuple[str, str] | None:
    """Return globs of both scopes that share a path which neither denies, None when there is none."""
    return glob_overlap.overlapping(one.allow, other.allow, (*one.deny, *other.deny))


def _scope_conflicts(facts: Facts) -> Iterator[Advisory]:
    overlapping = [(other, overlap(facts.scope, other.scope)) for other in facts.others]
    clashes = [(other, pair) for other, pair in overlapping if pair is not None]
    unfenced = [other for other, pair in clashes if pair == (EVERYTHING, EVERYTHING)]
    if unfenced:
        tickets = tuple(other.ticket for other in unfenced)
        message = f"unfenced: this ticket may change any file, and so may {_listed(tickets)}"
        yield Advisory(kind=advisory.SCOPE, severity="warning", message=message, detail={"tickets": tickets})
    fenced = [(other, pair) for other, pair in clashes if other not in unfenced]
    for other, (ours, theirs) in fenced[:SHOWN_MAX]:
        message = f"{other.ticket}, which {other.actor} works on, may change the same files: {ours} and {theirs}"
        detail: dict[str, advisory.Detail] = {
            "ticket": other.ticket,
            "actor": other.actor,
            "ours": ours,
            "theirs": theirs,
        }
        yield Advisory(kind=advisory.SCOPE, severity="warning", message=message, detail=detail)
    if len(fenced) > SHOWN_MAX:
        more = tuple(other.ticket for other, _ in fenced[SHOWN_MAX:])
        message = f"{_listed(more)} may change files of this scope, too"
        yield Advisory(kind=advisory.SCOPE, severity="warning", message=message, detail={"tickets": more[:NAMED_MAX]})


def _contention(facts: Facts) -> Iterator[Advisory]:
    for other in facts.bound[:SHOWN_MAX]:
        message = f"{other.session} of {other.actor} is bound to this ticket, too"
        if other.is_overtaken:
            message = f"the ticket was taken over from {other.session} of {other.actor}, which may not know it yet"
        detail: dict[str, advisory.Detail] = {
            "session": other.session,
            "actor": other.actor,
            "taken_over": other.is_overtaken,
        }
        yield Advisory(kind=advisory.CONTENTION, severity="warning", message=message, detail=detail)


def _places(facts: Facts) -> Iterator[Advisory]:
    yield from advised_places.unmerged_work(facts.branches, facts.scope)
    yield from advised_places.branch_mismatch(facts.last_branch)
    yield from advised_places.base_divergence(facts.behind, facts.behind_warned)
    yield from advised_places.stale_branch(facts.upstream)
    yield from advised_places.dirty_worktree(facts.dirty)


def _machine_load(facts: Facts) -> Iterator[Advisory]:
    machine = facts.machine
    if machine is None:
        return
    is_loaded = machine.load > _LOAD_PER_CORE * machine.cores
    is_full = machine.memory_mib < _MEMORY_MIN_MIB
    if not (is_loaded or is_full or facts.is_heavy):
        return
    message = f"this machine is busy: {machine.state}"
    if not (is_loaded or is_full):
        message = f"the ticket is heavy work, and this machine has {machine.state}"
    yield Advisory(
        kind=advisory.LOAD,
        severity="warning" if is_loaded or is_full else "info",
        message=message,
        detail={"cores": machine.cores, "load": round(machine.load, 2), "memory_mib": machine.memory_mib},
    )


def _co_updates(facts: Facts) -> Iterator[Advisory]:
    for group in facts.co_updates:
        held = tuple(each for each in group.files if _touches(facts.scope, each))
        missing = tuple(each for each in group.files if each not in held)
        if held and missing:
            label = one_line(group.label, 80)
            message = f"{label}: what changes {_listed(held)} should change {_listed(missing)}, which is out of scope"
            detail: dict[str, advisory.Detail] = {"label": label, "in_scope": held, "out_of_scope": missing}
            yield Advisory(kind=advisory.CO_UPDATE, severity="warning", message=message, detail=detail)


def _touches(scope: Scope, files: str) -> bool:
    return glob_overlap.overlapping(scope.allow, (files,), scope.deny) is not None


def _provisional(facts: Facts) -> Iterator[Advisory]:
    if facts.is_provisional:
        message = "the ticket was taken offline: what is done counts once exo sync has won the lease"
        yield Advisory(kind=advisory.PROVISIONAL, severity="warning", message=message)


def _policy(facts: Facts) -> Iterator[Advisory]:
    for notice in facts.policy[:SHOWN_MAX]:
        yield Advisory(kind=advisory.POLICY, severity="warning", message=notice)


def _unblocked(facts: Facts) -> Iterator[Advisory]:
    if facts.cancelled_blockers:
        named = _listed(facts.cancelled_blockers)
        message = (
            f"this ticket waited for {named}, cancelled and never done: look whether what that was to deliver is needed"
        )
        detail: dict[str, advisory.Detail] = {"blockers": tuple(facts.cancelled_blockers)}
        yield Advisory(kind=advisory.UNBLOCKED, severity="info", message=message, detail=detail)


def _handoff(facts: Facts) -> Iterator[Advisory]:
    if facts.late is not None:
        late = duration.show(facts.late.late_by_seconds)
        message = f"the handoff was meant for {facts.late.to}, who did not come; its reservation ended {late} ago"
        detail: dict[str, advisory.Detail] = {"to": facts.late.to, "late_by_seconds": facts.late.late_by_seconds}
        yield Advisory(kind=advisory.HANDOFF, severity="info", message=message, detail=detail)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED_MAX])
    return f"{shown}{_more(len(names) - NAMED_MAX)}"


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


_RULES: Final[tuple[Callable[[Facts], Iterable[Advisory]], ...]] = (
    _scope_conflicts,
    _contention,
    _places,
    _machine_load,
    _co_updates,
    _provisional,
    _policy,
    _unblocked,
    _handoff,
)
