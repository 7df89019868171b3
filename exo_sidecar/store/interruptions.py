"""Interruptions of a session as its memento lists them, the oldest first. Pure."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.base import quoting
from exo_sidecar.model.session import SessionRecord, Suspension

_LINE_MAX: Final = 1000
_PATHS_MAX: Final = 20
_ID_SHOWN: Final = 12


def listed(record: SessionRecord) -> str:
    """Return the interruptions as Markdown, empty when there was none."""
    return "\n".join(line for each in record.suspensions for line in _lines(each))


def _lines(each: Suspension) -> Iterator[str]:
    until = f"to {each.resumed_at}" if each.resumed_at else "and not resumed yet"
    yield f"- from {each.at} {until}: {_text(each.reason)}"
    where = f"on {_text(each.branch or 'no branch')} at {(each.head or 'no commit')[:_ID_SHOWN]}"
    lease = "lease kept" if each.keeps_lease else "lease given back"
    yield f"  - {where}, ticket was {each.previous_status}, {lease}"
    if each.saved:
        yield f"  - work put aside in the clone where it was suspended: {each.saved}"
    for path in each.uncommitted[:_PATHS_MAX]:
        yield f"  - not committed: {_text(path)}"
    if len(each.uncommitted) > _PATHS_MAX:
        yield f"  - not committed: {len(each.uncommitted) - _PATHS_MAX} more"


def _text(text: str) -> str:
    return quoting.markdown(quoting.one_line(text, _LINE_MAX))
