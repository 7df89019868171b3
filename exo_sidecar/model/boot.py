"""The boot clock: time that no person and no time server sets, good for one boot of one machine (docs/leases.md)."""

from typing import NamedTuple


class BootClock(NamedTuple):
    """A reading: `seconds` since the boot named `boot_id`, sleep included. Readings of two boots do not compare."""

    boot_id: str
    seconds: float

    def since(self, earlier: "BootClock") -> float | None:
        """Return the seconds from `earlier` to this reading, None when it was taken under another boot."""
        return self.seconds - earlier.seconds if self.boot_id == earlier.boot_id else None
