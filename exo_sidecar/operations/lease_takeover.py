"""Taking a ticket from its holder: one that has been silent for too long, or any when a person says so and why."""

from pathlib import Path
from typing import Annotated, Final

import msgspec

from exo_sidecar.domain import holding, sessions
from exo_sidecar.host import checkout, live_sessions
from exo_sidecar.host.checkout import CheckoutUnreadable
from exo_sidecar.model.errors import GitRequired, Usage
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.view import View
from exo_sidecar.operations import by_person, exchange, lease_shown, reserving, session_facts
from exo_sidecar.operations.choosing import Filter
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk, Won
from exo_sidecar.operations.lease_shown import LeaseShown
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

FILES_SHOWN_MAX: Final = 200


class LeaseTakeover(Params, frozen=True, kw_only=True):
    """Parameters of `lease-takeover`."""

    ticket_id: Annotated[str, param("Ticket to take over", metavar="ID", completes="ticket")]
    force: Annotated[bool, param("Also from a holder that may be alive; for people only")] = False
    reason: Annotated[str | None, param("Why", stdin=True)] = None


class PreviousHolder(msgspec.Struct, frozen=True, kw_only=True):
    """Who held the ticket until now."""

    holder: str
    """The session."""
    actor: str
    epoch: int
    seen_for: int
    """Seconds for which this clone had seen the value that was replaced."""


class LeftBehind(msgspec.Struct, frozen=True, kw_only=True):
    """Unfinished work of the old holder, as far as it can be known here; nothing of it is deleted."""

    branch: str | None = None
    worktree: str | None = None
    """Its checkout, when that is on this machine."""
    dirty_files: tuple[str, ...] = ()
    """Files that are changed there and not committed, up to 200."""


class LeaseTaken(Result, frozen=True, kw_only=True):
    """A ticket that was taken over; with --dry-run nothing but who holds it, as far as the ledger knows."""

    ticket_id: TicketId
    session_id: SessionId | None
    """The reserved session, which `session-start` adopts; None with --dry-run."""
    lease: LeaseShown | None
    previous: PreviousHolder | None
    """None: nobody held it any more."""
    left_behind: LeftBehind


@operation(Panel.LEASES_AND_SYNC, writes=True, network=True, destructive=True)
def run(ctx: Context, params: LeaseTakeover) -> LeaseTaken:
    """Take a ticket from a holder that is silent, and reserve it as next does.

    Silent means: its lease has stood unchanged for ttl x 1.01 + 30 s on this machine's clock, or another clone says so
    of the same value. With --force a person takes it from any holder, also where the lease cannot be read. The epoch
    rises: what the old holder still writes counts nowhere, and its pushes are refused. Its work stays where it is.
    """
    reason = _reason(ctx, params)
    session_facts.worktree_of(ctx)
    exchange.pull(ctx)
    view = ctx.view()
    ticket = view.find_ticket(params.ticket_id).id
    if ctx.dry_run:
        return _foreseen(ctx, view, ticket)
    wish = reserving.Wish(ticket, ctx.caller.actor, "Builder", None, None, Filter(), takes_over=True, reason=reason)
    refusal = sessions.readiness(view, ticket, dispatched=True)
    if refusal is not None:
        raise refusal
    claimed = reserving.claim(ctx, LeaseDesk(ctx, "lease-takeover"), view, wish, [ticket])
    previous = _previous(claimed.won) if claimed.won else None
    return LeaseTaken(
        ticket_id=ticket,
        session_id=claimed.live.session,
        lease=lease_shown.shown(ctx, claimed.live),
        previous=previous,
        left_behind=_left(ctx, ctx.view(), SessionId(previous.holder), claimed.won) if previous else LeftBehind(),
    )


def _reason(ctx: Context, params: LeaseTakeover) -> str | None:
    """Return why it is forced, None when it is not; HumanRequired, ReasonRequired."""
    if not params.force:
        if params.reason:
            message = "--reason is for a takeover by force"
            raise Usage(message, hint="add --force, or leave --reason away")
        return None
    what = "takes a ticket from a holder that may be alive"
    by_person.require(ctx, what, "exo lease-takeover --force --reason")
    return by_person.reason(params.reason, "a takeover by force")


def _foreseen(ctx: Context, view: View, ticket: TicketId) -> LeaseTaken:
    holder = holding.holding(view, ticket)
    previous = holder and PreviousHolder(holder=holder.session, actor=holder.actor, epoch=holder.epoch or 0, seen_for=0)
    left = _left(ctx, view, holder.session, None) if holder else LeftBehind()
    return LeaseTaken(ticket_id=ticket, session_id=None, lease=None, previous=previous, left_behind=left)


def _previous(won: Won) -> PreviousHolder | None:
    over = won.grant.over
    if over is None:
        return None
    return PreviousHolder(holder=over.session, actor=over.actor, epoch=over.epoch, seen_for=won.seen_for_seconds)


def _left(ctx: Context, view: View, session: SessionId, won: Won | None) -> LeftBehind:
    """Return what the old session leaves: its branch; its checkout and files there, when it worked in this clone."""
    record = view.session(session)
    before = won.swapped.before if won else None
    branch = (before.lease.branch if before else None) or (record.branch if record else None)
    live = live_sessions.read(ctx.place.common, session)
    if live is None or not Path(live.worktree).is_dir():
        return LeftBehind(branch=branch)
    try:
        dirty = checkout.uncommitted(Path(live.worktree))
    except (CheckoutUnreadable, GitRequired) as error:
        ctx.warn_of(error)
        dirty = ()
    return LeftBehind(branch=branch, worktree=live.worktree, dirty_files=dirty[:FILES_SHOWN_MAX])
