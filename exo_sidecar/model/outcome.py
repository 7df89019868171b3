"""Outcome: the one value that a rule returns."""

import msgspec

from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import Draft
from exo_sidecar.model.finding import Finding


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Events to write, findings to tell, and a refusal when the rule says no. Outcomes add.

    Events of a refused outcome are committed too (`ticket.refused`); then the refusal reaches the door.
    """

    events: tuple[Draft, ...] = ()
    findings: tuple[Finding, ...] = ()
    refusal: ExoError | None = None

    def __add__(self, other: "Outcome") -> "Outcome":
        """Return both together; the first refusal stands."""
        return Outcome(
            events=self.events + other.events,
            findings=self.findings + other.findings,
            refusal=self.refusal or other.refusal,
        )


def refused(error: ExoError, *events: Draft) -> Outcome:
    """Return the outcome of a rule that says no."""
    return Outcome(events=events, refusal=error)
