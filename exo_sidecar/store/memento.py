"""Mementos: what a session leaves to read, `sessions/<xx>/<SES>.md` (docs/guides/sessions.md). Pure.

Rendered from the session's record alone, so that every clone has the same bytes. Sections without content are left out.
What people wrote is quoted as text: it cannot add a section.
"""

from collections.abc import Iterator, Sequence

from exo_sidecar.base import quoting
from exo_sidecar.model.session import Finish, SessionRecord

_LINE_MAX = 1000


def render(record: SessionRecord) -> str:
    """Return the memento of a session as Markdown; one that has not finished yet has metadata only."""
    parts = [f"# {record.id}: {record.ticket}"]
    parts += [f"## {title}\n\n{body}" for title, body in _sections(record) if body]
    return "\n\n".join(parts) + "\n"


def _sections(record: SessionRecord) -> Iterator[tuple[str, str]]:
    yield "Metadata", _metadata(record)
    if record.finish is not None:
        yield from _finished(record.finish)


def _finished(finish: Finish) -> Iterator[tuple[str, str]]:
    yield "Summary", quoting.markdown(finish.summary)
    yield "Commits", _items(finish.commits)
    yield "Changes not committed", _items(finish.uncommitted)
    yield "Artifacts", _items(finish.artifacts)
    yield "Blockers", _items(finish.blockers)
    yield "Next step", quoting.markdown(finish.next_step or "")
    yield "Lesson", quoting.markdown(finish.lesson or "")
    yield "Errors met", _items(finish.errors)


def _metadata(record: SessionRecord) -> str:
    finish = record.finish
    facts: tuple[tuple[str, object], ...] = (
        ("session", record.id),
        ("ticket", record.ticket),
        ("actor", record.actor),
        ("role", record.role),
        ("vendor", record.vendor),
        ("model", record.model),
        ("status", record.status),
        ("started", record.started_at),
        ("finished", record.finished_at),
        ("branch", record.branch),
        ("base", record.base),
        ("head", finish.head if finish else None),
        ("epoch", record.epoch),
        ("ticket status", finish.ticket_status if finish else None),
    )
    return _items([f"{name}: {value}" for name, value in facts if value is not None])


def _items(items: Sequence[str]) -> str:
    return "\n".join(f"- {_item(item)}" for item in items)


def _item(text: str) -> str:
    return quoting.markdown(quoting.one_line(text, _LINE_MAX))
