"""Moving the authority: the old place stops deciding before the new one begins (docs/leases.md, "The authority").

Its ref gets an id that nobody has on record, so every claim there by a clone that has not heard of the move is refused.
What is under way is written down first, in `<common>/exo/authority-move.json`: a move that was killed is finished, or
taken back, by the same clone.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from exo_sidecar.base import files
from exo_sidecar.git import lone_swap
from exo_sidecar.git.fetch import advertised
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import Update, push
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS, Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases import backoff
from exo_sidecar.leases.names import Names
from exo_sidecar.leases.seen import LeaseContended, LeaseUnknown
from exo_sidecar.model.errors import ExoError, Integrity

NOTE: Final = "exo/authority-move.json"
NOTE_BYTES_MAX: Final = 4096
ATTEMPTS_MAX: Final = 4

_Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]


class MoveDamaged(Integrity):
    """The note of a move that was under way cannot be read."""

    code = "MOVE_DAMAGED"
    advice = "exo leases says whether the old place still decides; remove the file once it does"


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A move of the authority that is under way."""

    previous: _Id
    """The id that is on record, and that the old place shows until it is retired."""
    retired: _Id
    """What the old place shows afterwards."""
    id: _Id
    """The new place's."""
    was: Annotated[str, Meta(max_length=100)] | None
    """The old place's remote."""
    remote: Annotated[str, Meta(max_length=100)]
    mode: Literal["refs", "branch"]


def begin(common: Path, move: Move) -> None:
    """Write a move down, durably; to be done before its first step."""
    files.write_beneath(common, NOTE, msgspec.json.encode(move))


def under_way(common: Path) -> Move | None:
    """Return the move that was begun and not ended, None when there is none; MoveDamaged."""
    try:
        data = files.read_beneath(common, NOTE, limit_bytes=NOTE_BYTES_MAX)
        return None if data is None else msgspec.json.decode(data, type=Move)
    except (OSError, msgspec.DecodeError) as error:
        message = f"{common / NOTE} cannot be read: {error}"
        raise MoveDamaged(message) from error


def end(common: Path) -> None:
    """Forget the move: it is on record, or was taken back."""
    files.remove_beneath(common, NOTE)


def exchange(
    repository: Repository,
    remote: Remote | None,
    names: Names,
    ids: tuple[str, str],
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Let the place show the second of `ids` instead of the first, by compare-and-swap; already so is well.

    Raises:
        AuthorityMismatch: it shows neither of them.
        LeaseUnknown: whether the change arrived cannot be read.
        LeaseContended: it could not be made; or an error of the transport.
    """
    old, new = (authorities.commit_of(each) for each in ids)
    repository.objects.write([("tree", b""), ("commit", new[1])])
    for count in range(ATTEMPTS_MAX):
        shown = (
            repository.refs.read(names.authority)
            if remote is None
            else advertised(repository, remote, [names.authority], timeout_seconds=timeout_seconds).get(names.authority)
        )
        if shown == new[0]:
            return
        if shown != old[0]:
            raise authorities.mismatch(remote, shows_another=shown is not None)
        if remote is None:
            lone_swap.swap(repository, names.authority, old=old[0], new=new[0])
        else:
            _send(repository, remote, (names.authority, old[0], new[0]), timeout_seconds)
        backoff.pause(count)
    message = f"{names.authority} could not be changed at {remote or 'this repository'}"
    raise LeaseContended(message)


def _send(repository: Repository, remote: Remote, change: tuple[str, str, str], timeout_seconds: float) -> None:
    ref, old, new = change
    updates = [Update(ref, Oid(new))]
    try:
        push(
            repository,
            remote,
            lambda refs: updates if refs.get(ref) == old else [],
            atomic=False,
            timeout_seconds=timeout_seconds,
        )
    except ExoError as error:
        message = f"whether {ref} was changed at {remote} cannot be read: {error.message}"
        raise LeaseUnknown(message, hint="run the same command again: it goes on from here") from error
