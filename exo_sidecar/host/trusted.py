"""What this clone trusts: the policies that a person here has accepted, and the floor below which none may go.

`<common>/exo/trust.json` and `<common>/exo/floor`. Of this machine only and never synced, so no remote can grant itself
trust. Both are facts; what follows from them is decided elsewhere.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from exo_sidecar.base import files
from exo_sidecar.model.finding import Finding

FLOOR: Final = "exo/floor"
TRUST: Final = "exo/trust.json"
VARIABLE: Final = "EXO_TRUST_DIGEST"
"""Names the one policy that a job trusts which no person attends."""
ACCEPTED_MAX: Final = 20
"""Policies that are remembered as accepted; older ones would have to be accepted again."""
_BYTES_MAX: Final = 16 * 1024 * 1024

_Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Values: TypeAlias = dict[str, bool | int | float | str | tuple[str, ...] | None]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that a person of this clone has accepted."""

    digest: _Digest
    actor: str
    at: str
    texts: dict[str, str]
    """Its documents, to show what a later one changes."""


class _Trust(msgspec.Struct, frozen=True, kw_only=True):
    accepted: Annotated[tuple[Accepted, ...], Meta(max_length=ACCEPTED_MAX)] = ()


class _Floor(msgspec.Struct, frozen=True, kw_only=True):
    settings: Values
    lock: str | None = None
    seal: str | None = None


class Trust(NamedTuple):
    """What was accepted, the newest last; `fault` says why the file could not be read."""

    accepted: tuple[Accepted, ...]
    fault: Finding | None = None

    def find(self, digest: str) -> Accepted | None:
        """Return the accepted policy of that digest."""
        return next((each for each in self.accepted if each.digest == digest), None)

    def covers(self, digest: str, texts: Mapping[str, str]) -> bool:
        """Whether a person has accepted this policy: under its digest, or the very texts that it follows from."""
        return self.find(digest) is not None or any(each.texts == texts for each in self.accepted)

    @property
    def last(self) -> Accepted | None:
        """The policy that was accepted last."""
        return self.accepted[-1] if self.accepted else None

    def plus(self, policy: Accepted) -> tuple[Accepted, ...]:
        """Return what is accepted when `policy` is, too."""
        others = tuple(each for each in self.accepted if each.digest != policy.digest)
        return (*others, policy)[-ACCEPTED_MAX:]


class Floor(NamedTuple):
    """Settings that no pulled policy may loosen; None while this clone has none; `fault` as in Trust."""

    settings: Values | None
    fault: Finding | None = None
    lock: str | None = None
    """Text of the lock whose rules hold here at least."""
    seal: str | None = None
    """Text of the seal that is in force here."""


def read_trust(common: Path) -> Trust:
    """Return the accepted policies; a file that cannot be read holds none and is named in a finding."""
    found = _read(common, TRUST, _Trust)
    return Trust((), found) if isinstance(found, Finding) else Trust(found.accepted if found else ())


def read_floor(common: Path) -> Floor:
    """Return the floor; a file that cannot be read holds none and is named in a finding."""
    found = _read(common, FLOOR, _Floor)
    if found is None or isinstance(found, Finding):
        return Floor(None, found)
    return Floor(found.settings, None, found.lock, found.seal)


def write_trust(common: Path, accepted: tuple[Accepted, ...]) -> None:
    """Remember which policies are accepted."""
    files.write_beneath(common, TRUST, msgspec.json.encode(_Trust(accepted=accepted)))


def write_floor(common: Path, floor: Floor) -> None:
    """Remember the settings and rules that hold here."""
    found = _Floor(settings=dict(sorted((floor.settings or {}).items())), lock=floor.lock, seal=floor.seal)
    files.write_beneath(common, FLOOR, msgspec.json.encode(found))


_Kind = TypeVar("_Kind")


def _read(common: Path, relative: str, kind: type[_Kind]) -> _Kind | Finding | None:
    try:
        data = files.read_beneath(common, relative, limit_bytes=_BYTES_MAX)
        return None if data is None else msgspec.json.decode(data, type=kind)
    except (OSError, msgspec.DecodeError) as error:
        return Finding(
            code="TRUST_UNREADABLE",
            severity="error",
            subject=relative,
            message=f"{relative} in git's common directory cannot be read: {error}",
            hint="exo trust accepts the policy that stands here now, and writes it anew",
            file=relative,
        )
