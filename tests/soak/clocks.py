"""Clocks of a machine that is not there: another rate, another day, another boot."""

import time
from datetime import UTC, datetime, timedelta

from exo_sidecar.model.boot import BootClock
from tests.soak.plan import SPEED, Plan

_START = datetime(2026, 1, 2, tzinfo=UTC)


class MachineClock:
    """The boot clock and the wall clock of the machine that a worker believes to be on."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __call__(self) -> BootClock:
        """Return the boot clock: virtual seconds at this machine's own rate."""
        passed = time.monotonic() - self._plan.boot_started
        return BootClock(f"{self._plan.worker}-boot-{self._plan.boot}", passed * SPEED * self._plan.rate)

    def wall(self) -> datetime:
        """Return the wall clock, which may be days off."""
        return _START + timedelta(seconds=time.monotonic() * SPEED + self._plan.wall_offset_seconds)

    def now(self) -> str:
        """Return the wall clock as a lease shows it to people."""
        return self.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
