"""Network writes under way, written down before they start, so that the next operation finishes what was killed.

One file per write in `<common>/exo/intents/`, named by the nonce. Invariant: a lease value of ours that reached a
server is either known to whoever sent it, or its intent is still here.
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from exo_sidecar.base.files import NotRegularError, TooLargeError, read_beneath, sync_folder, write_atomic
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import Integrity
from exo_sidecar.model.ids import Nonce, SessionId, TicketId

FILE_BYTES_MAX: Final = 4096
PENDING_MAX: Final = 1000
ARRIVAL_SECONDS: Final = 60.0
"""For so long after it was sent a write may still arrive though nobody waits for it; servers give up long before."""


class IntentDamaged(Integrity):
    """The note of a network write cannot be read, so its outcome cannot be looked up."""

    code = "INTENT_DAMAGED"
    advice = "exo leases shows what is held; remove the file once nothing of this clone is"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A network write that was about to happen."""

    operation: str
    """What a person asked for, like `session-start`."""
    session: SessionId
    ticket: TicketId
    nonce: Nonce
    commit: Oid
    """The lease value that is sent."""
    kind: Literal["claim", "heartbeat", "release", "take-over"]
    replaces: Oid | None = None
    """The value that it was to replace."""


class Intents:
    """The intents of one clone."""

    def __init__(self, common: Path) -> None:
        self._folder = common / "exo" / "intents"

    def begin(self, intent: Intent) -> None:
        """Write `intent` down, durably; to be done before anything is sent."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._folder / f"{intent.nonce}.json", msgspec.json.encode(intent))

    def end(self, nonce: Nonce) -> None:
        """Forget the intent of `nonce`: its outcome is known, and what follows from it has been done."""
        (self._folder / f"{nonce}.json").unlink(missing_ok=True)

    def pending(self) -> tuple[Intent, ...]:
        """Return what is under way or was killed, oldest first, PENDING_MAX at most; IntentDamaged."""
        if not self._folder.is_dir():
            return ()
        names = sorted(self._folder.glob("*.json"), key=_age)[:PENDING_MAX]
        found = (self._read(path.name) for path in names)
        return tuple(intent for intent in found if intent is not None)

    def overtake(self, ticket: TicketId, replaced: Oid | None, *, apart_from: Nonce) -> None:
        """Forget the writes that were to replace `replaced`: the one of `apart_from` has done so."""
        for intent in self.pending():
            if (intent.ticket, intent.replaces) == (ticket, replaced) and intent.nonce != apart_from:
                self.end(intent.nonce)

    def may_arrive(self, nonce: Nonce, now_seconds: float) -> bool:
        """Whether the write of `nonce` was sent a moment ago, by the wall clock `now_seconds`; nothing rests on it."""
        try:
            began = (self._folder / f"{nonce}.json").stat().st_mtime
        except FileNotFoundError:
            return False
        return abs(now_seconds - began) < ARRIVAL_SECONDS

    def forget_all(self) -> None:
        """Discard every intent: this folder turned out to be a copy, and they are the original's."""
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)
        if self._folder.is_dir():
            sync_folder(self._folder)

    def _read(self, name: str) -> Intent | None:
        try:
            data = read_beneath(self._folder, name, limit_bytes=FILE_BYTES_MAX)
            return None if data is None else msgspec.json.decode(data, type=Intent)
        except (msgspec.DecodeError, NotRegularError, TooLargeError) as error:
            message = f"{self._folder / name} cannot be read: {error}"
            raise IntentDamaged(message) from error


def _age(path: Path) -> tuple[int, str]:
    """Return a key that sorts by time of writing; one that is gone meanwhile sorts first and is passed over."""
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:
        return 0, path.name
