"""What one worker is told when it is started; it travels as JSON on the command line."""

from typing import Final, Literal, TypeAlias

import msgspec

from exo_sidecar.model.lease import TTL_SECONDS_MIN

Variant: TypeAlias = Literal["", "no-fencing", "wall-clock", "delete-on-release"]
"""Ways to do it wrong; the checker must find each. The empty one is the product."""
TTL_SECONDS: Final = TTL_SECONDS_MIN
SPEED: Final = 45.0
"""Virtual seconds in a second: a ttl of a minute is over after 1.3 s, and taken over after 2."""
HOLD_SECONDS: Final = TTL_SECONDS / SPEED
AUTHORITY: Final = "5a" * 16


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One process of one clone."""

    worker: str
    clone: str
    run: str
    """The folder of the run: histories, ledger, the file that says stop."""
    seed: str
    tickets: tuple[str, ...]
    timeout_seconds: float = 2.0
    wall_offset_seconds: float = 0.0
    rate: float = 1.0
    boot: int = 0
    boot_started: float = 0.0
    """Reading of the machine's clock at which the virtual machine was started."""
    variant: Variant = ""
    faults: bool = True
    copy: Literal["", "noticed", "unnoticed"] = ""
    """Whether the clone is a copy of another that lives, and whether it knows."""
    moves_max: int = 1_000_000
