"""The fold of one ticket: its events in fold order to its record. Pure (docs/format.md, "The fold")."""

from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec import UNSET

from exo_sidecar.model.event import Sets, TicketCreated, TicketEdited, TicketMoved, TicketNoted
from exo_sidecar.model.glob import EVERYTHING
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import (
    ADMISSION_FIELDS,
    BUDGET_FIELDS,
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
from exo_sidecar.store.scalars import Write, members, standing

_Members = dict[str, list[tuple[Entry, str]]]


class _Gathered:
    """What the events write, field by field."""

    def __init__(self) -> None:
        self.scalars: dict[str, list[Write[Scalar]]] = defaultdict(list)
        self.adds: _Members = defaultdict(list)
        self.removes: _Members = defaultdict(list)
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
    return TicketRecord(
        ticket=_assemble(ticket_id, values, sets, tuple(gathered.notes)),
        created_at=gathered.first.event.at,
        creator=gathered.first.event.actor,
        updated_at=gathered.last.event.at,
        resolution=gathered.closings.get(Status(str(values["status"]))),
        conflicts=dict(sorted(conflicts.items())),
    )


def _gather(entries: Sequence[Entry]) -> _Gathered:
    gathered = _Gathered()
    for entry in entries:
        match entry.data:
            case TicketCreated() as created:
                gathered.first = gathered.first or entry
                _scalars(gathered, entry, created.fields)
                gathered.scalars["status"].append(Write(entry, created.status))
                _sets(gathered.adds, entry, created.sets)
                gathered.notes += created.notes
            case TicketEdited() as edited:
                _scalars(gathered, entry, edited.fields)
                _sets(gathered.adds, entry, edited.add)
                _sets(gathered.removes, entry, edited.remove)
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


def _close(closings: dict[Status, str], moved: TicketMoved) -> None:
    if moved.end in {Status.DONE, Status.CANCELLED}:
        closings[moved.end] = moved.resolution or str(moved.end)
    elif moved.end is Status.ARCHIVED:
        closings[moved.end] = closings.get(moved.start, "dropped")


def _version(write: Write[Scalar]) -> Version:
    event = write.entry.event
    return Version(
        value=write.value,
        actor=event.actor,
        at=event.at,
        event=str(write.entry.name),
        epoch=write.entry.epoch or None,
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
