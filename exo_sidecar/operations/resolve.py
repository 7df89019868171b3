"""Resolve: what several clones wrote at once, shown and settled."""

from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.domain import holding, settling
from exo_sidecar.domain.settling import NothingToResolve
from exo_sidecar.model.document import DOCUMENTS, Document, Section
from exo_sidecar.model.errors import Usage, ValueInvalid
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import Scalar, TicketRecord
from exo_sidecar.model.view import TicketFilter, View
from exo_sidecar.operations import by_person, document_text
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

SHOWN_MAX: Final = 200
"""Most tickets that one answer lists."""


class Resolve(Params, frozen=True, kw_only=True):
    """Parameters of `resolve`."""

    id: Annotated[
        str | None, param("A ticket; left away: everything open is listed", positional=True, completes="ticket")
    ] = None
    field: Annotated[str | None, param("The field to settle; needed when several are open", metavar="NAME")] = None
    take: Annotated[
        tuple[str, ...],
        param("ours: what stands; theirs: the other; or a value (of globs and checks several, or none)"),
    ] = ()
    document: Annotated[
        Literal["CONSTITUTION.md", "config.yaml", "features.yaml", "requirements.yaml"] | None,
        param("A document to settle, in place of a ticket"),
    ] = None
    file: Annotated[str | None, param("The document as it is to be", metavar="PATH", completes="path")] = None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One of several values."""

    value: Scalar
    actor: str
    at: str
    event: str
    stands: bool
    """Whether readers are shown this one. Of scopes none need: what several clones wrote is united."""


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A field, or a unit of a document, with several values that did not know each other."""

    id: str
    """The ticket, or the document's name."""
    field: str
    """The field; of a document the key or section, empty for its beginning."""
    stands: Scalar
    """What readers are shown."""
    values: tuple[Written, ...]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What holds from now on."""

    id: str
    field: str
    value: Scalar


class Resolved(Result, frozen=True, kw_only=True):
    """What is open, and what was settled."""

    open: tuple[Open, ...]
    resolved: tuple[Settled, ...] = ()
    left_out: int = 0
    """Tickets in conflict that are not listed for their number."""


@operation(Panel.LEASES_AND_SYNC, writes=True)
def run(ctx: Context, params: Resolve) -> Resolved:
    """List what several clones wrote at once, and settle it.

    `resolve ID --field NAME --take ours` keeps the value that stands, `--take theirs` the other one, `--take VALUE`
    any. Who may edit and move the ticket may settle it; an agent chooses nothing that lets work do more than gates
    allow while the conflict is open. Documents are settled by people: `--document NAME` with `--file PATH`, or `--take
    ours` or `theirs` for all its open places.
    """
    _check(params)
    is_settling = bool(params.take or params.file is not None)
    if params.document is not None:
        return _document(ctx, params.document, params) if is_settling else _open_document(ctx.view(), params.document)
    if params.id is not None:
        return _ticket(ctx, params.id, params) if is_settling else _open_ticket(ctx.view(), params)
    return _everything(ctx.view())


def _check(params: Resolve) -> None:
    """Raise Usage when parameters contradict each other."""
    is_take = bool(params.take)
    wrong = (
        (params.id is not None and params.document is not None, "an id and --document name two things"),
        (params.field is not None and params.id is None, "--field is for a ticket, and none is named"),
        (params.file is not None and params.document is None, "--file is for a document, and none is named"),
        (params.file is not None and is_take, "--file and --take say two things"),
        (is_take and params.id is None and params.document is None, "--take settles a ticket or a document"),
    )
    for is_wrong, message in wrong:
        if is_wrong:
            raise Usage(message, hint="exo resolve lists what is open, with the words that settle it")
    if params.document is not None and is_take and params.take not in {settling.OURS, settling.THEIRS}:
        message = f"take: {params.take[0][:60]!r} is neither ours nor theirs"
        raise ValueInvalid(message, hint="a text of your own is given with --file PATH", parameter="take")


def _ticket(ctx: Context, named: str, params: Resolve) -> Resolved:
    """Settle one field of a ticket."""
    chosen: list[tuple[TicketId, str]] = []

    def rule(view: View) -> Outcome:
        record = view.find_ticket(named)
        field = settling.field_named(record, params.field)
        chosen.append((record.id, field))
        standing = holding.standing(view, record.id, ctx.caller, human=ctx.is_person)
        return settling.settle(view, record, field, params.take, standing)

    view = ctx.transact(rule)
    ticket, field = chosen[-1]  # the transaction may have begun again: the last one counts
    record = view.find_ticket(ticket)
    settled = Settled(id=ticket, field=field, value=record.values(field)[0])
    return Resolved(open=_fields(record), resolved=(settled,))


def _document(ctx: Context, name: str, params: Resolve) -> Resolved:
    """Settle every open place of a document at once."""
    by_person.require(ctx, f"says what holds of {name}", f"exo resolve --document {name}")
    given = document_text.read(ctx, name, params.file) if params.file is not None else None
    before = {section.name for section in _sections(ctx.view(), name)}
    settled: list[tuple[str, ...]] = []

    def rule(view: View) -> Outcome:
        document = view.document(name)
        if document is None or not document.conflicts:
            settled.append(())
            # An edit by hand that this call took in has settled it, unless nothing was open before either.
            return Outcome(refusal=None if before else _nothing(name))
        text = given if given is not None else document_text.taken(document, params.take)
        document_text.check(name, text)
        units = tuple(dict.fromkeys(section.name for section in document.conflicts))
        settled.append(units)
        data = DocumentEdited(base=document.digest, text=text, settles=units)
        return Outcome(events=(Draft(subject=name, data=data, session=ctx.caller.session),))

    view = ctx.transact(rule)
    now = view.document(name)
    texts = document_text.units(now) if now is not None else {}
    done = tuple(Settled(id=name, field=unit, value=texts.get(unit, "")) for unit in settled[-1] or sorted(before))
    return Resolved(open=_open_units(now), resolved=done)


def _nothing(name: str) -> NothingToResolve:
    return NothingToResolve(f"no place of {name} is in conflict", document=name)


def _everything(view: View) -> Resolved:
    wanted = TicketFilter(conflicted=True)
    rows = view.tickets(wanted, sort="id", after=None, limit=SHOWN_MAX)
    records = (view.ticket(row.id) for row in rows)
    fields = [each for record in records if record is not None for each in _fields(record)]
    units = [each for name in DOCUMENTS for each in _open_units(view.document(name))]
    return Resolved(open=(*fields, *units), left_out=max(0, view.unsettled().tickets - len(rows)))


def _open_ticket(view: View, params: Resolve) -> Resolved:
    record = view.find_ticket(params.id or "")
    fields = _fields(record)
    if params.field is not None:
        wanted = settling.field_named(record, params.field)
        fields = tuple(each for each in fields if each.field == wanted)
    return Resolved(open=fields)


def _open_document(view: View, name: str) -> Resolved:
    return Resolved(open=_open_units(view.document(name)))


def _sections(view: View, name: str) -> tuple[Section, ...]:
    document = view.document(name)
    return document.conflicts if document is not None else ()


def _fields(record: TicketRecord) -> tuple[Open, ...]:
    """Return the fields of a ticket that are in conflict."""
    found = []
    for field, versions in sorted(record.conflicts.items()):
        stands = record.values(field)[0]
        values = tuple(
            Written(value=each.value, actor=each.actor, at=each.at, event=each.event, stands=each.value == stands)
            for each in versions
        )
        found.append(Open(id=record.id, field=field, stands=stands, values=values))
    return tuple(found)


def _open_units(document: Document | None) -> tuple[Open, ...]:
    """Return the units of a document that are in conflict."""
    if document is None:
        return ()
    found: dict[str, Open] = {}
    for section in document.conflicts:
        stands = section.stands
        first = Written(value=stands.text, actor=stands.actor, at=stands.at, event=stands.event, stands=True)
        other = Written(value=section.text, actor=section.actor, at=section.at, event=section.event, stands=False)
        before = found.get(section.name)
        values = (*before.values, other) if before is not None else (first, other)
        found[section.name] = Open(id=document.name, field=section.name, stands=stands.text, values=values)
    return tuple(found.values())
