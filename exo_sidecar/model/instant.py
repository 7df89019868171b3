"""Instants: RFC 3339 UTC text for people. Never compared by a rule (docs/format.md, field `at`)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NewType, TypeAlias

Instant = NewType("Instant", str)
Clock: TypeAlias = Callable[[], datetime]
"""Returns the current time with a zone: the system's clock in life, a fixed one in tests."""

_FORM: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def of(moment: datetime) -> Instant:
    """Return `moment` as `2026-01-31T09:30:00Z`."""
    return Instant(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def after(start: Instant, seconds: int) -> Instant:
    """Return the instant that many seconds later; the last one of the calendar when there is none."""
    try:
        moment = datetime.strptime(start, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        moment = datetime.max.replace(tzinfo=UTC)
    return of(moment)


def is_instant(text: str) -> bool:
    """Whether `text` has the form that `of` writes."""
    return _FORM.fullmatch(text) is not None


def seconds_between(start: str, end: str) -> int:
    """Return the seconds from one instant to another; negative when the clocks that wrote them say so."""
    return epoch_seconds(Instant(end)) - epoch_seconds(Instant(start))


def epoch_seconds(instant: Instant) -> int:
    """Return whole seconds since 1970; 0 for a date that the calendar does not have."""
    try:
        return max(0, int(datetime.strptime(instant, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()))
    except ValueError:
        return 0
