"""The fold of one ticket: its events in fold order to its record. Pure (docs/format.md, "The fold")."""

from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec import UNSET

from exo_sidecar.model import glob
from exo_sidecar.model.event import Sets, TicketCreated, TicketEdited, TicketMoved, TicketNoted
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import (
    ADMISSION_FIELDS,
    BUDGET_FIELDS,
    FENCE_SETS,
    FORMER_MAX,
    SCALARS,
    SETS,
    Admission,
    Budgets,
    Scalar,
    Scope,
    Ticket,
    TicketRecord,
    Version,
)
from exo_sidecar.store.entry import Entry, Knows
from exo_sidecar.store.scalars import Write, distinct, members, standing, unknown

_Members = dict[str, list[tuple[Entry, str]]]


class _Gathered:
    """What the events write, field by field."""

    def __init__(self) -> None:
        self.scalars: dict[str, list[Write[Scalar]]] = defaultdict(list)
        self.adds: _Members = defaultdict(list)
        self.removes: _Members = defaultdict(list)
        self.scopes: dict[str, list[Write[None]]] = defaultdict(list)
        """Events that wrote one of FENCE_SETS; their values are computed only where several met."""
        self.notes: list[str] = []
        self.first: Entry | None = None
        self.last: Entry | None = None
        self.closings: dict[Status, str] = {}
        """How it was closed, by the status that it was closed into; the last in fold order."""


def fold_ticket(ticket_id: TicketId, entries: Sequence[Entry], knows: Knows) -> TicketRecord | None:
    """Return the ticket's record, None while no event has created it."""
    gathered = _gather(entries)
    if gathered.first is None or gathered.last is None:
        return None
    values: dict[str, Scalar] = {}
    conflicts: dict[str, tuple[Version, ...]] = {}
    for field, writes in gathered.scalars.items():
        found = standing(writes, knows)
        values[field] = found[0].value
        if len(found) > 1:
            conflicts[field] = tuple(_version(write) for write in found)
    sets = {field: members(gathered.adds[field], gathered.removes[field], knows) for field in SETS}
    for field in FENCE_SETS:
        met = unknown(gathered.scopes[field], knows)
        if len(met) > 1 and (versions := _scopes(gathered, field, sets[field], met, knows)):
            conflicts[field] = versions
    return TicketRecord(
        ticket=_assemble(ticket_id, values, sets, tuple(gathered.notes)),
        created_at=gathered.first.event.at,
        creator=gathered.first.event.actor,
        updated_at=gathered.last.event.at,
        resolution=gathered.closings.get(Status(str(values["status"]))),
        former_blockers=_former(gathered, sets["blockers"]),
        conflicts=dict(sorted(conflicts.items())),
    )


def _former(gathered: _Gathered, present: tuple[str, ...]) -> tuple[TicketId, ...]:
    added = {member for _, member in gathered.adds["blockers"]}
    gone = {member for _, member in gathered.removes["blockers"]}
    return tuple(TicketId(member) for member in sorted((added & gone) - set(present)))[:FORMER_MAX]


def _gather(entries: Sequence[Entry]) -> _Gathered:
    gathered = _Gathered()
    for entry in entries:
        match entry.data:
            case TicketCreated() as created:
                gathered.first = gathered.first or entry
                _scalars(gathered, entry, created.fields)
                gathered.scalars["status"].append(Write(entry, created.status))
                _sets(gathered.adds, entry, created.sets)
                _fences(gathered, entry, None)
                gathered.notes += created.notes
            case TicketEdited() as edited:
                _scalars(gathered, entry, edited.fields)
                _sets(gathered.adds, entry, edited.add)
                _sets(gathered.removes, entry, edited.remove)
                _fences(gathered, entry, edited)
            case TicketMoved() as moved:
                gathered.scalars["status"].append(Write(entry, str(moved.end)))
                _close(gathered.closings, moved)
            case TicketNoted() as noted:
                gathered.notes.append(noted.text)
            case _:
                continue
        gathered.last = entry
    return gathered


def _scalars(gathered: _Gathered, entry: Entry, fields: msgspec.Struct) -> None:
    for field in SCALARS:
        value = getattr(fields, field)
        if value is not UNSET:
            gathered.scalars[field].append(Write(entry, value))


def _sets(into: _Members, entry: Entry, sets: Sets) -> None:
    for field in SETS:
        into[field].extend((entry, member) for member in getattr(sets, field))


def _fences(gathered: _Gathered, entry: Entry, edited: TicketEdited | None) -> None:
    """Note which scopes the event wrote; a creation (None) writes all."""
    for field in FENCE_SETS:
        if edited is None or getattr(edited.add, field) or getattr(edited.remove, field):
            gathered.scopes[field].append(Write(entry, None))


def _scopes(
    gathered: _Gathered, field: str, united: tuple[str, ...], met: Sequence[Write[None]], knows: Knows
) -> tuple[Version, ...]:
    """Return what each of the writes that met made of a scope; none when gates read them as they do the united one."""
    seen = [Write(write.entry, _allows(field, _as_written(gathered, field, write.entry, knows))) for write in met]
    written = distinct(seen)
    values = [_allows(field, united), *(write.value for write in written)]
    strict = set(glob.common(values)) if field == "scope_allow" else {each for value in values for each in value}
    if len(written) == 1 or strict == set(values[0]):
        return ()
    return tuple(_version(Write[Scalar](write.entry, write.value)) for write in written)


def _as_written(gathered: _Gathered, field: str, entry: Entry, knows: Knows) -> tuple[str, ...]:
    """Return the members of a set as they were after the event, in the eyes of its writer."""

    def known(changes: list[tuple[Entry, str]]) -> list[tuple[Entry, str]]:
        return [(other, each) for other, each in changes if other.name == entry.name or knows(entry.name, other.name)]

    return members(known(gathered.adds[field]), known(gathered.removes[field]), knows)


def _allows(field: str, written: tuple[str, ...]) -> tuple[str, ...]:
    return (EVERYTHING,) if field == "scope_allow" and not written else written


def _close(closings: dict[Status, str], moved: TicketMoved) -> None:
    if moved.settles and moved.end in closings:
        return
    if moved.end in {Status.DONE, Status.CANCELLED}:
        closings[moved.end] = moved.resolution or str(moved.end)
    elif moved.end is Status.ARCHIVED:
        closings[moved.end] = closings.get(moved.start, "dropped")


def _version(write: Write[Scalar]) -> Version:
    event = write.entry.event
    moved = write.entry.data
    return Version(
        value=write.value,
        actor=event.actor,
        at=event.at,
        event=str(write.entry.name),
        epoch=write.entry.epoch or None,
        start=moved.start if isinstance(moved, TicketMoved) else None,
    )


def _assemble(
    ticket_id: TicketId, values: dict[str, Scalar], sets: dict[str, tuple[str, ...]], notes: tuple[str, ...]
) -> Ticket:
    """Return the ticket; the event types have checked every value already."""
    plain = {field: value for field, value in values.items() if field not in (*BUDGET_FIELDS, *ADMISSION_FIELDS)}
    budgets = {field: value for field, value in values.items() if field in BUDGET_FIELDS}
    admission = {field: value for field, value in values.items() if field in ADMISSION_FIELDS}
    plain.setdefault("title", ticket_id)
    return msgspec.convert(
        {
            **plain,
            "id": ticket_id,
            "blockers": sets["blockers"],
            "labels": sets["labels"],
            "links": sets["links"],
            "scope": Scope(allow=sets["scope_allow"] or (EVERYTHING,), deny=sets["scope_deny"]),
            "budgets": Budgets(**cast("dict[str, int]", budgets)),
            "admission": Admission(**cast("dict[str, str]", admission)),
            "notes": notes,
        },
        Ticket,
    )
