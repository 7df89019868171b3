"""Words of bootstraps: what others wrote, as data; who wrote it, and how long ago they say it was. Pure."""

from typing import Final

from exo_sidecar.base import quoting
from exo_sidecar.base.quoting import name
from exo_sidecar.model import duration, instant
from exo_sidecar.model.instant import Instant

ITEMS_MAX: Final = 20
QUOTE_MAX: Final = 400


def quoted(text: str, limit: int = QUOTE_MAX) -> str:
    """Return a text of others as a quotation, of usual length."""
    return quoting.quoted(text, limit)


def listed(names: tuple[str, ...], limit: int = 120) -> str:
    """Return names one after the other, and how many more there are."""
    shown = ", ".join(name(each, limit) for each in names[:ITEMS_MAX])
    more = len(names) - ITEMS_MAX
    return f"{shown}, {more} more" if more > 0 else shown


def by(actor: str, at: str, now: Instant | None) -> str:
    """Return who wrote something and how long ago they say it was."""
    if now is None or not instant.is_instant(at):
        return actor
    return f"{actor} {duration.show(instant.seconds_between(at, now))} ago"
