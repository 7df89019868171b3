"""How long to wait before trying again: longer each time, and differently for each process, so that they part."""

import secrets
import time
from typing import Final

FIRST_MILLISECONDS: Final = 20
LONGEST_MILLISECONDS: Final = 1000


def pause(attempt: int) -> None:
    """Wait a random while, up to 20 ms after the first attempt (0), doubling to a second at most."""
    longest = min(LONGEST_MILLISECONDS, FIRST_MILLISECONDS << min(attempt, 10))
    time.sleep(secrets.randbelow(longest + 1) / 1000)
