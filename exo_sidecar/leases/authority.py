"""The one place that decides who holds: its ref (leases.names), an empty-tree commit that carries an id.

The same id gives the same commit, so whoever knows the id recognises the authority by an advertisement alone. Created
by compare-and-swap with the old value absent: of two that establish at once, one wins and the other adopts its id.
"""

from typing import Final, NamedTuple

from exo_sidecar.git import commits, lone_swap
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.fetch import fetch
from exo_sidecar.git.objects import ObjectDamaged, object_id
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.push import OK, REFUSED, Update, push
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS, Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import backoff
from exo_sidecar.leases.names import REFS, Names
from exo_sidecar.leases.seen import AuthorityMismatch, LeaseContended, LeaseUnsupported

HEADER: Final = "exo-authority/1\n"
ATTEMPTS_MAX: Final = 4
_ELSEWHERE: Final = "leases are decided in another clone alone: exo leases-move --remote NAME, run there, lets all ask"
_ID_LENGTH: Final = 32
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


class Established(NamedTuple):
    """The id of the authority, and whether this call created it (else it was there, or another was quicker)."""

    id: str
    created: bool


def commit_of(authority_id: str) -> tuple[Oid, bytes]:
    """Return id and bytes of the commit that stands for `authority_id`."""
    if not is_authority_id(authority_id):
        message = f"{authority_id[:60]!r} is not the id of an authority"
        raise ValueError(message)
    data = commits.serialise(Commit(EMPTY_TREE, (), commits.AUTHOR, 0, commits.AUTHOR, 0, f"{HEADER}{authority_id}\n"))
    return object_id("commit", data), data


def is_authority_id(text: str) -> bool:
    """Whether `text` is 32 hexadecimal digits."""
    return len(text) == _ID_LENGTH and _HEXADECIMAL.issuperset(text)


def probe(
    repository: Repository,
    remote: Remote | None,
    names: Names = REFS,
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> str | None:
    """Return the id of the authority at `remote` (None: in this repository), None when there is none.

    Raises:
        AuthorityMismatch: the ref is there and is not an authority's.
        RemoteUnreachable, RemoteDenied, TimedOut.
    """
    if remote is None:
        oid = repository.refs.read(names.authority)
    else:
        found = fetch(
            repository,
            remote,
            lambda refs: _wanted(repository, refs, names),
            [names.authority],
            timeout_seconds=timeout_seconds,
        )
        oid = found.refs.get(names.authority)
    return None if oid is None else _decode(repository, remote, oid)


def establish(
    repository: Repository,
    remote: Remote | None,
    authority_id: str,
    names: Names = REFS,
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Established:
    """Make `remote` (None: this repository) the authority under `authority_id`, or adopt the id that it has already.

    Raises:
        LeaseUnsupported: the remote does not let refs under refs/exo/ be made.
        LeaseContended, AuthorityMismatch, or an error of the transport.
    """
    oid, data = commit_of(authority_id)
    repository.objects.write([("tree", b""), ("commit", data)])
    refusal = ""
    for count in range(ATTEMPTS_MAX):
        found = probe(repository, remote, names, timeout_seconds=timeout_seconds)
        if found is not None:
            return Established(found, created=found == authority_id)
        if remote is None:
            lone_swap.swap(repository, names.authority, old=None, new=oid)
            backoff.pause(count)
            continue
        pushed = push(
            repository,
            remote,
            lambda refs: [] if names.authority in refs else [Update(names.authority, oid)],
            atomic=False,
            timeout_seconds=timeout_seconds,
        )
        status = pushed.status.get(names.authority, "")
        if status == OK:
            return Established(authority_id, created=True)
        refusal = status.removeprefix(REFUSED)
    if refusal:
        message = f"{remote} does not let {names.authority} be made: {refusal}"
        raise LeaseUnsupported(message)
    message = f"{names.authority} could not be made: its lock is held by another process"
    raise LeaseContended(message)


def mismatch(remote: Remote | None, *, shows_another: bool) -> AuthorityMismatch:
    """Return the error for a place that is not the recorded authority."""
    place = str(remote) if remote else "this repository"
    shown = "shows another authority than the recorded one" if shows_another else "shows no authority on leases"
    message = f"{place} {shown}"
    return AuthorityMismatch(message, hint="" if remote else _ELSEWHERE, place=place)


def _wanted(repository: Repository, refs: dict[str, Oid], names: Names) -> list[Oid]:
    oid = refs.get(names.authority)
    return [oid] if oid is not None and not repository.objects.contains(oid) else []


def _decode(repository: Repository, remote: Remote | None, oid: Oid) -> str:
    try:
        message = commits.read(repository.objects, oid).message
    except ObjectDamaged as error:
        raise mismatch(remote, shows_another=True) from error
    authority_id = message.removeprefix(HEADER).strip()
    if not message.startswith(HEADER) or not is_authority_id(authority_id) or commit_of(authority_id)[0] != oid:
        raise mismatch(remote, shows_another=True)
    return authority_id
