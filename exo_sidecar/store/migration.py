"""Migration: a plain folder gives way to the mount, so that a kill at any instant loses nothing.

The branch is mounted beside the folder, under a name of its own, until everything that is taken in is on the branch.
Then the folder is moved aside and the mount takes its name: two renames. `<common>/exo/migrating` says which names
these are, from before the first step until after the last; whoever comes next goes on from what is there.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base import files
from exo_sidecar.git import commits, mount, refnames, tree
from exo_sidecar.git.locate import MOUNT_ID, link_target
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.errors import Conflict, Integrity
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ids import is_id
from exo_sidecar.model.ticket import Ticket
from exo_sidecar.store import hand_edits, layout, lock, mounting, saved
from exo_sidecar.store.edited_files import Edit
from exo_sidecar.store.hand_edits import Unreadable
from exo_sidecar.store.saved import Saved

_NAME: Final = "migrating"
_STAGING: Final = ".mounting"
_ASIDE: Final = ".before-"
_TICKETS: Final = "tickets"
_NUMBERS_MAX: Final = 10_000


class MigrationDamaged(Integrity):
    """The note of a migration under way cannot be read."""

    code = "MIGRATION_DAMAGED"
    advice = "refs/exo/saved/ has the folder's files; move the folder away and run exo sidecar-init again"


class FolderChanging(Conflict):
    """Files of the folder change while it is taken over."""

    code = "SIDECAR_PATH_CHANGING"
    advice = "stop whatever writes there, then run the same command again"


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """The names of one migration."""

    path: str
    """The folder, and the mount's place in the end."""
    staging: str
    """The mount's place until then."""
    aside: str
    """The folder's place in the end."""
    ref: str
    """Holds the folder's files."""


class Known(NamedTuple):
    """What of a folder's files FORMAT knows."""

    tickets: tuple[Ticket, ...]
    documents: tuple[Edit, ...]
    findings: tuple[Finding, ...]


def under_way(repository: Repository) -> Migration | None:
    """Return the migration that was begun and not finished; MigrationDamaged."""
    try:
        return msgspec.json.decode((_folder(repository) / _NAME).read_bytes(), type=Migration)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        message = f"{_folder(repository) / _NAME} cannot be read: {error}"
        raise MigrationDamaged(message) from error


def begin(repository: Repository, path: Path) -> Migration:
    """Choose the names for the folder at `path`, or those that were chosen before, and write them down."""
    migration = under_way(repository)
    if migration is None:
        migration = _named(path, _free_number(repository, path))
        _folder(repository).mkdir(parents=True, exist_ok=True)
        files.write_atomic(_folder(repository) / _NAME, msgspec.json.encode(migration))
    mount.exclude(repository.place, Path(migration.aside))
    return migration


def place_now(repository: Repository, migration: Migration) -> Path:
    """Return where the mount is, or goes, in the present state of the migration."""
    path = Path(migration.path)
    return path if link_target(path) == _entry(repository) else Path(migration.staging)


def save(repository: Repository, migration: Migration, seconds: int) -> Saved | None:
    """Keep the folder's present files at the migration's ref; None when the folder has given way already."""
    path = Path(migration.path)
    with lock.held(_folder(repository)):
        if not mounting.is_plain_folder(path):
            return None
        return saved.save(repository, path, migration.ref, seconds)


def known_files(repository: Repository, root: Oid) -> Known:
    """Return the tickets and documents among the saved files, and a finding for each ticket file that is none."""
    tickets: dict[str, Ticket] = {}
    documents: list[Edit] = []
    findings: list[Finding] = []
    for path, entry in tree.walk(repository.objects, root):
        if entry.mode not in {tree.FILE_MODE, saved.EXECUTABLE}:
            continue
        if path in DOCUMENTS:
            documents.append(Edit(path, repository.objects.read(entry.oid).data, entry.oid))
        ticket_id = _ticket_id(path)
        if ticket_id is None:
            continue
        found = _ticket(repository, entry.oid, ticket_id)
        if isinstance(found, Ticket):
            tickets.setdefault(found.id, found)
        else:
            findings.append(_unreadable(path, found))
    return Known(tuple(tickets.values()), tuple(documents), tuple(findings))


def finish(repository: Repository, migration: Migration, done: Saved | None, seconds: int) -> None:
    """Move the folder aside and the mount into its place; safe to repeat from any point.

    Raises:
        FolderChanging: the folder is not as it was saved; nothing was moved.
    """
    path, staging, aside = Path(migration.path), Path(migration.staging), Path(migration.aside)
    with lock.held(_folder(repository)):
        if mounting.is_plain_folder(path):
            again = saved.save(repository, path, migration.ref, seconds)
            if done is None or again.tree != done.tree:
                message = f"{path} changed while it was taken over"
                raise FolderChanging(message)
            mount.aim(repository.place.common, path)
            path.rename(aside)
        if path.is_dir() and link_target(path) is None and not any(path.iterdir()):
            path.rmdir()
        if link_target(staging) == _entry(repository):
            staging.rename(path)
        files.sync_folder(path.parent)
        mount.relink(repository.place.common, path)
        mount.include(repository.place, staging)
        (_folder(repository) / _NAME).unlink(missing_ok=True)


def tracked_below(repository: Repository, path: Path) -> int:
    """Return how many files below the mount's place the checked-out commit of the application holds."""
    place = repository.place
    top = place.worktree
    head = repository.refs.read("HEAD") if place.git_dir == place.common else None
    if top is None or head is None or not path.is_relative_to(top):
        return 0
    root = commits.read(repository.objects, head).tree
    return sum(1 for _ in tree.walk(repository.objects, root, path.relative_to(top).as_posix()))


def _named(path: Path, number: int) -> Migration:
    return Migration(
        path=str(path),
        staging=str(path.with_name(f"{path.name}{_STAGING}")),
        aside=str(_aside(path, number)),
        ref=f"{refnames.SAVED}migrated-{number}",
    )


def _free_number(repository: Repository, path: Path) -> int:
    for number in range(1, _NUMBERS_MAX):
        is_taken = repository.refs.read(f"{refnames.SAVED}migrated-{number}") is not None
        if not is_taken and not _aside(path, number).exists():
            return number
    message = f"{path} was taken over {_NUMBERS_MAX} times already"
    raise FolderChanging(message, hint=f"remove folders {path.name}{_ASIDE}N that are not needed any more")


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}{_ASIDE}{number}")


def _folder(repository: Repository) -> Path:
    return repository.place.common / "exo"


def _entry(repository: Repository) -> Path:
    return repository.place.common / "worktrees" / MOUNT_ID


def _ticket_id(path: str) -> str | None:
    folder, _, name = path.partition("/")
    stem = name.rpartition("/")[2].removesuffix(".yaml")
    is_file = folder == _TICKETS and name.endswith(".yaml") and is_id(stem)
    return stem if is_file else None


def _ticket(repository: Repository, oid: Oid, ticket_id: str) -> Ticket | Unreadable:
    data = repository.objects.read(oid).data
    if len(data) > layout.FILE_BYTES_MAX:
        return Unreadable("it is too large", None)
    return hand_edits.parse_ticket(data, ticket_id)


def _unreadable(path: str, why: Unreadable) -> Finding:
    line = f" line {why.line}" if why.line else ""
    return Finding(
        code="MIGRATION_UNREADABLE",
        severity="error",
        subject=path,
        message=f"{path}{line} is not taken in: {why.message}",
        hint="the original is kept",
        file=path,
        line=why.line,
    )
