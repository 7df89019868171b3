"""Advice for a session that begins or goes on: its facts gathered, each for itself. Nobody is stopped, nothing fetched.

A fact that cannot be had is left out, and a warning says which and why.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.domain import advisories, fence, holding
from exo_sidecar.domain import policy as domain_policy
from exo_sidecar.domain.advised_places import Behind, BranchWork, LastBranch, Upstream
from exo_sidecar.domain.advisories import Bound, Facts, Late, Machine, Worked
from exo_sidecar.host import advice_facts, branches, checkout, session_changes
from exo_sidecar.host.advice_facts import Wanted
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.host.session_changes import Apart
from exo_sidecar.leases import names
from exo_sidecar.model import instant
from exo_sidecar.model.advisory import Advisory
from exo_sidecar.model.errors import Environment, Integrity, NotFound
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import TicketFilter, View
from exo_sidecar.operations import session_drift, trusting
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.policy_keeping import PolicyShown

_OTHERS_MAX: Final = 100
"""Tickets at work that are looked at for what they share."""
_BOUND_MAX: Final = 20
_BEFORE_MAX: Final = 5
_DAY_SECONDS: Final = 24 * 60 * 60
_CLOSED: Final = frozenset({Status.CANCELLED, Status.ARCHIVED})

_Known = TypeVar("_Known")


class Advice(NamedTuple):
    """What a session is told, and the machine it works on."""

    advisories: tuple[Advisory, ...]
    machine: Machine | None
    """None: it could not be told."""


class _Place(NamedTuple):
    """The checkout that the session works in."""

    worktree: Path
    head: checkout.Head
    apart: Apart
    tips: tuple[str, ...]
    """Where the base branch is known to be."""


def notices(policy: PolicyShown) -> tuple[str, ...]:
    """Return what is to be said of the policy that a session begins under; nothing while all is as it was."""
    said = ["the policy was compiled or sealed anew at this start"] if policy.recomposed else []
    return (*said, *(f"the policy is {policy.verdict}: {reason}" for reason in policy.reasons))


def of(
    ctx: Context, view: View, session: SessionRecord, live: LiveSession | None, policy: tuple[str, ...] = ()
) -> Advice:
    """Return what the session should know as things stand; `policy`: what the call has to say of the policy."""
    record = view.ticket(session.ticket)
    if record is None:
        return Advice((), None)
    machine = _known(ctx, "the machine's load", _machine)
    place = _known(ctx, "the checkout", lambda: _place(ctx, view))
    config = view.config()
    taken = view.handoff_taken_by(session.id)
    late = taken.late_by_seconds if taken is not None else None
    waited_for = (*record.ticket.blockers, *record.former_blockers)
    said = (*policy, *(each.message for each in trusting.held_back(ctx)))
    facts = Facts(
        scope=fence.scope(view, record),
        is_heavy=record.ticket.resource_profile == "heavy",
        is_provisional=session.claim is not None,
        others=_others(view, record),
        bound=_bound(view, session),
        behind_warned=config.advisories.behind_commits,
        machine=machine,
        co_updates=config.coherence.co_update_rules,
        dirty=tuple(sorted(live.dirty)) if live is not None else (),
        policy=said or _policy_since(view, session),
        cancelled_blockers=tuple(each for each in waited_for if _is_cancelled(view.ticket(each))),
        late=Late(taken.content.to, late) if taken is not None and late is not None else None,
    )
    if place is not None and place.head.commit is not None:
        facts = facts._replace(
            branches=_known(ctx, "branches that are not merged", lambda: _branches(ctx, view, place)) or (),
            last_branch=_known(ctx, "the branch of the last session", lambda: _last_branch(ctx, view, session, place)),
            behind=_known(ctx, "how far the base branch is ahead", lambda: _behind(place)),
            upstream=_known(ctx, "how far the upstream is ahead", lambda: _upstream(ctx, place)),
        )
    return Advice(advisories.advise(facts), machine)


def _known(ctx: Context, what: str, ask: Callable[[], _Known]) -> _Known | None:
    """Return an answer; None with a warning when there is none to be had."""
    try:
        return ask()
    except (Environment, Integrity, NotFound) as error:
        ctx.warn("ADVICE_INCOMPLETE", f"{what} could not be told: {error.message}")
    except OSError as error:
        ctx.warn("ADVICE_INCOMPLETE", f"{what} could not be told: {error}")
    return None


def _machine() -> Machine:
    return Machine(*advice_facts.machine())


def _place(ctx: Context, view: View) -> _Place | None:
    place = ctx.place
    if place.worktree is None or place.in_mount:
        return None
    apart = session_drift.apart(place, view.config())
    head = checkout.head(place)
    tips = tuple(tip for tip in session_changes.tips(place, apart) if tip != head.commit)
    return _Place(place.worktree, head, apart, tips)


def _others(view: View, record: TicketRecord) -> tuple[Worked, ...]:
    """Return the other tickets at work, in the order of their ids."""
    wanted = TicketFilter(statuses=(Status.ACTIVE,), kinds=("task",))
    rows = view.tickets(wanted, sort="id", after=None, limit=_OTHERS_MAX)
    if all(row.id == record.id for row in rows):
        return ()
    living = view.sessions(statuses=holding.LIVING, limit=_OTHERS_MAX)
    actors = {each.ticket: each.actor for each in living if not each.is_audit}
    found: list[Worked] = []
    for row in rows:
        other = view.ticket(row.id)
        if other is not None and other.id != record.id:
            found.append(Worked(other.id, actors.get(other.id, "nobody known"), fence.scope(view, other)))
    return tuple(found)


def _bound(view: View, session: SessionRecord) -> tuple[Bound, ...]:
    living = view.sessions(ticket=session.ticket, statuses=holding.LIVING, limit=_BOUND_MAX)
    return tuple(
        Bound(other.id, other.actor, holding.is_overtaken(view, other)) for other in living if other.id != session.id
    )


def _is_cancelled(record: TicketRecord | None) -> bool:
    return record is not None and record.ticket.status in _CLOSED and not record.is_satisfied


def _branches(ctx: Context, view: View, place: _Place) -> tuple[BranchWork, ...]:
    now = instant.epoch_seconds(ctx.now)
    own = {ctx.governed.branch, place.apart.branch, place.head.branch} - {None}
    wanted = Wanted(
        since=now - view.config().advisories.unmerged_days * _DAY_SECONDS,
        apart=frozenset(name for name in own if name),
        prefixes=(names.BRANCHES.prefix,),
        merged=(place.head.commit or "HEAD", *place.tips),
    )
    found = advice_facts.unmerged(place.worktree, wanted)
    return tuple(BranchWork(each.name, max(0, now - each.committed), each.paths) for each in found)


def _policy_since(view: View, session: SessionRecord) -> tuple[str, ...]:
    """Return that the policy is another one than the session knows, or than the one before it worked under."""
    seal, last = domain_policy.seal_at(view), _before(view, session)
    own = "was suspended" if session.suspensions else "began"
    known = [(session.policy, f"this session {own}")]
    if last is not None:
        known.append((last.policy, f"{last.id} worked on this ticket"))
    for digest, when in known:
        if seal is not None and digest is not None and digest != seal.digest:
            return (f"the policy was changed since {when} ({digest[:DIGEST_SHOWN]} -> {seal.digest[:DIGEST_SHOWN]})",)
    return ()


def _before(view: View, session: SessionRecord) -> SessionRecord | None:
    """Return the session that worked on the ticket before this one, None when none did."""
    earlier = view.sessions(ticket=session.ticket, limit=_BEFORE_MAX)
    began = (each for each in earlier if each.started_at is not None and not each.is_audit)
    return next((each for each in began if each.id != session.id), None)


def _last_branch(ctx: Context, view: View, session: SessionRecord, place: _Place) -> LastBranch | None:
    """Return the branch of the ticket's last session, when it is another one whose work HEAD has not."""
    last = _before(view, session)
    name = (last.finish.branch if last.finish is not None else last.branch) if last is not None else None
    if last is None or name is None or name == place.head.branch:
        return None
    tip = branches.tip(ctx.place, name, place.apart.remotes)
    if tip is None or tip == place.head.commit or not advice_facts.behind(place.worktree, (tip,)):
        return None
    return LastBranch(name, last.id, place.head.branch)


def _behind(place: _Place) -> Behind | None:
    if place.apart.branch is None:
        return None
    return Behind(place.apart.branch, advice_facts.behind(place.worktree, place.tips))


def _upstream(ctx: Context, place: _Place) -> Upstream | None:
    followed = advice_facts.upstream_of(ctx.place, place.head.branch) if place.head.branch else None
    if followed is None or followed.tip == place.head.commit:
        return None
    ahead, behind = advice_facts.apart(place.worktree, followed.tip)
    return Upstream(followed.name.removeprefix("refs/remotes/").removeprefix("refs/heads/"), ahead, behind)
