"""Status: one screen of where things stand. Answered from the local index; writes nothing, asks no remote."""

from typing import Annotated, Final

import msgspec

from exo_sidecar.domain import dispatch, flags, holding
from exo_sidecar.domain.provisional import lost
from exo_sidecar.host import live_sessions
from exo_sidecar.model import instant
from exo_sidecar.model.errors import Environment, NotFound, SidecarMissing
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.policy import Verdict
from exo_sidecar.model.session import OfflineClaim
from exo_sidecar.model.view import TicketRow, Unsettled, View
from exo_sidecar.operations import keepalive, policy_verifying, session_facts, trusting
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.keepalive import Trouble
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.store.governed import known_at
from exo_sidecar.sync import distance

_LOOKED_AT_MAX: Final = 50
"""Candidates that are looked at for one without a fault; in a healthy repository the first has none."""


class Status(Params, frozen=True, kw_only=True):
    """Parameters of `status`."""

    remote_check: Annotated[bool, param("Look at the remote first: one connection")] = False


class OwnSession(msgspec.Struct, frozen=True, kw_only=True):
    """The session that the call belongs to."""

    id: str
    ticket_id: str
    actor: str
    status: str
    role: str


class OwnLease(msgspec.Struct, frozen=True, kw_only=True):
    """The lease of that session."""

    ticket_id: str
    epoch: int | None
    """The fencing token; None while it is provisional."""
    ttl_seconds: int
    seconds_left: int | None
    """Until this session should have renewed it; None when this machine restarted meanwhile, or it is provisional."""
    provisional: bool = False
    """Whether the ticket was taken offline: not confirmed by the authority."""
    is_lost: bool = False
    """Whether another holds it, as the last heartbeat found or the ledger says."""
    trouble: str | None = None
    """What the last heartbeat met; None while all is well."""


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that `next` would try first."""

    ticket_id: str
    title: str
    reason: str


class SyncState(msgspec.Struct, frozen=True, kw_only=True):
    """How far this clone and its remote are apart, as far as known here."""

    remote: str
    ahead: int
    behind: int
    seen_ago: int | None
    """Seconds since the remote last answered; None: never."""


class StatusShown(Result, frozen=True, kw_only=True):
    """Where things stand."""

    initialized: bool
    governed_at: str | None = None
    """The remote whose governance branch was fetched, where it is not mounted here."""
    branch: str | None = None
    mount: str | None = None
    actor: str | None = None
    session: OwnSession | None = None
    waiting: OwnSession | None = None
    """A session of this worktree that is reserved or suspended: to be started or resumed; None beside one at work."""
    lease: OwnLease | None = None
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    next: Next | None = None
    findings: tuple[Finding, ...] = ()
    unsettled: Unsettled = Unsettled()
    """Tickets and documents in conflict, and events that do not count: all of them, however many are named."""
    policy: Verdict | None = None
    """How the compiled rules stand to their sources; None while nothing is governed."""
    flags: dict[str, bool] = msgspec.field(default_factory=dict)
    """Which whole parts are on."""
    sync: SyncState | None = None
    damaged: tuple[str, ...] = ()


@operation(Panel.REPORTS, reads_only=True, network=True, idempotent=True)
def run(ctx: Context, params: Status) -> StatusShown:
    """Show where things stand: your session, the board in numbers, what comes next, what needs attention."""
    try:
        governed = ctx.governed
    except SidecarMissing:
        return StatusShown(initialized=False, governed_at=known_at(ctx.repository))
    view = ctx.view()
    session, lease = _own(ctx, view)
    for live in session_facts.unconfirmed(ctx, view):
        open_end = f"the end of {live.session} on {live.ticket} is not confirmed"
        ctx.warn("FINISH_UNCONFIRMED", f"{open_end}; the next exo sync tells it")
    _tell_claims(ctx)
    return StatusShown(
        initialized=True,
        branch=governed.branch,
        mount=str(governed.mount),
        actor=ctx.caller.actor,
        session=session,
        waiting=_waiting(ctx, view) if session is None else None,
        lease=lease,
        counts=view.counts(),
        next=_next(view),
        findings=(*view.findings(), *trusting.held_back(ctx)),
        unsettled=view.unsettled(),
        policy=policy_verifying.verify(ctx).verdict,
        flags=flags.effective(view.config().flags, ctx.environ),
        sync=_sync(ctx, view, check=params.remote_check),
        damaged=tuple(f"{one.event}: {one.reason}" for one in view.quarantined()),
    )


def _tell_claims(ctx: Context) -> None:
    """Warn of the claims of this clone that were made offline and are not confirmed, or lost."""
    for live in ctx.live.sessions:
        if live.lost is not None:
            claim = OfflineClaim(session=live.session, ticket=live.ticket, nonce=live.claim or "", lost=live.lost)
            ctx.warn_of(lost(claim))
        elif live.claim is not None:
            said = f"{live.ticket} was taken offline by {live.session}: provisional, not confirmed by the authority"
            ctx.warn("PROVISIONAL_LEASE", f"{said}; exo sync asks for it")


def _own(ctx: Context, view: View) -> tuple[OwnSession | None, OwnLease | None]:
    session_id = ctx.caller.session
    record = (view.session(session_id) or view.offline_session(session_id)) if session_id else None
    if record is None:
        return None, None
    if record.status in holding.LIVING and holding.is_overtaken(view, record):
        ctx.warn_of(holding.session_fenced(record.ticket, record.id))
    status = "lost" if ctx.claim is not None and ctx.claim.lost else record.status
    session = OwnSession(id=record.id, ticket_id=record.ticket, actor=record.actor, status=status, role=record.role)
    live = live_sessions.read(ctx.place.common, record.id)
    if live is not None and live.claim is not None:
        ttl = live.ttl_seconds or 0
        return session, OwnLease(
            ticket_id=live.ticket, epoch=None, ttl_seconds=ttl, seconds_left=None, provisional=True
        )
    if live is None or live.epoch is None or live.ttl_seconds is None:
        return session, None
    left = live.lease_seconds_left(ctx.boot_clock())
    trouble = keepalive.trouble(ctx, record.id)
    if trouble is None and holding.is_overtaken(view, record):
        trouble = Trouble("LEASE_LOST", f"the lease of {live.ticket} is lost: another session took it", is_lost=True)
    lease = OwnLease(
        ticket_id=live.ticket,
        epoch=live.epoch,
        ttl_seconds=live.ttl_seconds,
        seconds_left=None if left is None else int(left),
        is_lost=trouble is not None and trouble.is_lost,
        trouble=trouble.message if trouble else None,
    )
    return session, lease


def _waiting(ctx: Context, view: View) -> OwnSession | None:
    if not ctx.live.sessions or ctx.place.worktree is None:
        return None
    here = str(session_facts.worktree_of(ctx))
    for live in ctx.live.sessions:
        is_ours = live.worktree == here and (live.state == "reserved" or live.actor == ctx.caller.actor)
        record = view.session(live.session) if is_ours else None
        if record is not None and record.status in {"reserved", "suspended"}:
            return OwnSession(
                id=record.id, ticket_id=record.ticket, actor=live.actor, status=record.status, role=record.role
            )
    return None


def _next(view: View) -> Next | None:
    for number, row in enumerate(view.candidates()):
        record = view.ticket(row.id)
        if record is not None and not dispatch.explain(view, record).reasons:
            return Next(ticket_id=row.id, title=row.title, reason=_reason(row))
        if number + 1 >= _LOOKED_AT_MAX:
            break
    return None


def _reason(row: TicketRow) -> str:
    waiting = f", {row.unblocks} waiting for it" if row.unblocks else ""
    return f"priority {row.priority}{waiting}"


def _sync(ctx: Context, view: View, *, check: bool) -> SyncState | None:
    authority = view.authority()
    if authority is None or authority.remote is None:
        return None
    governed = ctx.governed
    if check:
        _look(ctx, view, authority.remote)
    apart = distance.measure(governed, authority.remote)
    ago = None if apart.seen_at is None else max(0, instant.epoch_seconds(ctx.now) - int(apart.seen_at))
    return SyncState(remote=authority.remote, ahead=apart.ahead, behind=apart.behind, seen_ago=ago)


def _look(ctx: Context, view: View, name: str) -> None:
    """Fetch what the remote has, without merging it, so that the distance is as of now; a warning when it is silent."""
    from exo_sidecar.git import remote as remotes  # noqa: PLC0415  (dulwich is loaded only to look at a remote)
    from exo_sidecar.sync import sync  # noqa: PLC0415

    timeout = view.config().sync.timeout_seconds
    try:
        ctx.require_network(f"looking at {name}")
        sync.look(ctx.store, remotes.named(ctx.repository, name), timeout_seconds=timeout)
    except (Environment, NotFound) as error:
        ctx.warn_of(error)
