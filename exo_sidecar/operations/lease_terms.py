"""Terms of a lease as people give them."""

from typing import Final

from exo_sidecar.leases import rules
from exo_sidecar.leases.rules import TtlOutOfRange
from exo_sidecar.model import duration
from exo_sidecar.model.config import LeaseSettings
from exo_sidecar.model.errors import Usage

_HOUR_SECONDS: Final = 3600


def ttl_seconds(settings: LeaseSettings, ttl: str | None, hours: int | None) -> int:
    """Return how long a lease is to live: as given, else as configured.

    Raises:
        TtlOutOfRange: more than the configuration allows, or outside of what the format allows.
        ValueInvalid: `ttl` is no duration.
        Usage: both are given.
    """
    if ttl is not None and hours is not None:
        message = "--ttl and --hours both say how long the lease is to live"
        raise Usage(message, hint="give one of them")
    text = settings.ttl if ttl is None else ttl
    seconds = duration.parse(text) if hours is None else hours * _HOUR_SECONDS
    longest = duration.parse(settings.max_ttl)
    if (refusal := rules.check_ttl(seconds)) is not None:
        raise refusal
    if seconds > longest:
        message = f"a ttl of {duration.show(seconds)} is longer than {duration.show(longest)}"
        raise TtlOutOfRange(message, hint="leases.max_ttl in config.yaml is the limit here", ttl_seconds=seconds)
    return seconds
