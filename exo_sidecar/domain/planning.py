"""Planning: a plan that was read becomes a spec and tickets, all in one commit or none (docs/guides/tickets.md).

Each ticket is judged by the rules of a creation, in the presence of all others of the plan. Every fault is collected
with its line before anything is said.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from exo_sidecar.domain import tickets, wishes
from exo_sidecar.domain.holding import Asker, Standing
from exo_sidecar.domain.plan_text import Format, Item, PlanFault, PlanInvalid, Read
from exo_sidecar.domain.tickets import Change, Wish
from exo_sidecar.model import glob_overlap, ids
from exo_sidecar.model.config import CoUpdate
from exo_sidecar.model.errors import ExoError, IdNotFound, Refused, ScopeInvalid
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_plans import PLANNED_MAX, SpecRecorded
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import Entropy, TicketId
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import TITLE_MAX, Ticket, TicketRecord
from exo_sidecar.model.view import View

_PREFIX: Final = "SPEC"
_AT: Final = "1970-01-01T00:00:00Z"
"""Of records that stand in for what is yet to be written; nobody sees it."""


class PlanTooLarge(Refused):
    """A plan has more tickets than one plan may have."""

    code = "PLAN_TOO_LARGE"
    advice = "split it, or raise tickets.plan_max in .exo/config.yaml"


class Plan(NamedTuple):
    """A plan as it is asked for."""

    text: str
    form: Format
    read: Read
    parent: str | None = None
    create: bool = True
    """Whether tickets are made, or the plan is only judged and recorded."""


class Planner(NamedTuple):
    """Who asks, and how they stand to tickets that are there."""

    caller: Asker
    standing: Callable[[TicketRecord], Standing]
    entropy: Entropy


class Planned(NamedTuple):
    """A ticket of a plan."""

    id: TicketId
    item: Item
    parent: TicketId | None
    blockers: tuple[TicketId, ...]


class Made(NamedTuple):
    """What a plan comes to."""

    spec: str
    tickets: tuple[Planned, ...]
    outcome: Outcome
    warnings: tuple[str, ...] = ()


def plan(view: View, wanted: Plan, planner: Planner) -> Made:
    """Return the spec and the tickets of a plan, or its refusal.

    Raises:
        PlanInvalid: a line does not hold; the error names every one.
        IdNotFound: there is no ticket to put the plan below; IdAmbiguous, IdInvalid likewise.
    """
    items = wanted.read.items
    limit = min(view.config().tickets.plan_max, PLANNED_MAX)
    if len(items) > limit:
        message = f"the plan has {len(items)} tickets; at most {limit} are made at once"
        return Made("", (), refused(PlanTooLarge(message, count=len(items), limit=limit)))
    below = view.find_ticket(wanted.parent).id if wanted.parent else None
    faults = list(wanted.read.faults)
    if not items and not faults:
        faults.append(PlanFault(line=1, message="it names no ticket: `### EPIC title`, or lines `* title`"))
    arranged = _Places(view, items, planner.entropy, faults).arranged(below)
    found = arranged.tickets
    outcome = _created(view, found, planner, faults) + _edited(view, arranged, planner, faults)
    if faults:
        raise PlanInvalid(tuple(sorted(dict.fromkeys(faults), key=lambda fault: fault.line)))
    spec = ids.mint(_PREFIX, view.ticket_count(), planner.entropy)
    data = SpecRecorded(
        title=wanted.read.title[:TITLE_MAX],
        text=wanted.text,
        input_format=wanted.form,
        parent=below,
        tickets=tuple(each.id for each in found) if wanted.create else (),
    )
    recorded = Outcome(events=(Draft(subject=spec, data=data, session=planner.caller.session),))
    warnings = tuple(co_update_warnings(view.config().coherence.co_update_rules, items))
    return Made(spec, found, recorded + outcome if wanted.create else recorded, warnings)


def co_update_warnings(rules: tuple[CoUpdate, ...], items: tuple[Item, ...]) -> Iterator[str]:
    """Yield what a scope leaves out of files that change together; the default scope leaves out nothing."""
    for item in items:
        allow = item.sets.get("scope_allow", ())
        if not allow or EVERYTHING in allow:
            continue
        for rule in rules:
            missing = [each for each in rule.files if not _meets(allow, each)]
            if missing and len(missing) < len(rule.files):
                yield f"line {item.line}: {rule.label} changes together, and the scope leaves out {', '.join(missing)}"


class _Arranged(NamedTuple):
    """The tickets of a plan, and of tickets that are there those of the plan that they wait for."""

    tickets: tuple[Planned, ...]
    waiting: Mapping[TicketId, tuple[TicketId, ...]]


class _Places:
    """Which ticket each name of a plan means, of the plan or of those that are there."""

    def __init__(self, view: View, items: tuple[Item, ...], entropy: Entropy, faults: list[PlanFault]) -> None:
        self._view = view
        self._faults = faults
        self.tickets: dict[TicketId, Item] = {}
        self._named: dict[str, list[TicketId]] = {}
        for item in items:
            ticket = self._minted(item, entropy)
            self.tickets[ticket] = item
            for name in {item.label.casefold(), item.title.casefold()} - {""}:
                self._named.setdefault(name, []).append(ticket)

    def arranged(self, below: TicketId | None) -> _Arranged:
        """Return the tickets with their parents and blockers; what names no parent goes `below`."""
        waits: dict[TicketId, list[TicketId]] = {ticket: [] for ticket in self.tickets}
        later: dict[TicketId, list[TicketId]] = {}
        parents: dict[TicketId, TicketId | None] = {}
        for ticket, item in self.tickets.items():
            parents[ticket] = self._meant(item, item.parent) if item.parent else below
            waits[ticket] += [found for name in item.after if (found := self._meant(item, name))]
            for name in item.blocks:
                other = self._meant(item, name)
                if other is not None:
                    (waits if other in waits else later).setdefault(other, []).append(ticket)
        planned = (
            Planned(ticket, item, parents[ticket], tuple(dict.fromkeys(waits[ticket])))
            for ticket, item in self.tickets.items()
        )
        return _Arranged(tuple(planned), {ticket: tuple(blockers) for ticket, blockers in later.items() if blockers})

    def _meant(self, item: Item, name: str) -> TicketId | None:
        """Return the ticket that a line names; a fault of the line when there is none, or several."""
        own = self._named.get(name.strip().casefold(), [])
        if len(own) > 1:
            self._faults.append(PlanFault(line=item.line, message=f"{name!r} names {len(own)} tickets of the plan"))
            return None
        if own:
            return own[0]
        try:
            return self._view.find_ticket(name).id
        except IdNotFound:
            message = f"{name[:60]!r} is no ticket of the plan, and there is none of that id"
        except ExoError as error:
            message = f"{name[:60]!r} is no ticket of the plan: {error.message}"
        self._faults.append(PlanFault(line=item.line, message=message))
        return None

    def _minted(self, item: Item, entropy: Entropy) -> TicketId:
        ticket = tickets.new_id(self._view, item.kind, None, entropy)
        while ticket in self.tickets:
            ticket = tickets.new_id(self._view, item.kind, None, entropy)
        return ticket


def _created(view: View, found: tuple[Planned, ...], planner: Planner, faults: list[PlanFault]) -> Outcome:
    """Return the creations; each is judged with all the others there, so a ring of blockers shows at its last one."""
    records = {each.id: _stand_in(each) for each in found}
    unread = {fault.line for fault in faults}
    outcome = Outcome()
    for each in found:
        if each.item.line in unread:
            continue
        others = tuple(record for key, record in records.items() if key != each.id)
        item = each.item
        wish = Wish(
            kind=item.kind,
            fields={**item.fields, "title": item.title, "parent": each.parent},
            sets={**item.sets, "blockers": each.blockers},
            notes=item.notes,
            status=item.status,
        )
        try:
            made = tickets.created(view.with_tickets(others), each.id, wishes.completed(view, wish), planner.caller)
        except ExoError as error:
            made = refused(error)
        if made.refusal is not None:
            message = made.refusal.message.replace(each.id, repr(item.title))
            faults.append(PlanFault(line=item.line, message=message))
            continue
        outcome += made
        records[each.id] = _stand_in(each, each.blockers)
    return outcome


def _edited(view: View, arranged: _Arranged, planner: Planner, faults: list[PlanFault]) -> Outcome:
    """Return the edits by which tickets that are there wait for some of the plan."""
    there = view.with_tickets(tuple(_stand_in(each, blockers=each.blockers) for each in arranged.tickets))
    line_of = {each.id: each.item.line for each in arranged.tickets}
    outcome = Outcome()
    for ticket, blockers in arranged.waiting.items():
        record = there.find_ticket(ticket)
        change = Change(fields={}, add={"blockers": blockers}, remove={})
        edited = tickets.edit(there, record, change, planner.standing(record))
        if edited.refusal is not None:
            faults.append(PlanFault(line=line_of[blockers[0]], message=edited.refusal.message))
        outcome += edited
    return outcome


def _stand_in(each: Planned, blockers: tuple[TicketId, ...] = ()) -> TicketRecord:
    """Return what others see of a ticket of the plan; without blockers until those were judged."""
    kind = each.item.fields.get("type")
    ticket = Ticket(
        id=each.id,
        kind=each.item.kind,
        title=each.item.title,
        parent=each.parent,
        blockers=blockers,
        type=kind if isinstance(kind, str) else "feature",
    )
    return TicketRecord(ticket=ticket, created_at=_AT, creator="", updated_at=_AT)


def _meets(allow: tuple[str, ...], files: str) -> bool:
    try:
        return glob_overlap.overlapping(allow, (files,)) is not None
    except ScopeInvalid:
        return True  # a scope that is none is a fault of its own
