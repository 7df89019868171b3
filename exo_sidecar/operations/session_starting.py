"""How a session starts: its ticket chosen, its lease won, its beginning written down, its agent told what there is."""

from typing import NamedTuple

from msgspec.structs import replace

from exo_sidecar.domain import disjoint, handoffs, holding, sessions, wording
from exo_sidecar.domain.sessions import SessionAlreadyActive, SessionNotActive, SessionTicketRequired
from exo_sidecar.host import ancestry, checkout, live_sessions
from exo_sidecar.host.caller import Caller
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.leases.seen import LeaseUnknown
from exo_sidecar.model import ids
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.advisory import Advisory
from exo_sidecar.model.errors import ExoError, SessionFenced
from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.opening import Grant, Work
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.ticket import Ticket
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    claiming,
    exchange,
    lease_quota,
    lease_shown,
    lease_terms,
    offline,
    policy_keeping,
    reconciling,
    session_advice,
    session_branching,
    session_brief,
    session_facts,
    session_saving,
    session_shown,
)
from exo_sidecar.operations.claiming import Aim, Claimed
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.exchange import Exchanged
from exo_sidecar.operations.lease_desk import LeaseDesk, Terms
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.policy_keeping import PolicyShown
from exo_sidecar.operations.registry import Result
from exo_sidecar.operations.session_branching import BranchShown, Mode
from exo_sidecar.operations.session_brief import Wanted
from exo_sidecar.operations.session_shown import SessionShown
from exo_sidecar.store import prompt


class Wish(NamedTuple):
    """A start as it is asked for."""

    ticket: str | None
    work: Work
    """What it says of itself, in words that nobody has looked at yet."""
    ttl: str | None
    hours: int | None
    branch: Mode | None
    """What to do about branches; None: as configured."""
    disjoint: bool
    """Whether nobody at work may share a file with it, also where the settings do not say so."""
    sync: bool
    tokens: int | None


class SessionStarted(Result, frozen=True, kw_only=True):
    """A session at work."""

    session: SessionShown
    ticket: Ticket
    lease: LeaseShown | None
    bootstrap_path: str | None
    """None when nothing was written (--dry-run)."""
    bootstrap_prompt: str
    advisories: tuple[Advisory, ...] = ()
    """What to know first: warnings, then what is merely good to know."""
    reused: bool
    """Whether it had started before."""
    branch: BranchShown
    worktree: str
    """The checkout that it works in."""
    handoff: HandoffRecord | None = None
    """What it took up from another session."""
    policy: PolicyShown | None = None
    sync: Exchanged


class _Chosen(NamedTuple):
    """The ticket to work on, and the reservation that is adopted."""

    ticket: TicketId
    reservation: LiveSession | None


class _Before(NamedTuple):
    """What this call found before the session begins."""

    sync: Exchanged
    policy: PolicyShown
    mode: Mode
    """What the start does about branches."""
    reason: str | None = None
    """Why the branch is not the ticket's, where that was tried."""
    overtaken: LiveSession | None = None
    """Who worked here, and lost its ticket."""


def start(ctx: Context, wish: Wish) -> SessionStarted:
    """Start a session, or return the one that lives in this worktree on the same ticket."""
    session_facts.worktree_of(ctx)
    came = exchange.pull(ctx) if wish.sync else exchange.skipped("--no-sync")
    reconciling.settle(ctx, "session-start")
    mode = session_branching.mode(ctx.view().config(), wish.branch)
    before = _Before(came, policy_keeping.at_start(ctx), mode)
    return _begun_apart(ctx, wish, before) if mode == "worktree" else _begun(ctx, wish, before)


def _begun_apart(ctx: Context, wish: Wish, before: _Before) -> SessionStarted:
    """Begin in the ticket's own worktree; one that was made for nothing goes again."""
    view = ctx.view()
    alive = session_facts.at_work(ctx, view, session_facts.worktree_of(ctx))
    ticket = _choose(ctx, view, wish, alive).ticket
    if alive is not None and alive.ticket == ticket:
        return _begun(ctx, wish, before)
    refusal = _refusal(ctx, view, ticket, wish)
    if refusal is not None:
        raise refusal
    made = session_branching.move_to_own(ctx, view, ticket)
    try:
        return _begun(ctx, wish._replace(ticket=ticket), before)
    except ExoError:
        session_branching.take_back(ctx, made)
        raise


def _refusal(ctx: Context, view: View, ticket: TicketId, wish: Wish) -> ExoError | None:
    refusal = sessions.readiness(view, ticket, dispatched=False)
    return refusal or _kept_from(ctx, view, ticket, wish)


def _kept_from(ctx: Context, view: View, ticket: TicketId, wish: Wish) -> ExoError | None:
    """Return why the caller in particular, or anybody now, is not to begin on a ticket that is ready."""
    kept = handoffs.refusal(view, ticket, ctx.caller.actor, ctx.now)
    alone = wish.disjoint or view.config().sessions.require_disjoint
    return kept or (disjoint.refusal(view, ticket) if alone else None)


def _begun(ctx: Context, wish: Wish, before: _Before) -> SessionStarted:
    worktree = session_facts.worktree_of(ctx)
    actor = ctx.caller.actor
    view = ctx.view()
    lease_terms.ttl_seconds(view.config().leases, wish.ttl, wish.hours)
    alive = session_facts.at_work(ctx, view, worktree)
    chosen = _choose(ctx, view, wish, alive)
    if alive is not None and not _gave_way(view, alive, chosen.ticket):
        return _reused(ctx, view, wish, alive, chosen, before)
    session_saving.clear_pending(ctx, view)
    refusal = _refusal(ctx, view, chosen.ticket, wish)
    if refusal is not None:
        raise refusal
    session_id = chosen.reservation.session if chosen.reservation else ids.mint_session(ctx.entropy)
    ctx.caller = Caller(actor, session_id)
    with session_branching.on_branch(ctx, view, chosen.ticket, before.mode) as reason:
        wanted = _aim(ctx, view, wish, chosen, session_id, before.policy.verdict)
        return _entered(ctx, view, wish, chosen, wanted, before._replace(reason=reason, overtaken=alive))


def _entered(ctx: Context, view: View, wish: Wish, chosen: _Chosen, wanted: Aim, before: _Before) -> SessionStarted:
    if ctx.dry_run:
        suppose = offline.supposed if offline.applies(ctx) else claiming.supposed
        claimed = suppose(ctx, chosen.ticket, wanted)
        return _result(ctx, claimed.view, wish, claimed, before)
    claimed = _claimed(ctx, view, chosen, wanted)
    if before.overtaken is not None:
        live_sessions.remove(ctx.place.common, before.overtaken.session)
    if wish.sync:
        before = before._replace(sync=exchange.push(ctx))
    return _result(ctx, claimed.view, wish, claimed, before)


def _claimed(ctx: Context, view: View, chosen: _Chosen, wanted: Aim) -> Claimed:
    if offline.applies(ctx):
        return offline.claim(ctx, chosen.ticket, wanted)
    if chosen.reservation is not None and chosen.reservation.claim is not None:
        message = f"{chosen.ticket} was reserved offline, and its authority could not be asked"
        raise LeaseUnknown(message, hint="--offline starts on it provisionally", ticket=chosen.ticket)
    desk = LeaseDesk(ctx, "session-start")
    refusal = None if chosen.reservation else _over_quota(desk, view, wanted.terms.actor)
    if refusal is not None:
        raise refusal
    return claiming.claim(ctx, desk, [chosen.ticket], wanted)


def _gave_way(view: View, alive: LiveSession, ticket: TicketId) -> bool:
    """Whether the session of this worktree has lost its ticket, so that work on another one may begin here."""
    record = session_facts.record_of(view, alive)
    return record is not None and alive.ticket != ticket and holding.is_overtaken(view, record)


def _over_quota(desk: LeaseDesk, view: View, actor: Actor) -> ExoError | None:
    """Return the refusal when the actor holds its share; an actor of whom the ledger knows no session holds none."""
    if not any(session.actor == actor for session in holding.holders(view)):
        return None
    return lease_quota.over(desk.survey(), view, actor)


def _choose(ctx: Context, view: View, wish: Wish, alive: LiveSession | None) -> _Chosen:
    """Return the ticket that is meant: the one named, the one reserved here, or the one being worked on."""
    reserved = session_facts.living(ctx, view, "reserved")
    if wish.ticket is not None:
        ticket = view.find_ticket(wish.ticket).id
        return _Chosen(ticket, next(iter(session_facts.on_ticket(reserved, ticket)), None))
    own = session_facts.in_worktree(reserved, session_facts.worktree_of(ctx))
    if len(own) == 1:
        return _Chosen(own[0].ticket, own[0])
    if own:
        names = ", ".join(live.ticket for live in own)
        message = f"{len(own)} tickets are reserved in this worktree: {names}"
        raise SessionTicketRequired(message, hint="name one with --ticket-id", tickets=tuple(x.ticket for x in own))
    if alive is not None:
        return _Chosen(alive.ticket, None)
    message = "no ticket is named, and none is reserved in this worktree"
    raise SessionTicketRequired(message)


def _reused(
    ctx: Context, view: View, wish: Wish, alive: LiveSession, chosen: _Chosen, before: _Before
) -> SessionStarted:
    record = session_facts.record_of(view, alive)
    if record is None or alive.ticket != chosen.ticket or record.actor != ctx.caller.actor:
        raise _already_active(alive)
    if holding.is_overtaken(view, record):
        raise holding.session_fenced(alive.ticket, alive.session)
    live = alive if ctx.dry_run else session_facts.beat(ctx, alive)
    return replace(_result(ctx, view, wish, Claimed(view, live, live.ticket), before), reused=True)


def _already_active(alive: LiveSession) -> SessionAlreadyActive:
    message = f"{alive.session} ({alive.actor}) is at work on {alive.ticket} in this worktree"
    return SessionAlreadyActive(message, session=alive.session, ticket=alive.ticket, actor=alive.actor)


def _aim(ctx: Context, view: View, wish: Wish, chosen: _Chosen, session_id: SessionId, verdict: Verdict) -> Aim:
    worktree = session_facts.worktree_of(ctx)
    head = checkout.head(ctx.place)
    work = wording.work(wish.work)._replace(branch=head.branch, base=head.commit)
    dirty = checkout.waiting(worktree)[: live_sessions.DIRTY_MAX]
    now = ctx.boot_clock()
    actor = ctx.caller.actor
    ttl = lease_terms.ttl_seconds(view.config().leases, wish.ttl, wish.hours)
    live = LiveSession(
        session=session_id,
        ticket=chosen.ticket,
        actor=actor,
        state="active",
        worktree=str(worktree),
        process=ancestry.agent_ancestor(),
        boot_id=now.boot_id,
        heartbeat=now.seconds,
        dirty=checkout.contents_of(worktree, dirty),
    )
    adopts = chosen.reservation is not None

    def rule(now_view: View, ticket: TicketId, grant: Grant) -> Outcome:
        # Looked at again under the clone's lock: of two starts at once in one worktree the second is refused.
        other = session_facts.at_work(ctx, now_view, worktree, apart_from=session_id)
        if other is not None and not _gave_way(now_view, other, ticket):
            return refused(_already_active(other))
        kept = _kept_from(ctx, now_view, ticket, wish)  # it may have come with the last pull
        if kept is not None:
            return refused(kept)
        outcome = _adoption_refusal(now_view, ticket, session_id, actor, adopts=adopts)
        outcome = outcome or sessions.start(now_view, ticket, grant, work, verdict=verdict)
        return outcome if outcome.refusal is not None else outcome + handoffs.taken(now_view, ticket, grant, ctx.now)

    return Aim(Terms(session_id, actor, ttl, head.branch), live, rule)


def _adoption_refusal(
    view: View, ticket: TicketId, session_id: SessionId, actor: Actor, *, adopts: bool
) -> Outcome | None:
    """Return the refusal for the second of two calls that adopt one reservation."""
    record = view.session(session_id) or view.offline_session(session_id)
    if not adopts or (record is not None and record.status == "reserved"):
        return None
    holder = holding.holding(view, ticket)
    if holder is not None:
        return refused(holding.lease_held(ticket, holder))
    return refused(SessionNotActive(f"the reservation {session_id} of {actor} has ended", session=session_id))


def _result(ctx: Context, view: View, wish: Wish, claimed: Claimed, before: _Before) -> SessionStarted:
    session = session_facts.record_of(view, claimed.live)
    ticket = view.ticket(claimed.ticket)
    if session is None or ticket is None:
        raise _vanished(claimed)
    notices = session_advice.notices(before.policy)
    told = session_brief.brief(ctx, view, session, claimed.live, Wanted(wish.tokens, notices))
    path = None if ctx.dry_run else str(prompt.write_bootstrap(ctx.governed, session.id, told.text))
    return SessionStarted(
        session=session_shown.shown(session),
        ticket=ticket.ticket,
        lease=lease_shown.shown(ctx, claimed.live),
        bootstrap_path=path,
        bootstrap_prompt=told.text,
        advisories=told.advisories,
        reused=False,
        branch=session_branching.shown(ctx, view.config(), session.ticket, before.mode, before.reason),
        worktree=str(session_facts.worktree_of(ctx)),
        handoff=view.handoff_taken_by(session.id),
        policy=before.policy,
        sync=before.sync,
    )


def _vanished(claimed: Claimed) -> ExoError:
    message = f"what {claimed.live.session} wrote about {claimed.ticket} does not count: its lease was overtaken"
    return SessionFenced(message, ticket=claimed.ticket, session=claimed.live.session)
