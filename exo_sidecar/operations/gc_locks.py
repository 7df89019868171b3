"""Sweeping away what is left of leases of closed tickets."""

from typing import Annotated

import msgspec

from exo_sidecar.git import remote as remotes
from exo_sidecar.leases import names, sweeping
from exo_sidecar.leases.refs import open_leases
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.lifecycle import CLOSED
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.sync import sync


class GcLocks(Params, frozen=True, kw_only=True):
    """Parameters of `gc-locks`."""

    remote: Annotated[
        str | None, param("The remote to sweep; left away: the one that decides about leases", metavar="NAME")
    ] = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A lease that stays, and why."""

    ticket: TicketId
    reason: str


class LocksSwept(Result, frozen=True, kw_only=True):
    """What was swept away."""

    total: int
    """Leases that there were, held ones too."""
    swept: tuple[TicketId, ...]
    kept: tuple[Kept, ...]
    refused: bool
    """Whether the server lets no ref be removed; it is not asked again."""


@operation(Panel.MAINTENANCE, network=True, destructive=True, idempotent=True)
def run(ctx: Context, params: GcLocks) -> LocksSwept:
    """Sweep the released leases of closed tickets, when there are more than 500 released ones.

    A held lease is never swept, however old. Only what the authority's governance branch knows the epoch of goes: the
    next claim of such a ticket stands above it.
    """
    authority = LeaseDesk(ctx, "gc-locks").authority
    place = msgspec.structs.replace(authority, remote=params.remote) if params.remote else authority
    _exchanged(ctx, place)
    survey = open_leases(ctx.repository, place, clock=ctx.boot_clock, operation="gc-locks").survey()
    view = ctx.view()

    def is_closed(ticket: TicketId) -> bool:
        record = view.ticket(ticket)
        return record is not None and record.ticket.status in CLOSED

    chosen = sweeping.choose(survey, is_closed, view.highest_epoch)
    total = len(survey.leases) + len(survey.damaged)
    common = ctx.place.common
    if chosen.doomed and sweeping.is_refused(common, place.id):
        kept = chosen.kept | dict.fromkeys(chosen.doomed, "the server is known to refuse deletes")
        return _shown(total, (), kept, refused=True)
    if not chosen.doomed:
        return _shown(total, (), chosen.kept, refused=False)
    remote = remotes.named(ctx.repository, place.remote) if place.remote else None
    done = sweeping.sweep(ctx.repository, remote, (names.of(place.mode), place.id), chosen.doomed)
    if done.refused:
        sweeping.remember_refusal(common, place.id)
    return _shown(total, done.gone, chosen.kept | done.stayed, refused=done.refused)


def _exchanged(ctx: Context, place: Authority) -> None:
    """Bring both governance branches together: what is judged by then is what the authority has."""
    if place.remote is None:
        return
    ctx.require_network(f"sweeping leases at {place.remote}")
    settings = ctx.view().config().sync
    remote = remotes.named(ctx.repository, place.remote)
    sync.sync(ctx.store, remote, timeout_seconds=settings.timeout_seconds, rounds_max=settings.max_rounds)


def _shown(total: int, swept: tuple[TicketId, ...], kept: dict[TicketId, str], *, refused: bool) -> LocksSwept:
    stays = tuple(Kept(ticket=ticket, reason=reason) for ticket, reason in sorted(kept.items()))
    return LocksSwept(total=total, swept=swept, kept=stays, refused=refused)
