"""How long each lease value has been seen here unchanged, on this machine's boot clock.

Only a value that this machine itself has watched for long enough is stale; wall clocks, and the times written in a
lease, are never compared. Invariant: an observation that is lost, or made under another boot, only makes the wait
longer.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from exo_sidecar.base.alone import alone
from exo_sidecar.base.files import NotRegularError, TooLargeError, read_beneath, write_atomic
from exo_sidecar.git.oid import Oid
from exo_sidecar.leases.rules import stale_after_seconds
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import TicketId

FILE_BYTES_MAX: Final = 4 << 20
TICKETS_MAX: Final = 20_000
_NAME: Final = "observed.json"


class _First(msgspec.Struct, frozen=True, kw_only=True):
    value: Oid
    seconds: float
    held: Oid | None = None
    """The last value before this one whose object was here: what has been fetched need not be sent again."""


class _Observed(msgspec.Struct, frozen=True, kw_only=True):
    boot_id: str
    tickets: dict[TicketId, _First]


class Observations:
    """What one clone has seen, in `<common>/exo/leases/observed.json`."""

    def __init__(self, common: Path) -> None:
        self._folder = common / "exo" / "leases"

    def record(
        self,
        seen: Mapping[TicketId, Oid],
        clock: BootClock,
        *,
        complete: bool = False,
        is_here: Callable[[Oid], bool] = lambda _oid: False,
    ) -> None:
        """Note the values `seen` at `clock`, read after they were; with `complete`, tickets not in it are forgotten.

        A value known already keeps its first sight. When another process is writing, nothing is noted: the next
        advertisement will do. `is_here` says whether a value's object is in this clone.
        """
        if not self._news(self._read(clock), seen, complete=complete):
            return
        with alone(self._folder / "observed.lock") as is_alone:
            if not is_alone:
                return
            known, before = self._read(clock), self._tickets()
            kept = {} if complete else dict(known)
            for ticket, value in list(seen.items())[:TICKETS_MAX]:
                first, last = known.get(ticket), before.get(ticket)
                if first is None or first.value != value:
                    held = None if last is None else last.value if is_here(last.value) else last.held
                    first = _First(value=value, seconds=clock.seconds, held=held)
                kept[ticket] = first
            data = msgspec.json.encode(_Observed(boot_id=clock.boot_id, tickets=kept))
            write_atomic(self._folder / _NAME, data, durable=False)

    def held(self, tickets: Iterable[TicketId]) -> list[Oid]:
        """Return the newest values of `tickets` that were seen, and the last ones before whose objects were here."""
        known = self._tickets()
        found = [known[ticket] for ticket in tickets if ticket in known]
        return [oid for first in found for oid in (first.value, first.held) if oid is not None]

    def seen_for(self, ticket: TicketId, value: Oid, clock: BootClock) -> float:
        """Return for how many seconds `value` has been the ticket's as far as this machine saw; 0 when never seen."""
        first = self._read(clock).get(ticket)
        return max(0.0, clock.seconds - first.seconds) if first and first.value == value else 0.0

    def is_stale(self, ticket: TicketId, value: Oid, ttl_seconds: int, clock: BootClock) -> bool:
        """Whether the holder of `value` has been silent for so long that it may be taken over."""
        return self.seen_for(ticket, value, clock) > stale_after_seconds(ttl_seconds)

    def standing_still(self, clock: BootClock, at_least_seconds: float) -> dict[TicketId, Oid]:
        """Return the values that this machine has seen unchanged for longer than `at_least_seconds`."""
        seen = self._read(clock)
        return {ticket: one.value for ticket, one in seen.items() if clock.seconds - one.seconds > at_least_seconds}

    def _news(self, known: Mapping[TicketId, _First], seen: Mapping[TicketId, Oid], *, complete: bool) -> bool:
        if complete and known.keys() - seen.keys():
            return True
        return any(ticket not in known or known[ticket].value != value for ticket, value in seen.items())

    def _read(self, clock: BootClock) -> dict[TicketId, _First]:
        """Return what was seen under this boot."""
        observed = self._observed()
        return observed.tickets if observed and observed.boot_id == clock.boot_id else {}

    def _tickets(self) -> dict[TicketId, _First]:
        """Return what was seen last, under whatever boot."""
        observed = self._observed()
        return observed.tickets if observed else {}

    def _observed(self) -> _Observed | None:
        """Return the file; one that cannot be read is as good as none."""
        try:
            data = read_beneath(self._folder, _NAME, limit_bytes=FILE_BYTES_MAX) if self._folder.is_dir() else None
            return msgspec.json.decode(data, type=_Observed) if data else None
        except (msgspec.DecodeError, NotRegularError, TooLargeError):
            return None
