"""Making tickets and changing their fields (docs/guides/tickets.md). The status is changed by `moves` alone.

Malformed values raise; whatever a rule says no to comes back as a refusal, with nothing written.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from exo_sidecar.domain import blockers, fence, fields, hierarchy, ticket_limits, wording
from exo_sidecar.domain.holding import Asker, Standing, lease_held, session_fenced
from exo_sidecar.domain.moves import TicketClosed
from exo_sidecar.kernel.mint_ticket import mint_ticket
from exo_sidecar.model.errors import ExoError, Refused, ValueInvalid
from exo_sidecar.model.event import Draft, Fields, Sets, TicketCreated, TicketEdited, TicketNoted
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import Entropy, SessionId, TicketId
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.ticket import BUDGET_FIELDS, SCALARS, SETS, Kind, Scalar, Ticket, TicketRecord, scalar_of, set_of
from exo_sidecar.model.view import View

_CREATED_NOTE_MAX: Final = 1024
"""Longest note that the event of a creation holds; a longer one is an event of its own."""


class IdTaken(Refused):
    """There is a ticket of this id already."""

    code = "ID_TAKEN"
    advice = "choose another id, or leave --id away to get a new one"


class NothingToChange(Refused):
    """The ticket already is as asked for."""

    code = "NOTHING_TO_CHANGE"
    advice = "exo ticket-show shows how it is; exo ticket-edit --help what can be changed"


class Wish(NamedTuple):
    """A ticket as it is asked for, by flat field names; what is not named has its default."""

    kind: Kind
    fields: Mapping[str, Scalar]
    sets: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    status: Literal["backlog", "todo"] = "todo"
    id: str | None = None
    idem_key: str | None = None
    absorbed: bool = False


class Change(NamedTuple):
    """An edit as it is asked for, by flat field names."""

    fields: Mapping[str, Scalar]
    add: Mapping[str, tuple[str, ...]]
    remove: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    absorbed: bool = False
    settles: bool = False
    """Whether it is about fields in conflict alone: such an edit is taken on a closed ticket, too."""


class Creation(NamedTuple):
    """What a creation comes to."""

    id: TicketId
    created: bool
    """False: the same key made this ticket before, and nothing is written."""
    outcome: Outcome


def create(view: View, wish: Wish, asker: Asker, entropy: Entropy) -> Creation:
    """Return the events of a new ticket, or the ticket that the same actor made under the same key.

    Raises:
        IdInvalid, ValueInvalid, BudgetValueInvalid, ScopeInvalid, IdNotFound: a value is malformed.
    """
    if wish.idem_key is not None:
        key = wording.line("idem_key", wish.idem_key, longest=200)
        wish = wish._replace(idem_key=key)
        if earlier := view.created_with(asker.actor, key):
            return Creation(earlier, created=False, outcome=Outcome())
    ticket_id = new_id(view, wish.kind, wish.id, entropy)
    return Creation(ticket_id, created=True, outcome=created(view, ticket_id, wish, asker))


def new_id(view: View, kind: Kind, given: str | None, entropy: Entropy) -> TicketId:
    """Return the id for a new ticket: the one given, else a minted one that is free here.

    Raises:
        IdInvalid: the id given has another form, or a prefix that says something else than the kind.
    """
    return mint_ticket(kind, given, view.ticket_count(), lambda minted: view.ticket(minted) is not None, entropy)


def given_id(kind: Kind, given: str) -> TicketId:
    """Return an id that people chose, upper-cased; IdInvalid when its prefix says something else than the kind."""
    return mint_ticket(kind, given, 0, lambda _: False, bytes)


def created(view: View, ticket_id: TicketId, wish: Wish, asker: Asker) -> Outcome:
    """Return the events of a new ticket of this id, or the refusal.

    Raises:
        ValueInvalid, BudgetValueInvalid, ScopeInvalid, IdNotFound: a value is malformed.
    """
    if view.ticket(ticket_id) is not None:
        return refused(IdTaken(f"{ticket_id} exists already", ticket=ticket_id, field="id"))
    scalars = fields.clean(view, {**wish.fields, "kind": wish.kind})
    sets = fields.clean_sets(view, wish.sets)
    if sets.scope_allow == (EVERYTHING,):
        sets = msgspec.structs.replace(sets, scope_allow=())
    ticket = fields.applied(Ticket(id=ticket_id, title=ticket_id), scalars, sets, Sets())
    noted = tuple(wording.passage("note", note, needed=True) for note in wish.notes)
    inside = noted if all(len(note) <= _CREATED_NOTE_MAX for note in noted) else ()
    data = TicketCreated(
        fields=scalars,
        sets=sets,
        status=wish.status,
        notes=inside,
        idem_key=wish.idem_key,
        absorbed=wish.absorbed,
    )
    refusal = (
        hierarchy.parent_refusal(view, ticket)
        or blockers.cycle_refusal(view, ticket_id, sets.blockers)
        or ticket_limits.refusal(view, ticket, _asked_checks(view, wish, ticket), _asked_budgets(wish))
        or fields.size_fault(ticket, data)
    )
    if refusal is not None:
        return refused(refusal)
    first = Draft(subject=ticket_id, data=data, session=asker.session)
    later = () if inside else noted
    return Outcome(
        events=(first, *(_noted(ticket_id, note, asker.session, None, absorbed=wish.absorbed) for note in later))
    )


def edit(view: View, record: TicketRecord, change: Change, standing: Standing) -> Outcome:
    """Return the events of an edit, or the refusal; what already is as asked for is left out.

    Raises:
        ValueInvalid, BudgetValueInvalid, ScopeInvalid, IdNotFound, InvalidParent: a value is malformed.
    """
    barred = edit_refusal(record, standing, settles=change.settles)
    if barred is not None:
        return refused(barred)
    data = _edited(view, record, change)
    noted = tuple(wording.passage("note", note, needed=True) for note in change.notes)
    if data is None and not noted:
        return refused(NothingToChange(f"{record.id} already is like that", ticket=record.id))
    events: tuple[Draft, ...] = ()
    if data is not None:
        refusal = _change_refusal(view, record, data, standing)
        if refusal is not None:
            return refused(refusal)
        events = (Draft(subject=record.id, data=data, session=standing.session, epoch=standing.epoch),)
    notes = (_noted(record.id, note, standing.session, standing.epoch, absorbed=change.absorbed) for note in noted)
    return Outcome(events=(*events, *notes))


def edit_refusal(record: TicketRecord, standing: Standing, *, settles: bool = False) -> ExoError | None:
    """Return why the caller may not edit the ticket at all, None when it may."""
    if not record.is_open and not settles:
        message = f"{record.id} is {record.ticket.status}; a closed ticket is not edited"
        return TicketClosed(message, ticket=record.id)
    if standing.fenced:
        return session_fenced(record.id, standing.session)
    if standing.holding is not None and not standing.holds and not standing.human:
        return lease_held(record.id, standing.holding)
    return None


def changed_fields(before: Ticket, after: Ticket) -> tuple[str, ...]:
    """Return the flat names of the fields in which the tickets differ, notes last."""
    sets = (name for name in SETS if set(set_of(before, name)) != set(set_of(after, name)))
    notes = ("notes",) if before.notes != after.notes else ()
    return (*fields.changed(before, after), *sets, *notes)


def _edited(view: View, record: TicketRecord, change: Change) -> TicketEdited | None:
    """Return the edit without what changes nothing; a write to a field in conflict settles it, so it counts."""
    scalars = fields.clean(view, change.fields)
    ticket = record.ticket
    settled = {
        name: UNSET
        for name in SCALARS
        if name not in record.conflicts and getattr(scalars, name) == scalar_of(ticket, name)
    }
    add, remove = fields.clean_sets(view, change.add), fields.members_named(view, ticket, change.remove)
    _no_overlap(add, remove)
    return _unless_empty(
        TicketEdited(
            fields=msgspec.structs.replace(scalars, **settled),
            add=_filtered(record, add, present=False),
            remove=_filtered(record, remove, present=True),
            absorbed=change.absorbed,
        )
    )


def _unless_empty(data: TicketEdited) -> TicketEdited | None:
    return None if (data.fields, data.add, data.remove) == (Fields(), Sets(), Sets()) else data


def _no_overlap(add: Sets, remove: Sets) -> None:
    for name in SETS:
        both = set(getattr(add, name)) & set(getattr(remove, name))
        if both:
            message = f"{name}: {min(both)} is both added and removed"
            raise ValueInvalid(message, hint="name it once", parameter=name, field=name)


def _filtered(record: TicketRecord, sets: Sets, *, present: bool) -> Sets:
    """Return the members that the ticket has, or that it lacks; of a set in conflict all: to name one settles it."""

    def fits(name: str, member: str) -> bool:
        return name in record.conflicts or (member in _standing_members(record.ticket, name)) is present

    return Sets(**{name: tuple(each for each in getattr(sets, name) if fits(name, each)) for name in SETS})


def _standing_members(ticket: Ticket, name: str) -> tuple[str, ...]:
    """Return the members of a set field; the default scope has the member `**`, which nobody need add."""
    return ticket.scope.allow if name == "scope_allow" else set_of(ticket, name)


def _change_refusal(view: View, record: TicketRecord, data: TicketEdited, standing: Standing) -> ExoError | None:
    before = record.ticket
    after = fields.applied(before, data.fields, data.add, data.remove)
    placed = (before.parent, before.kind, before.type) != (after.parent, after.kind, after.type)
    refusal = hierarchy.parent_refusal(view, after) if placed else None
    if refusal is None and before.kind != after.kind:
        refusal = hierarchy.children_refusal(view, after)
        if standing.holding is not None:
            refusal = refusal or lease_held(record.id, standing.holding)
    refusal = refusal or blockers.cycle_refusal(view, record.id, data.add.blockers)
    written = _written(data)
    is_fenced = standing.holding is not None or not written.isdisjoint(fence.GUARDED & record.conflicts.keys())
    if refusal is None and not standing.human:
        left = {name: versions for name, versions in record.conflicts.items() if name not in written}
        changed = msgspec.structs.replace(record, ticket=after, conflicts=left)
        refusal = fence.widening(view, record, changed) if is_fenced else None
        refusal = refusal or fence.widening_below(view, record, changed)
    new = (check for check in after.checks if check not in before.checks)
    budgets = BUDGET_FIELDS if before.type != after.type else written & {*BUDGET_FIELDS}
    return refusal or ticket_limits.refusal(view, after, new, budgets) or fields.size_fault(after, data)


def _asked_checks(view: View, wish: Wish, ticket: Ticket) -> tuple[str, ...]:
    """Return the checks that somebody asked for; what the settings name for every ticket is not judged."""
    usual = view.config().defaults.ticket_checks
    return tuple(check for check in ticket.checks if check not in usual) if "checks" in wish.fields else ()


def _asked_budgets(wish: Wish) -> tuple[str, ...]:
    return tuple(name for name in BUDGET_FIELDS if name in wish.fields)


def _written(data: TicketEdited) -> frozenset[str]:
    """Return the flat names of the fields that an edit writes."""
    scalars = (name for name in SCALARS if getattr(data.fields, name) is not UNSET)
    sets = (name for name in SETS if getattr(data.add, name) or getattr(data.remove, name))
    return frozenset((*scalars, *sets))


def _noted(ticket_id: TicketId, text: str, session: SessionId | None, epoch: int | None, *, absorbed: bool) -> Draft:
    return Draft(subject=ticket_id, data=TicketNoted(text=text, absorbed=absorbed), session=session, epoch=epoch)
