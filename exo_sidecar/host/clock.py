"""Clocks: the wall clock for people, the boot clock for leases (docs/leases.md)."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.errors import Environment

ON_LINUX: Final[bool] = sys.platform == "linux"
"""A plain truth value, so that both ways are checked wherever the checks run."""
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SYSCTL: Final = "/usr/sbin/sysctl"


class BootUnknown(Environment):
    """The system does not say which boot this is, so no lease can be watched."""

    code = "BOOT_UNKNOWN"


def system_clock() -> datetime:
    """Return the wall clock's time in UTC; shown to people, never compared by a rule."""
    return datetime.now(UTC)


def boot_clock() -> BootClock:
    """Return the boot clock: it goes on while the machine sleeps, and nobody sets it. BootUnknown."""
    if ON_LINUX:
        return BootClock(boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME))
    # macOS: CLOCK_MONOTONIC counts sleep there, unlike the clock behind time.monotonic.
    return BootClock(boot_id(), time.clock_gettime(time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Return a name of this boot of this machine, another one after each restart. BootUnknown."""
    if ON_LINUX:
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError as error:
            message = f"{_BOOT_ID} cannot be read: {error.strerror}"
            raise BootUnknown(message) from error
    return _darwin_boot_id()


def _darwin_boot_id() -> str:
    from exo_sidecar.host import process  # noqa: PLC0415  6 ms that Linux, where a file tells, does not pay

    # bootsessionuuid stays when the wall clock is set; boottime moves with it, but old systems have only that.
    for name in ("kern.bootsessionuuid", "kern.boottime"):
        found = process.run([_SYSCTL, "-n", name], cwd=Path("/"), environ=os.environ, timeout_seconds=5)
        if found.status == 0 and found.stdout.strip():
            return found.stdout.decode(errors="replace").strip()
    message = "sysctl names neither kern.bootsessionuuid nor kern.boottime"
    raise BootUnknown(message)
