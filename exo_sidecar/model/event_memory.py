"""Events of learnings: recorded, once or again, and dismissed. The learning's id is the subject."""

from exo_sidecar.model.event_parts import EventData, Text
from exo_sidecar.model.reflection import GLOBAL, Insight, Kind, Pattern, Scope, Severity, Tags


class ReflectionRecorded(EventData, frozen=True):
    """Somebody found something out; the id of the subject follows from scope and pattern."""

    pattern: Pattern
    insight: Insight
    severity: Severity = "medium"
    scope: Scope = GLOBAL
    kind: Kind = "learning"
    tags: Tags = ()


class ReflectionDismissed(EventData, frozen=True):
    """Somebody says that a learning holds no longer, or never did; recorded again it is active again."""

    reason: Text | None = None
