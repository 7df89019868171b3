"""Heartbeats: one small note per session on when it last gave a sign of life, and what became of its last heartbeat.

`<common>/exo/heartbeats/<SES>.json`, written only by who holds the lock beside it, so that no field is lost: the calls
of a session and the heartbeat that runs in the background meet here, never in the session's own file. A note that
cannot be read counts as absent; what it held is learnt again within a minute.
"""

import contextlib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from exo_sidecar.base import files
from exo_sidecar.base.alone import alone
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import SessionId

FOLDER: Final = "exo/heartbeats"
FILE_MAX_BYTES: Final = 16 * 1024
TEXT_MAX: Final = 1000
"""Characters kept of what a refusal said."""

Outcome = Literal["none", "started", "kept", "lost", "failed"]
"""`lost`: the authority names another holder. `failed`: nobody knows, the authority did not answer."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session's signs of life."""

    boot_id: Annotated[str, Meta(max_length=100)]
    alive: float
    """Boot clock of the last sign of life that was noted; at most one a minute is."""
    tried: float | None = None
    """Boot clock of the last heartbeat that was started; None: none under this boot."""
    outcome: Outcome = "none"
    code: Annotated[str, Meta(max_length=100)] = ""
    message: Annotated[str, Meta(max_length=TEXT_MAX)] = ""
    epoch: int | None = None
    held_from: float | None = None
    """The lease that the outcome speaks of, as the session's facts had it: another one is another story."""

    def alive_age(self, now: BootClock) -> float | None:
        """Return seconds since the sign of life, None when that was before a restart of the machine."""
        return now.since(BootClock(self.boot_id, self.alive))

    def tried_age(self, now: BootClock) -> float | None:
        """Return seconds since a heartbeat was last started, None when none was under this boot."""
        return None if self.tried is None else now.since(BootClock(self.boot_id, self.tried))


def read(common: Path, session: SessionId) -> Note | None:
    """Return the note of a session, None when there is none that can be read."""
    try:
        data = files.read_beneath(common, _note(session), limit_bytes=FILE_MAX_BYTES)
        return None if data is None else msgspec.json.decode(data, type=Note)
    except (OSError, msgspec.DecodeError):
        return None


def write(common: Path, session: SessionId, note: Note) -> None:
    """Replace the note of a session; the caller holds `only`. A power cut may lose it: it speaks of this boot."""
    files.write_beneath(common, _note(session), msgspec.json.encode(note), durable=False)


def only(common: Path, session: SessionId) -> contextlib.AbstractContextManager[bool]:
    """Yield whether this process is the only one that keeps the session alive; never waits."""
    return alone(common / _lock(session))


def forget(common: Path, session: SessionId) -> None:
    """Remove what was noted of a session that is over."""
    files.remove_beneath(common, _note(session))
    files.remove_beneath(common, _lock(session))


def _note(session: SessionId) -> str:
    return f"{FOLDER}/{session}.json"


def _lock(session: SessionId) -> str:
    return f"{FOLDER}/{session}.lock"
