"""Learnings: what is recorded of what somebody found out, and by what it is found out (docs/guides/learnings.md). Pure.

A learning needs no lease: it says something about the work, and changes none of it.
"""

import unicodedata
from typing import Final

from msgspec.structs import replace

from exo_sidecar.domain import wording
from exo_sidecar.model.errors import Refused, Usage, ValueInvalid
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_memory import ReflectionDismissed, ReflectionRecorded
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.reflection import (
    GLOBAL,
    INSIGHT_MAX,
    PATTERN_MAX,
    TAG_MAX,
    TAGS_MAX,
    ReflectionFilter,
    ReflectionRecord,
    reflection_id,
)
from exo_sidecar.model.session import Finish
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.model.view import View

_UNTRIED: Final = "nothing was tried, as far as was told"


class ReflectionInvalid(Usage):
    """A learning's pattern, insight or tags are missing, too long, or hold control characters."""

    code = "REFLECTION_INVALID"
    advice = 'exo reflect --pattern "when this happens" --insight "know that" records a learning'


class AlreadyDismissed(Refused):
    """The learning was dismissed before, and not recorded since."""

    code = "ALREADY_DISMISSED"
    advice = "exo reflections --status dismissed shows by whom and why; recorded again it is active again"


def worded(said: ReflectionRecorded) -> ReflectionRecorded:
    """Return what was said with its words checked; ReflectionInvalid."""
    if len(said.tags) > TAGS_MAX:
        message = f"tag: {len(said.tags)} are given; at most {TAGS_MAX} are kept"
        raise ReflectionInvalid(message, parameter="tag")
    try:
        pattern = wording.line("pattern", _on_one_line(said.pattern), longest=PATTERN_MAX)
        insight = wording.passage("insight", said.insight, needed=True, longest=INSIGHT_MAX)
        tags = {wording.line("tag", tag, longest=TAG_MAX) for tag in said.tags}
    except ValueInvalid as error:  # what is wrong with a word is wrong with the learning
        raise ReflectionInvalid(error.message, hint=error.hint, **error.details) from error
    return replace(said, pattern=pattern, insight=insight, tags=tuple(sorted(tags)))


def recorded(said: ReflectionRecorded, session: SessionId | None) -> Outcome:
    """Return the event that records a learning; of one that is there already it is one more."""
    draft = Draft(subject=reflection_id(said.scope, said.pattern), data=said, session=session)
    return Outcome(events=(draft,))


def dismiss(record: ReflectionRecord, reason: str | None) -> Outcome:
    """Return the event by which a learning is dismissed."""
    if not record.is_active:
        message = f"{record.id} was dismissed by {record.dismissed_by}"
        return refused(AlreadyDismissed(message, reflection=record.id))
    return Outcome(events=(Draft(subject=record.id, data=ReflectionDismissed(reason=reason)),))


def blocked(record: TicketRecord, reason: str, tried: str | None, session: SessionId | None) -> Outcome:
    """Return the event by which it is remembered what a ticket is blocked by, and what was tried."""
    said = ReflectionRecorded(
        pattern=_cut(_on_one_line(reason), PATTERN_MAX),
        insight=_cut(tried or _UNTRIED, INSIGHT_MAX),
        severity="medium",
        scope=record.id,
        kind="blocked_path",
    )
    return recorded(said, session)


def lesson(record: TicketRecord, finish: Finish, session: SessionId) -> Outcome:
    """Return the event by which the lesson of a session is remembered; none when it told none."""
    if not finish.lesson:
        return Outcome()
    of = f" ({session})"  # of two lessons of one ticket both stand
    pattern = _cut(_on_one_line(record.ticket.title), PATTERN_MAX - len(of)) + of
    insight = _cut(finish.lesson, INSIGHT_MAX)
    said = ReflectionRecorded(pattern=pattern, insight=insight, severity="low", scope=GLOBAL, kind="lesson")
    return recorded(said, session)


def told(view: View, scopes: tuple[str, ...], limit: int) -> tuple[ReflectionRecord, ...]:
    """Return the learnings of several scopes that are worth telling, the gravest first, then the most frequent."""
    found = [each for scope in scopes for each in view.reflections(ReflectionFilter(scope=scope), limit=limit)]
    return tuple(sorted(found, key=ReflectionRecord.order)[:limit])


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, limit: int) -> str:
    clean = unicodedata.normalize("NFC", text)
    return clean if len(clean) <= limit else f"{clean[: limit - 1].rstrip()}…"
