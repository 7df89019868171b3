"""Rendering: records that changed into the files of the branch that show them."""

from exo_sidecar.git import tree
from exo_sidecar.git.objects import Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.event_policy import FILES
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.reflection import ReflectionFilter
from exo_sidecar.store import layout, learnings, memento, reflections, rendered
from exo_sidecar.store.folders import Folders
from exo_sidecar.store.index import Index
from exo_sidecar.store.refold import Changed
from exo_sidecar.store.view import IndexView

Files = dict[str, bytes | None]
"""Content by path; None for a file that must not be there."""


def files_of(index: Index, changed: Changed) -> Files:
    """Return the content of every file that shows a changed record."""
    view = IndexView(index)
    files: Files = {}
    for ticket_id in changed.tickets:
        record = view.ticket(ticket_id)
        files[layout.ticket_path(ticket_id)] = rendered.ticket_file(record) if record else None
    for session_id in changed.sessions:
        files[layout.memento_path(session_id)] = _memento(view, session_id)
    for name in changed.documents:
        if layout.is_document(name):
            document = view.document(name)
            files[name] = document.text.encode() if document else None
    if changed.policy:
        policy = view.policy()
        for name in FILES:
            written = policy.file(name) if policy else None
            files[name] = written.data if written else None
    if changed.learnings:
        files[layout.LEARNINGS] = _learnings(index)
    if changed.format:
        files |= {**layout.PRESCRIBED, layout.FORMAT: layout.format_text(view.authority())}
    return files


def everything(index: Index) -> Files:
    """Return every computed file of the branch, the prescribed ones included; the ledger is not computed."""
    db = index.db
    every = Changed(
        tickets={TicketId(row[0]) for row in db.execute("SELECT id FROM tickets")},
        sessions={SessionId(row[0]) for row in db.execute("SELECT id FROM sessions WHERE has_memento")},
        documents={row[0] for row in db.execute("SELECT name FROM documents")},
        format=True,
        policy=index.db.execute("SELECT 1 FROM settings WHERE name = 'policy'").fetchone() is not None,
        learnings=True,
    )
    return files_of(index, every)


def differing(objects: Objects, root: Oid | None, files: Files) -> Files:
    """Return those of `files` that the tree does not hold just so."""
    found: Files = {}
    folders = Folders(objects, root)
    for path, data in files.items():
        entry = folders.entry(path)
        wanted = None if data is None else object_id("blob", data)
        has = None if entry is None else entry.oid
        if has != wanted or (entry is not None and entry.mode != tree.FILE_MODE):
            found[path] = data
    return found


def _learnings(index: Index) -> bytes | None:
    shown = reflections.listed(index.db, ReflectionFilter(), limit=learnings.LINES_MAX)
    return learnings.render(shown, reflections.active_count(index.db)).encode() if shown else None


def _memento(view: IndexView, session_id: SessionId) -> bytes | None:
    record = view.session(session_id)
    if record is None or not record.has_memento:
        return None
    return memento.render(record).encode()
