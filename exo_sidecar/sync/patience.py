"""Patience: an exchange tried again for as long as somebody is willing to wait (`exo sync --wait`)."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from exo_sidecar.model.errors import ExoError, RemoteUnreachable, TimedOut
from exo_sidecar.sync.sync import PushUnknown, SyncBehind, SyncContended

WAIT_SECONDS_MAX: Final = 24 * 60 * 60
_PAUSE_SECONDS: Final = 0.25
_PAUSE_SECONDS_MAX: Final = 10.0
_PASSING: Final = (RemoteUnreachable, TimedOut, PushUnknown, SyncBehind, SyncContended)
"""What may be otherwise in a moment; everything else stays as it is until somebody does something."""

Done = TypeVar("Done")


def patiently(
    attempt: Callable[[], Done], seconds: float, *, waiting: Callable[[ExoError, float], None] = lambda *_: None
) -> Done:
    """Return what `attempt` does; while it fails for a passing reason it is made again, for `seconds` in all.

    `waiting` is told the error and the seconds that are left before each new attempt.

    Raises:
        What the last attempt raised.
    """
    deadline = time.monotonic() + seconds
    longest = _PAUSE_SECONDS
    while True:
        try:
            return attempt()
        except _PASSING as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            waiting(error, left)
        time.sleep(min(left, random.uniform(longest / 2, longest)))  # noqa: S311 - no secret
        longest = min(_PAUSE_SECONDS_MAX, longest * 2)
