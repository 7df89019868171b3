"""Refs in files: read without git, moved by compare-and-swap under git's own lock.

`swap` and C git exclude one another (both take `<ref>.lock`), so neither loses the other's update. Reading follows
git's order: the loose file first, then `packed-refs`. Only the refs shared by all worktrees are looked at.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from exo_sidecar.base import files
from exo_sidecar.git import lockfile, packedrefs, refnames
from exo_sidecar.git.oid import Oid, is_oid
from exo_sidecar.model.errors import Conflict, Integrity

_SYMBOLIC: Final = "ref: "
_SYMBOLIC_DEPTH_MAX: Final = 5
_FILE_LIMIT_BYTES: Final = 4096
_ATTEMPTS_MAX: Final = 5
"""How often git may remove an empty folder between our making it and our using it."""


class RefDamaged(Integrity):
    """A ref's file holds no object id."""

    code = "REPOSITORY_DAMAGED"
    advice = "git fsck names what is damaged; git update-ref sets the ref anew"


class RefConflict(Conflict):
    """A ref cannot be made because another one is in its way (`a` and `a/b` cannot both be refs)."""

    code = "REF_CONFLICT"


class Refs:
    """The refs of one clone."""

    def __init__(self, common: Path) -> None:
        self._common: Final = common

    def read(self, name: str) -> Oid | None:
        """Return the object id that `name` (a full name or HEAD) leads to, None when there is none; RefDamaged."""
        found = self._raw(self.resolve(name))
        return Oid(found) if found is not None else None

    def resolve(self, name: str) -> str:
        """Return the name that `name` leads to through symbolic refs; the ref itself may be unborn."""
        for _ in range(_SYMBOLIC_DEPTH_MAX + 1):
            found = self._raw(name)
            if found is None or not found.startswith(_SYMBOLIC):
                return name
            following = found.removeprefix(_SYMBOLIC).strip()
            if not refnames.is_valid(following):
                message = f"the ref {name} leads to {following[:60]!r}, which is no ref name"
                raise RefDamaged(message, ref=name)
            name = following
        message = f"the ref {name} is symbolic more than {_SYMBOLIC_DEPTH_MAX} deep"
        raise RefDamaged(message, ref=name)

    def list(self, prefix: str) -> dict[str, Oid]:
        """Return the refs whose full names start with `prefix`, sorted; unborn symbolic ones are left out."""
        names = {name for name in _loose_names(self._common, prefix) if refnames.is_valid(name)}
        found = dict(packedrefs.with_prefix(self._packed_path(), prefix))
        for name in names:
            value = self.read(name)
            if value is not None:
                found[name] = value
        return dict(sorted(found.items()))

    def swap(self, name: str, *, old: Oid | None, new: Oid | None, temporary: str | None = None) -> bool:
        """Set `name` to `new` if it is `old`; None stands for absent. False: it is another, or its lock is busy.

        `temporary` is the path of the lock's proof (see git.lockfile): absolute, or below the common directory; a
        caller that can be killed names one and writes it down first. A symbolic ref is followed, as git does.

        Raises:
            RefConflict: another ref occupies a folder of the name.
            ValueError: the name is none that git allows.
        """
        refnames.check(name)
        target = self._common / self.resolve(name)
        proof = self._common / (temporary or f"exo/ref-{os.urandom(8).hex()}.tmp")
        if new is not None and old is None:
            self._check_room(name)
        for _ in range(_ATTEMPTS_MAX):
            try:
                self._make_folder(target.parent)
                return self._swap_locked(target, proof, old, new)
            except lockfile.LockBusy:
                return False
            except FileNotFoundError:
                continue
            except (FileExistsError, NotADirectoryError) as error:
                message = f"the ref {name} cannot be made: a shorter name is a ref"
                raise RefConflict(message, ref=name) from error
        return False

    def lock_path(self, name: str) -> Path:
        """Return the lock that git and `swap` take for `name`."""
        return lockfile.lock_of(self.path(name))

    def path(self, name: str) -> Path:
        """Return where the loose file of `name` is, or would be."""
        refnames.check(name)
        return self._common / name

    def _packed_path(self) -> Path:
        return self._common / "packed-refs"

    def _raw(self, name: str) -> str | None:
        """Return what the ref holds, an id or `ref: <name>`; None when it is neither loose nor packed."""
        refnames.check(name)
        text = _read_text(self._common / name)
        if text is None:
            return packedrefs.find(self._packed_path(), name)
        text = text.rstrip()
        if not is_oid(text) and not text.startswith(_SYMBOLIC):
            message = f"the ref {name} holds {text[:60]!r}, which is no object id"
            raise RefDamaged(message, ref=name)
        return text

    def _make_folder(self, folder: Path) -> None:
        """Make the folder of a ref, durably where it is new."""
        if folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for parent in folder.parents:
            files.sync_folder(parent)
            if parent in {self._common, self._common / "refs"}:
                break

    def _swap_locked(self, target: Path, proof: Path, old: Oid | None, new: Oid | None) -> bool:
        name = target.relative_to(self._common).as_posix()
        content = f"{new}\n".encode() if new is not None else b""
        with lockfile.held(target, proof, content, durable=True) as lock:
            if self._raw(name) != old:
                return False
            if new is None:
                self._delete(name, proof, lock)
            else:
                _install(lock, name)
            return True

    def _delete(self, name: str, proof: Path, lock: lockfile.Lock) -> None:
        """Remove the packed copy first: in the other order a reader could see an old value come back."""
        packedrefs.remove(self._packed_path(), name, proof.with_name(f"{proof.name}.packed"))
        lock.remove_target(durable=True)
        (self._common / "logs" / name).unlink(missing_ok=True)

    def _check_room(self, name: str) -> None:
        """Refuse a new ref that a shorter one, or refs below its own name, stand in the way of."""
        parts = name.split("/")
        for length in range(2, len(parts)):
            shorter = "/".join(parts[:length])
            if self._raw_or_folder(shorter):
                message = f"the ref {name} cannot be made: {shorter} is a ref"
                raise RefConflict(message, ref=name)
        if any(True for _ in packedrefs.with_prefix(self._packed_path(), name + "/")):
            message = f"the ref {name} cannot be made: there are refs below that name"
            raise RefConflict(message, ref=name)

    def _raw_or_folder(self, name: str) -> bool:
        return (self._common / name).is_file() or packedrefs.find(self._packed_path(), name) is not None


def _loose_names(common: Path, prefix: str) -> list[str]:
    """Return the names of loose refs that start with `prefix`."""
    folder, _, _ = prefix.rpartition("/")
    names = []
    for parent, _, found in os.walk(common / (folder or "refs")):
        base = Path(parent).relative_to(common).as_posix()
        names += [f"{base}/{name}" for name in found]
    return [name for name in names if name.startswith(prefix)]


def _install(lock: lockfile.Lock, name: str) -> None:
    """Install, clearing away empty folders that deleted longer names left at the ref's path."""
    try:
        lock.install(durable=True)
    except IsADirectoryError:
        for parent, _, _ in os.walk(lock.target, topdown=False):
            with contextlib.suppress(OSError):
                Path(parent).rmdir()
        try:
            lock.install(durable=True)
        except IsADirectoryError as error:
            message = f"the ref {name} cannot be made: there are refs below that name"
            raise RefConflict(message, ref=name) from error


def _read_text(path: Path) -> str | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return os.read(handle, _FILE_LIMIT_BYTES).decode(errors="surrogateescape")
    except OSError as error:
        if error.errno == errno.EISDIR:
            return None
        raise
    finally:
        os.close(handle)
