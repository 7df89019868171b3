"""Hand edits: files of the mount that differ from the branch, taken in as events or kept aside.

A ticket file is judged like `ticket-edit` and `ticket-move`; a document becomes a `document.edited` event. What is
refused, or cannot be taken in because it is computed, is kept in `cache/rejected/` and rendered back. A file that
cannot be read is named with its line and left alone. Nothing a person wrote is ever lost.
"""

import os
import re
import stat
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base import files, quoting, secret_shapes
from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.git.objects import object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.document import DOCUMENTS, TEXT_MAX_BYTES
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.event_policy import FILES, SUBJECT, PolicyTampered
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.policy import LOCK_FILE
from exo_sidecar.model.policy import PolicyTampered as PolicyTamperedError
from exo_sidecar.model.ticket import Ticket, TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.store import journal, lagging, layout, settings, yamltext
from exo_sidecar.store.folders import Folders
from exo_sidecar.store.governed import Governed

Absorb = Callable[[View, TicketRecord | None, Ticket], Outcome]
"""Judges an edited ticket file against the record before it: the rule of the tickets, passed in by operations."""

EDIT_LEFT: Final = "EDIT_LEFT"
"""Code of the finding that names an edit which only a newer program can take in."""
_TICKET_BYTES_MAX: Final = 256 * 1024
_EDIT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Far above what is taken in, so that whoever wrote too much is told."""
_LOOKS_MAX: Final = 20
_LEFT: Final = "; left as it is"
_ODD: Final = {"folder": stat.S_ISDIR, "pipe": stat.S_ISFIFO, "socket": stat.S_ISSOCK}
_TARGET_SHOWN: Final = 100
_CONFLICT: Final = re.compile(rb"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE)
"""What git writes into a file whose two versions it could not unite; a line of `=` alone may be a heading."""


class Edit(NamedTuple):
    """A file of the mount that is not as the branch has it."""

    path: str
    data: bytes
    oid: Oid
    before: bytes | None = None
    """What the file held that was edited, where the ledger had gone on without it."""
    odd: str | None = None
    """What stands there where a plain file belongs; `data` says so, too, and nothing of it is taken in."""


class Unreadable(NamedTuple):
    """Why a file cannot be taken in, and where."""

    message: str
    line: int | None


class Absorbed(NamedTuple):
    """What becomes of hand edits: events to write, files written over or kept aside, and what to tell."""

    drafts: tuple[Draft, ...]
    overwritten: dict[str, Oid]
    aside: tuple[Edit, ...]
    findings: tuple[Finding, ...]


NOTHING: Final = Absorbed((), {}, (), ())


def differing(governed: Governed, root: Oid | None, paths: Iterable[str]) -> list[Edit]:
    """Return which of `paths` differ in the mount from the tree; a file that was deleted there is no edit."""
    found = []
    folders = Folders(governed.repository.objects, root)
    for path in sorted(set(paths)):
        odd = None
        try:
            data = files.read_beneath(governed.mount, path, limit_bytes=_EDIT_BYTES_MAX)
        except (files.NotRegularError, files.TooLargeError):
            # Whoever reads the mount without us would follow a link.
            odd, data = _odd(governed.mount / path)
        if data is None:
            continue
        entry = folders.entry(path)
        oid = object_id("blob", data)
        if odd is not None or entry is None or entry.oid != oid:
            found.append(Edit(path, data, oid, odd=odd))
    return found


def standing(governed: Governed, paths: Iterable[str]) -> list[Edit]:
    """Return which of `paths` were edited, asked without the clone's lock.

    What a transaction under way is writing, or one that was killed has left to be written, is nobody's edit.
    """
    wanted = tuple(paths)
    found: list[Edit] = []
    for _ in range(_LOOKS_MAX):
        tip, pending = governed.tip(), _pending(governed.folder)
        written = pending.files if pending else {}
        differ = differing(governed, governed.tree_of(tip), wanted)
        found = [each for each in differ if each.oid not in written.get(each.path, ())]
        if not found or (governed.tip() == tip and _pending(governed.folder) == pending):
            break
    return found


def _pending(folder: Path) -> journal.Pending | None:
    try:
        return journal.read(folder)
    except journal.JournalDamaged:
        return None  # whoever writes is told; here it excuses nothing


def _odd(place: Path) -> tuple[str | None, bytes | None]:
    """Return what is there where no plain file is that can be read, for people and in bytes; None: nothing, by now."""
    try:
        mode = place.lstat().st_mode
        target = os.fsencode(place.readlink()) if stat.S_ISLNK(mode) else None
    except OSError:
        return None, None
    if target is not None:
        shown = quoting.one_line(target.decode(errors="backslashreplace"), _TARGET_SHOWN)
        return f"link to {shown}", b"link to " + target
    large = f"file of more than {_EDIT_BYTES_MAX} bytes, or one that cannot be opened"
    odd = large if stat.S_ISREG(mode) else next((name for name, fits in _ODD.items() if fits(mode)), "device")
    return odd, odd.encode()


def absorb(view: View, edits: Iterable[Edit], judge: Absorb, *, committed: Container[str] = ()) -> Absorbed:
    """Decide what becomes of each edit; writes nothing.

    Of the files `committed` by hand none can be left alone: the branch has to hold what the ledger says.
    """
    total = NOTHING
    for edit in edits:
        ticket_id = layout.parse_ticket(edit.path)
        if edit.path in FILES and view.policy() is not None:
            one = tampered(view, edit, kept_aside=edit.path in committed)
        elif edit.odd is not None:
            one = _oddity(edit)
        elif edit.path in DOCUMENTS:
            one = absorb_document(view, edit)
        elif ticket_id is not None:
            one = _ticket(view, edit, ticket_id, judge)
        else:
            one = _aside(edit, "COMPUTED_EDITED", f"{edit.path} is computed from the ledger; the edit is kept aside")
        if edit.path in committed and edit.odd is None:
            one = _none_left_alone(edit, one)
        total = Absorbed(
            total.drafts + one.drafts,
            total.overwritten | one.overwritten,
            total.aside + one.aside,
            total.findings + one.findings,
        )
    return total


def leave(edits: Iterable[Edit], *, committed: Container[str] = ()) -> Absorbed:
    """Decide what becomes of each edit while a newer program computes the files: none is taken in or written over.

    But where the branch itself holds it, or it is one of the ledger: there it is kept aside.
    """
    total = NOTHING
    for edit in edits:
        if edit.odd is not None:
            total = total._replace(findings=total.findings + _oddity(edit).findings)
            continue
        is_ledger = layout.parse_segment(edit.path) is not None
        if is_ledger or edit.path in committed:
            why = "is computed from the ledger" if is_ledger else "is left to a newer exo"
            code = "COMPUTED_EDITED" if is_ledger else EDIT_LEFT
            one = _aside(edit, code, f"{edit.path} {why}; the edit is kept aside")
        else:
            one = Absorbed((), {}, (), (_left(edit),))
        total = Absorbed((), {}, total.aside + one.aside, total.findings + one.findings)
    return total


def fault_of(edit: Edit) -> Unreadable | None:
    """Return why an edited file could not be taken in, None when it could be read."""
    if edit.odd is not None:
        return Unreadable(f"a {edit.odd} is there, where a plain file belongs", None)
    ticket_id = layout.parse_ticket(edit.path)
    if ticket_id is not None:
        found = _unfit(edit.data) or parse_ticket(edit.data, ticket_id)
        return found if isinstance(found, Unreadable) else None
    return _document_fault(edit) if edit.path in DOCUMENTS else None


def absorb_document(view: View, edit: Edit) -> Absorbed:
    """Decide what becomes of an edited document; writes nothing."""
    why = _document_fault(edit)
    if why is not None:
        return Absorbed((), {}, (), (unreadable(edit, why),))
    before = view.document(edit.path)
    text = edit.data.decode()
    if edit.before is not None and before is not None:
        text = lagging.document(text, edit.before.decode(errors="replace"), before)
    draft = Draft(
        subject=edit.path,
        data=DocumentEdited(base=before.digest if before else NO_DIGEST, text=text, absorbed=True),
    )
    return Absorbed((draft,), {edit.path: edit.oid}, (), (_taken(edit),))


def tampered(view: View, edit: Edit, *, kept_aside: bool) -> Absorbed:
    """Name a lock or seal that somebody has edited, once in the ledger for each content; it is not written over.

    What stands in the way of everybody, on the branch itself, is kept aside.
    """
    found = sha256_hex(edit.data)
    record = view.policy()
    written = record.file(edit.path) if record is not None else None
    stands = f"has a {edit.odd} in its place" if edit.odd is not None else "was edited by hand"
    reason = f"{edit.path} {stands}: it is computed, and nobody writes it but exo"
    draft = Draft(
        subject=SUBJECT,
        data=PolicyTampered(
            file="governance.lock.json" if edit.path == LOCK_FILE else "policy.sealed.json",
            found=found,
            expected=sha256_hex(written.data) if written is not None else None,
            reason=reason,
        ),
    )
    is_told = record is not None and any((each.file, each.found) == (edit.path, found) for each in record.tampered)
    finding = Finding(
        code=PolicyTamperedError.code,
        severity="error",
        subject=edit.path,
        message=reason,
        hint=PolicyTamperedError.advice,
        file=edit.path,
    )
    return Absorbed(() if is_told else (draft,), {}, (edit,) if kept_aside else (), (finding,))


def keep_aside(governed: Governed, edit: Edit) -> str:
    """Copy the edited file to `cache/rejected/`, or move there what is no plain file; return where it is."""
    if edit.odd is not None:
        relative = f"{layout.REJECTED}/{edit.path.replace('/', '__')}.{os.urandom(4).hex()}"
        (governed.mount / relative).parent.mkdir(parents=True, exist_ok=True)
        (governed.mount / edit.path).rename(governed.mount / relative)
        return relative
    relative = f"{layout.REJECTED}/{edit.path.replace('/', '__')}.{edit.oid[:8]}"
    files.write_beneath(governed.mount, relative, edit.data)
    return relative


def parse_ticket(data: bytes, ticket_id: str) -> Ticket | Unreadable:
    """Return the ticket in a file that people may have edited, or why it is none."""
    try:
        value = yamltext.load(data.decode())
        if not isinstance(value, dict):
            return Unreadable("it holds no mapping of fields", 1)
        ticket = msgspec.convert(value, Ticket)
    except UnicodeDecodeError as error:
        return Unreadable("it is not UTF-8 text", data[: error.start].count(b"\n") + 1)
    except yamltext.YamlError as error:
        return Unreadable(str(error), error.line)
    except msgspec.ValidationError as error:
        return Unreadable(str(error), _line_of(data, str(error)))
    if ticket.id != ticket_id:
        return Unreadable(f"it says it is {ticket.id}", _line_of(data, "`$.id`"))
    return ticket


def mending(edit: Edit) -> str:
    """Return what mends a file that cannot be taken in."""
    if edit.odd is not None:
        return f"exo sidecar-repair --render keeps it in .exo/{layout.REJECTED}/, and writes the file anew"
    return f"mend .exo/{edit.path}, or drop the edit with: git -C .exo checkout -- {edit.path}"


def unreadable(edit: Edit, why: Unreadable) -> Finding:
    """Return the finding that names a file which cannot be taken in."""
    path = edit.path
    return Finding(
        code="FILE_UNREADABLE",
        severity="error",
        subject=path,
        message=f"{path}{f' line {why.line}' if why.line else ''}: {why.message}{_LEFT}",
        hint=mending(edit),
        file=path,
        line=why.line,
    )


def _ticket(view: View, edit: Edit, ticket_id: str, judge: Absorb) -> Absorbed:
    ticket = (
        Unreadable("it is too large", None)
        if len(edit.data) > _TICKET_BYTES_MAX
        else _unfit(edit.data) or parse_ticket(edit.data, ticket_id)
    )
    if isinstance(ticket, Unreadable):
        return Absorbed((), {}, (), (unreadable(edit, ticket),))
    record = view.ticket(ticket.id)
    outcome = judge(view, record, _up_to_date(edit, ticket, record))
    if outcome.refusal is not None:
        refused = _aside(edit, "EDIT_REJECTED", f"the edit of {edit.path} is refused: {outcome.refusal.message}")
        return refused._replace(drafts=outcome.events)
    return Absorbed(outcome.events, {edit.path: edit.oid}, (), (*outcome.findings, _taken(edit)))


def _up_to_date(edit: Edit, ticket: Ticket, record: TicketRecord | None) -> Ticket:
    """Return the edited ticket, with what the ledger says by now where the edit of a lagging file changed nothing."""
    before = parse_ticket(edit.before, ticket.id) if edit.before is not None else None
    if not isinstance(before, Ticket) or record is None:
        return ticket
    return lagging.ticket(ticket, before, record.ticket)


def _oddity(edit: Edit) -> Absorbed:
    why = fault_of(edit)
    return Absorbed((), {}, (), (unreadable(edit, why),)) if why is not None else NOTHING


def _document_fault(edit: Edit) -> Unreadable | None:
    if len(edit.data) > TEXT_MAX_BYTES:
        return Unreadable(f"it is longer than {TEXT_MAX_BYTES} bytes", None)
    if (unfit := _unfit(edit.data)) is not None:
        return unfit
    try:
        text = edit.data.decode()
        if edit.path.endswith(".yaml"):
            yamltext.load(text)
    except UnicodeDecodeError as error:
        return Unreadable("it is not UTF-8 text", edit.data[: error.start].count(b"\n") + 1)
    except yamltext.YamlError as error:
        return Unreadable(str(error), error.line)
    errors = settings.read(text).errors if edit.path == "config.yaml" else ()
    return Unreadable(settings.told(errors).partition(": ")[2], errors[0].line) if errors else None


def _unfit(data: bytes) -> Unreadable | None:
    """Return why a text must not enter the ledger whatever it means: git's conflict markers, or a secret."""
    marker = _CONFLICT.search(data)
    if marker is not None:
        return Unreadable("it holds git's conflict markers", data.count(b"\n", 0, marker.start()) + 1)
    secret = secret_shapes.find(data)
    if secret is not None:
        return Unreadable(f"it holds what looks like {secret.shape}", data.count(b"\n", 0, secret.start) + 1)
    return None


def _aside(edit: Edit, code: str, message: str) -> Absorbed:
    finding = Finding(
        code=code,
        subject=edit.path,
        message=message,
        hint=f"what was written is in .exo/{layout.REJECTED}/",
        file=edit.path,
    )
    return Absorbed((), {}, (edit,), (finding,))


def _left(edit: Edit) -> Finding:
    return Finding(
        code=EDIT_LEFT,
        subject=edit.path,
        message=f"{edit.path} was edited by hand; this exo is older than the branch and leaves it as it is",
        hint="a newer exo takes it in: update exo",
        file=edit.path,
    )


def _none_left_alone(edit: Edit, absorbed: Absorbed) -> Absorbed:
    """Keep an edit aside that would have been left in its place for being unreadable."""
    if absorbed.drafts or absorbed.overwritten or absorbed.aside:
        return absorbed
    why = absorbed.findings[0].message.removesuffix(_LEFT)
    return _aside(edit, absorbed.findings[0].code, f"{why}; it is kept aside")


def _taken(edit: Edit) -> Finding:
    return Finding(
        code="EDIT_ABSORBED", severity="info", subject=edit.path, message=f"the edit of {edit.path} was taken in"
    )


def _line_of(data: bytes, message: str) -> int | None:
    """Return the line of the top-level key that a validation message names."""
    _, found, path = message.partition("`$.")
    key = path.partition("`")[0].split(".")[0].split("[")[0]
    for number, line in enumerate(data.decode().splitlines(), 1):
        if found and line.startswith(f"{key}:"):
            return number
    return None
