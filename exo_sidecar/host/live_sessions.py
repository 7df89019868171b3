"""Live sessions: what only this machine knows of the sessions that work in this clone.

One file `<common>/exo/sessions/<SES>.json` each: the agent's process, the worktree, the last heartbeat on the boot
clock. They are facts for judging liveness and for finding out who calls, never the state of a session: that is the
ledger's. A file that cannot be read counts as absent and is named in a finding.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from exo_sidecar.base import files
from exo_sidecar.host import ancestry, heartbeats
from exo_sidecar.host.ancestry import ProcessFacts
from exo_sidecar.model import duration, ids
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ids import CloneId, SessionId, TicketId

FOLDER: Final = "exo/sessions"
FILE_MAX_BYTES: Final = 256 * 1024
LISTED_MAX: Final = 2000
"""More files than this many sessions at once would need are not read."""
DIRTY_MAX: Final = 500
GONE_SECONDS: Final = 600.0
"""How long a session whose agent has ended may still be somebody's: another agent may take it up."""
_HOUR_SECONDS: Final = 3600
_SUFFIX: Final = ".json"
_OWNER: Final = f"{FOLDER}/clone"
_OWNER_MAX_BYTES: Final = 100

_Path = Annotated[str, Meta(max_length=4096)]


class LiveSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that reserved or works here."""

    session: SessionId
    ticket: TicketId
    actor: Annotated[str, Meta(max_length=80)]
    """The owner whom `next` named, until a start adopts the reservation."""
    state: Literal["claiming", "reserved", "active", "suspended", "ended", "lost"]
    """`claiming`: `call` asks for its lease. `ended`: the ledger has its end, the lease's authority has not yet.
    `lost`: its claim was made offline and not confirmed."""
    worktree: _Path
    process: ProcessFacts | None = None
    """The agent's own process; None where it could not be told from a terminal."""
    call: ProcessFacts | None = None
    """The call that claims or gives back its lease; one that is found dead was killed half-way."""
    agent_session: Annotated[str, Meta(max_length=200)] | None = None
    """The agent product's own session id."""
    boot_id: Annotated[str, Meta(max_length=100)]
    heartbeat: float
    """Boot clock of the last governed call of this session."""
    epoch: int | None = None
    ttl_seconds: int | None = None
    held_from: float | None = None
    """Boot clock read before the lease's present value was sent: the holder's own deadline counts from there."""
    claim: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")] | None = None
    """Nonce of a claim made offline; on the disk before any event carries it, gone once a lease confirms it."""
    lost: Annotated[str, Meta(max_length=1000)] | None = None
    """Why the claim was not confirmed."""
    dirty: Annotated[dict[str, str], Meta(max_length=DIRTY_MAX)] = {}
    """Files that were changed before the start, with the SHA-256 of their content then; empty for what was gone."""
    clearing: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")] | None = None
    """The commit of saved work that is yet to be taken out of the worktree; the session is suspended, or will be."""
    audit: bool = False
    """Whether it looks on beside whoever works: it holds no lease."""
    unreleased: bool = False
    """Whether the ledger has the release of its lease, and the lease's authority may not have it yet."""

    def heartbeat_age(self, now: BootClock) -> float | None:
        """Return seconds since the last sign of life, None when that was before a restart of the machine."""
        return now.since(BootClock(self.boot_id, self.heartbeat))

    def lease_seconds_left(self, now: BootClock) -> float | None:
        """Return how long the holder may count on its lease (negative: over); None when that cannot be told."""
        if self.held_from is None or self.ttl_seconds is None:
            return None
        held = now.since(BootClock(self.boot_id, self.held_from))
        return None if held is None else self.ttl_seconds - held


class Listed(NamedTuple):
    """Live sessions in id order, and what could not be read."""

    sessions: tuple[LiveSession, ...]
    findings: tuple[Finding, ...]


def write(common: Path, session: LiveSession) -> None:
    """Write or replace the file of a session."""
    files.write_beneath(common, _relative(session.session), msgspec.json.encode(session))


def read(common: Path, session_id: SessionId) -> LiveSession | None:
    """Return a session's facts, None when there are none that can be read."""
    found = _read(common, session_id)
    return found if isinstance(found, LiveSession) else None


def remove(common: Path, session_id: SessionId) -> None:
    """Forget a session, if it is known."""
    files.remove_beneath(common, _relative(session_id))
    heartbeats.forget(common, session_id)


def listed(common: Path) -> Listed:
    """Return every session known here; files that hold none are named in findings."""
    sessions: list[LiveSession] = []
    findings: list[Finding] = []
    for name in _names(common):
        found = _read(common, SessionId(name.removesuffix(_SUFFIX)))
        if isinstance(found, LiveSession):
            sessions.append(found)
        elif found is not None:
            findings.append(found)
    return Listed(tuple(sessions), tuple(findings))


def is_claiming(common: Path, session_id: SessionId) -> bool:
    """Whether a call that has not ended, as far as can be known, is claiming a lease for the session."""
    found = read(common, session_id)
    if found is None or found.state != "claiming":
        return False
    return found.call is None or has_call(found)


def has_call(session: LiveSession) -> bool:
    """Whether a call that claims or gives back the session's lease may still be under way."""
    return session.call is not None and ancestry.liveness(session.call) != "dead"


def is_stale(session: LiveSession, now: BootClock, hours: int) -> bool:
    """Whether a session counts as left behind: silent for so long, or its agent gone and silent for ten minutes."""
    return stale_reason(session, now, hours) is not None


def stale_reason(session: LiveSession, now: BootClock, hours: int) -> str | None:
    """Return why a session counts as left behind, None when it may still be somebody's.

    A reservation belongs to no process: only time ends it.
    """
    age = session.heartbeat_age(now)
    is_silent = (now.seconds if age is None else age) > hours * _HOUR_SECONDS
    if age is not None and is_silent:
        return f"it gave no sign of life for {duration.show(int(age))}"
    if age is None and (is_silent or (session.process is not None and session.state != "reserved")):
        # Before a restart of the machine nothing of it is running any more.
        return "this machine was restarted since it gave its last sign of life"
    if session.process is None or session.state == "reserved" or age is None or age < GONE_SECONDS:
        return None
    if ancestry.liveness(session.process) != "dead":
        return None
    return f"its process {session.process.pid} has ended, and it gave no sign of life for {duration.show(int(age))}"


def is_confirming(common: Path, session_id: SessionId) -> bool:
    """Whether a call that is under way asks for the lease of a claim that the session made offline."""
    found = read(common, session_id)
    return found is not None and found.claim is not None and has_call(found)


def is_of_another(common: Path, clone: CloneId | None) -> bool:
    """Whether what is recorded here was recorded by the clone that this folder is a copy of; None: no id as yet."""
    try:
        data = files.read_beneath(common, _OWNER, limit_bytes=_OWNER_MAX_BYTES)
    except OSError:
        return True
    return data is not None and data != (clone or "").encode()


def belong_to(common: Path, clone: CloneId) -> None:
    """Record whose sessions these are; those of another clone are forgotten."""
    if is_of_another(common, clone):
        for item in listed(common).sessions:
            remove(common, item.session)
    try:
        known = files.read_beneath(common, _OWNER, limit_bytes=_OWNER_MAX_BYTES)
    except OSError:
        known = None
    if known != clone.encode():
        files.write_beneath(common, _OWNER, clone.encode())


def beaten(session: LiveSession, now: BootClock) -> LiveSession:
    """Return the session with a sign of life."""
    seconds_held = session.lease_seconds_left(now)
    # After a restart the old readings mean nothing; a lease whose age is unknown has no deadline here.
    held_from = session.held_from if seconds_held is not None else None
    return msgspec.structs.replace(session, boot_id=now.boot_id, heartbeat=now.seconds, held_from=held_from)


def _names(common: Path) -> list[str]:
    try:
        found = [path.name for path in (common / FOLDER).iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    # Hidden names are files in the making.
    return sorted(name for name in found if name.endswith(_SUFFIX) and not name.startswith("."))[:LISTED_MAX]


def _read(common: Path, session_id: SessionId) -> LiveSession | Finding | None:
    relative = _relative(session_id)
    if not ids.is_id(session_id):
        return _unreadable(relative, "its name is no session id")
    try:
        data = files.read_beneath(common, relative, limit_bytes=FILE_MAX_BYTES)
        if data is None:
            return None
        found = msgspec.json.decode(data, type=LiveSession)
    except (OSError, msgspec.DecodeError) as error:
        return _unreadable(relative, str(error))
    if found.session != session_id or not ids.is_id(found.ticket):
        return _unreadable(relative, "it speaks of another session than its name")
    return _with_signs_of_life(common, found)


def _with_signs_of_life(common: Path, session: LiveSession) -> LiveSession:
    """Return the session with the last sign of life that its calls noted; of another boot it says nothing."""
    note = heartbeats.read(common, session.session)
    if note is None or note.boot_id != session.boot_id or note.alive <= session.heartbeat:
        return session
    return msgspec.structs.replace(session, heartbeat=note.alive)


def _unreadable(relative: str, reason: str) -> Finding:
    return Finding(
        code="SESSION_FACTS_UNREADABLE",
        subject=relative,
        message=f"{relative} holds no live session: {reason}",
        hint="remove the file; the ledger still knows the session",
        file=relative,
    )


def _relative(session_id: SessionId) -> str:
    return f"{FOLDER}/{session_id}{_SUFFIX}"
