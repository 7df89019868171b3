"""Mementos: what a session leaves to read, `sessions/<xx>/<SES>.md` (docs/guides/sessions.md). Pure.

Rendered from the session's record alone, so that every clone has the same bytes. Sections without content are left out.
What people wrote is quoted as text: it cannot add a section.
"""

from collections.abc import Iterator, Sequence

from exo_sidecar.base import quoting
from exo_sidecar.model.check_run import CheckResult
from exo_sidecar.model.drift import WHOLE, Drift
from exo_sidecar.model.session import Finish, Inherited, SessionRecord
from exo_sidecar.store import interruptions

_LINE_MAX = 1000


def render(record: SessionRecord) -> str:
    """Return the memento of a session as Markdown; one that has not finished yet has metadata only."""
    parts = [f"# {record.id}: {record.ticket}"]
    parts += [f"## {title}\n\n{body}" for title, body in _sections(record) if body]
    return "\n\n".join(parts) + "\n"


def _sections(record: SessionRecord) -> Iterator[tuple[str, str]]:
    yield "Metadata", _metadata(record)
    yield "Interruptions", interruptions.listed(record)
    if record.finish is not None:
        yield from _finished(record.finish)


def _finished(finish: Finish) -> Iterator[tuple[str, str]]:
    yield "Summary", quoting.markdown(finish.summary)
    yield "Commits", _items(finish.commits) or _untold(finish.commits_error)
    yield "Inherited commits", _inherited(finish.inherited)
    yield "Changes not committed", _items(finish.uncommitted)
    yield "Drift", _drift(finish.drift)
    yield "Checks", _items([_check(each) for each in finish.checks]) or _untold(finish.checks_error)
    yield "Requirements", _items(finish.requirements.told if finish.requirements is not None else ())
    yield "Artifacts", _items(finish.artifacts)
    yield "Blockers", _items(finish.blockers)
    yield "Next step", quoting.markdown(finish.next_step or "")
    yield "Lesson", quoting.markdown(finish.lesson or "")
    yield "Errors met", _items(finish.errors)
    yield "Warnings", _items(finish.warnings)
    if finish.break_glass is not None:
        yield "Break-glass", _items([f"{finish.break_glass_by or 'somebody'}: {finish.break_glass}"])


def _metadata(record: SessionRecord) -> str:
    finish = record.finish
    facts: tuple[tuple[str, object], ...] = (
        ("session", record.id),
        ("ticket", record.ticket),
        ("actor", record.actor),
        ("role", record.role),
        ("vendor", record.vendor),
        ("model", record.model),
        ("mode", record.mode if record.is_audit else None),
        ("status", f"{record.status} (evicted)" if record.evicted else record.status),
        ("evicted", record.evicted),
        ("last sign of life", record.last_heartbeat),
        ("started", record.started_at),
        ("finished", record.finished_at),
        ("branch", record.branch),
        ("base", record.base),
        ("head", finish.head if finish else None),
        ("epoch", record.epoch),
        ("handoff", record.handoff),
        ("verify", finish.verify if finish else None),
        ("ticket status", finish.ticket_status if finish else None),
    )
    return _items([f"{name}: {value}" for name, value in facts if value is not None])


def _check(result: CheckResult) -> str:
    counted = "" if result.items is None else f", {result.items} items"
    ended = "" if result.exit_status in {None, 0} else f", exit status {result.exit_status}"
    return f"{result.id}: {result.verdict}{counted}{ended}, {result.milliseconds / 1000:.1f} s"


def _inherited(found: Inherited | None) -> str:
    if found is None:
        return ""
    lines = [
        f"{found.commits} commits that change {found.files} files, {found.out_of_scope_count} outside of the fence"
    ]
    return _items([*lines, *(f"outside: {path}" for path in found.out_of_scope)])


def _drift(drift: Drift | None) -> str:
    """Return how far it went from its fence, nothing where nothing changed."""
    if drift is None or (drift.error is None and not drift.files):
        return ""
    if drift.score is None:
        return _untold(drift.error)
    lines = [
        f"score: {_thousandths(drift.score)}",
        f"in scope: {_thousandths(drift.scope_compliance or 0)}",
        f"files: {drift.files} of {drift.files_max}, lines: {drift.lines} of {drift.lines_max}",
        *(f"out of scope: {path}" for path in drift.out_of_scope),
        *(f"boundary: {path}" for path in drift.boundary_hits),
    ]
    return _items(lines)


def _thousandths(number: int) -> str:
    return f"{number // WHOLE}.{number % WHOLE:03}"


def _untold(why: str | None) -> str:
    return _items([f"not told: {why}"]) if why else ""


def _items(items: Sequence[str]) -> str:
    return "\n".join(f"- {_item(item)}" for item in items)


def _item(text: str) -> str:
    return quoting.markdown(quoting.one_line(text, _LINE_MAX))
