"""Random learnings: few patterns, so that clones come to the same ones; some dismissed, some under a wrong id."""

from typing import Final

from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_memory import ReflectionDismissed, ReflectionRecorded
from exo_sidecar.model.reflection import GLOBAL, SEVERITIES, reflection_id
from exo_sidecar.model.view import View
from tests.support.random_step import Step, ticket_of

PATTERNS: Final = ("the parser loops", "The  Parser loops", "no key")


def learn(step: Step, _: View) -> tuple[Draft, ...]:
    """Record a learning, here and perhaps in another clone at the same time; seldom under an id that is not its own."""
    said = ReflectionRecorded(
        pattern=PATTERNS[step.value % len(PATTERNS)],
        insight=f"insight {step.value}",
        severity=SEVERITIES[step.value % len(SEVERITIES)],
        scope=GLOBAL if step.which % 2 else ticket_of(step),
        tags=(f"tag {step.value % 4}",),
    )
    fits = reflection_id(said.scope, said.pattern)
    return (Draft(subject="REF-0" if step.value % 7 == 0 else fits, data=said),)


def unlearn(step: Step, _: View) -> tuple[Draft, ...]:
    """Dismiss a learning, which there may be or not."""
    scope = GLOBAL if step.which % 2 else ticket_of(step)
    data = ReflectionDismissed(reason=f"why {step.value}" if step.value % 2 else None)
    return (Draft(subject=reflection_id(scope, PATTERNS[step.value % len(PATTERNS)]), data=data),)
