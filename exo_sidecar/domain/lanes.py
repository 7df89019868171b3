"""Lanes: how many tickets of some types are worked on at once, in all clones together (docs/guides/tickets.md).

A ticket counts while its lease is held, wherever its holder is. Nobody can count and claim in one step, so a claim is
counted again once it is won: of those that are in the middle of claiming the last in dispatch order gives way.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from exo_sidecar.domain.dispatch import Reason
from exo_sidecar.model.config import Lane, SchedulerSettings
from exo_sidecar.model.errors import ExoError, Refused, ValueInvalid
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.view import TicketFilter, View

Gate: TypeAlias = Callable[[TicketId, str], Reason | None]
"""Says why a ticket that is ready (its id and type) is not handed out now, None when it is."""
Leased: TypeAlias = Mapping[TicketId, int]
"""Tickets whose lease is held, with the epoch of their holder; 0 where that is not known."""

_ANY: Final = "*"
_LANE_FULL: Final = "lane_full"
_LIMIT: Final = "concurrency_limit"


class LaneFull(Refused):
    """As many tickets of these types are worked on as the lane takes."""

    code = "LANE_FULL"
    advice = "wait until one is finished, or raise the lane's count in .exo/config.yaml"


class ConcurrencyLimit(Refused):
    """As many tickets are worked on as the repository takes."""

    code = "CONCURRENCY_LIMIT"
    advice = "wait until one is finished, or raise scheduler.global_concurrency_limit in .exo/config.yaml"


class Count(NamedTuple):
    """How many tickets are leased: together, and by lane."""

    total: int
    by_lane: Mapping[str, int]


class Crowd(NamedTuple):
    """More tickets are leased than may be."""

    error: ExoError
    gives_way: bool
    """Whether the caller's ticket comes last of those that are in the middle of claiming."""


def lane_of(settings: SchedulerSettings, ticket_type: str) -> Lane | None:
    """Return the first lane that takes the type, None when none does: then only the limit of all holds."""
    fits = (lane for lane in settings.lanes if ticket_type in lane.allowed_types or _ANY in lane.allowed_types)
    return next(fits, None)


def named(settings: SchedulerSettings, name: str) -> Lane:
    """Return the lane of that name; ValueInvalid when there is none."""
    found = next((lane for lane in settings.lanes if lane.name == name), None)
    if found is None:
        names = ", ".join(lane.name for lane in settings.lanes) or "none"
        message = f"there is no lane {name[:60]!r}"
        raise ValueInvalid(message, hint=f"lanes: {names}", parameter="lane")
    return found


def count(view: View, leased: Leased, apart_from: TicketId | None = None) -> Count:
    """Return how many of the tickets are leased, one left out: it is to be taken over, or counted by itself."""
    settings = view.config().scheduler
    by_lane: dict[str, int] = {}
    for ticket in leased:
        record = view.ticket(ticket) if ticket != apart_from else None
        lane = lane_of(settings, record.ticket.type) if record is not None else None
        if lane is not None:
            by_lane[lane.name] = by_lane.get(lane.name, 0) + 1
    return Count(len(leased) - (apart_from in leased), by_lane)


def gate(view: View, leased: Leased) -> Gate:
    """Return the rule that keeps tickets back for which there is no room."""
    settings = view.config().scheduler
    if not settings.enabled:
        return lambda _ticket, _type: None
    found = count(view, leased)

    def room(ticket: TicketId, ticket_type: str) -> Reason | None:
        # A ticket that is leased already takes no more room when it is taken over.
        return None if ticket in leased else _full(settings, found, ticket_type, more=1)

    return room


def refusal(view: View, leased: Leased, ticket: TicketId) -> ExoError | None:
    """Return why there is no room for the ticket, None when there is."""
    record = view.ticket(ticket)
    reason = gate(view, leased)(ticket, record.ticket.type) if record is not None else None
    return None if reason is None else error_of(reason, ticket)


def crowd(view: View, leased: Leased, ticket: TicketId) -> Crowd | None:
    """Return how a claim that was won stands to the limits, None when they hold with it.

    A lease that the ledger knows is past its own count; whoever holds another is counting, too. Among these the last in
    dispatch order gives way. A ticket that is not known here ranks before all: at worst it is waited for.
    """
    settings = view.config().scheduler
    record = view.ticket(ticket)
    if not settings.enabled or record is None:
        return None
    lane = lane_of(settings, record.ticket.type)
    reason = _full(settings, count(view, leased), record.ticket.type, more=0)
    if reason is None:
        return None
    claiming = tuple(each for each, epoch in leased.items() if epoch > view.highest_epoch(each) or each == ticket)
    wanted = TicketFilter(ids=claiming, archived=True)
    rows = view.tickets(wanted, sort="score", after=None, limit=max(1, len(claiming)))
    of_lane = [row.id for row in rows if reason.code == _LIMIT or lane_of(settings, row.type) == lane]
    return Crowd(error_of(reason, ticket), of_lane[-1:] == [ticket])


def error_of(reason: Reason, ticket: TicketId | None = None) -> ExoError:
    """Return the refusal that a reason of these rules comes to."""
    kind = ConcurrencyLimit if reason.code == _LIMIT else LaneFull
    return kind(reason.message, ticket=ticket) if ticket else kind(reason.message)


def is_about_all(reason: Reason) -> bool:
    """Whether a reason holds for every ticket."""
    return reason.code == _LIMIT


def is_about_room(reason: Reason) -> bool:
    """Whether a reason is one of these rules."""
    return reason.code in {_LANE_FULL, _LIMIT}


def _full(settings: SchedulerSettings, found: Count, ticket_type: str, *, more: int) -> Reason | None:
    """Return which limit does not hold when `more` tickets of the type are leased."""
    limit = settings.global_concurrency_limit
    if limit is not None and found.total + more > limit:
        return Reason(_LIMIT, f"{found.total} tickets are worked on; the limit of all is {limit}")
    lane = lane_of(settings, ticket_type)
    taken = found.by_lane.get(lane.name, 0) if lane is not None else 0
    if lane is None or taken + more <= lane.count:
        return None
    return Reason(_LANE_FULL, f"lane {lane.name} is full: {taken} worked on, {lane.count} at once")
