"""The object store: read from wherever an object is, write loose objects that survive a power cut.

Reading looks at loose files with the standard library and loads dulwich only for what is packed. Writing uses unique
temporary files renamed into place, so writers of equal content never meet and nothing is left that blocks anyone.
Invariant: an object is in its place whole or not at all, and `read` never answers damage with data.
"""

import errno
import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from exo_sidecar.git.oid import Oid
from exo_sidecar.model.errors import Integrity

if TYPE_CHECKING:
    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import ObjectID

    from exo_sidecar.git.tree import Entry

Kind = Literal["blob", "tree", "commit", "tag"]

OBJECT_LIMIT_BYTES: Final = 64 << 20
"""What one object may inflate to; far above any record, far below what exhausts a small machine."""

_KINDS: Final[dict[bytes, Kind]] = {b"blob": "blob", b"tree": "tree", b"commit": "commit", b"tag": "tag"}
_KINDS_PACKED: Final[dict[int, Kind]] = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_HEADER_LIMIT_BYTES: Final = 64
_OPEN_MAX: Final = 64
"""Temporary files held open at once: all are written before the first is synced, so the disk can do them together."""
_ATTEMPTS_MAX: Final = 5
"""How often a fan-out folder may be removed by a running gc between our making it and our using it."""


class ObjectDamaged(Integrity):
    """An object's bytes are not what its id says, or no object at all."""

    code = "REPOSITORY_DAMAGED"
    advice = "git fsck names what is damaged; a fresh clone, or the object copied from another clone, mends it"


class ObjectMissing(ObjectDamaged):
    """An object that something names is not in the store."""


class ObjectTooLarge(ObjectDamaged):
    """An object inflates to more than `OBJECT_LIMIT_BYTES`."""

    advice = "no record of exo's is that large; exo audit names the commit that brought it"


class Object(NamedTuple):
    """An object's kind and its content without the header."""

    kind: Kind
    data: bytes


class Objects:
    """The objects of one clone, with those it borrows through alternates."""

    def __init__(self, common: Path) -> None:
        self._folder: Final = common / "objects"
        self._packs: DiskObjectStore | None = None
        self.trees: Final[dict[Oid, tuple[Entry, ...]]] = {}
        """Trees that were taken apart lately (git.tree fills it): a transaction asks for the same few many times."""

    def read(self, oid: Oid) -> Object:
        """Return the object `oid`; ObjectMissing, ObjectDamaged, ObjectTooLarge."""
        try:
            loose = _read_loose(self._path(oid), oid)
        except ObjectTooLarge:
            raise
        except ObjectDamaged as damage:
            return self._read_other_copy(oid, damage)
        return loose if loose is not None else self._read_packed(oid)

    def contains(self, oid: Oid) -> bool:
        """Whether `oid` is here, loose, packed or borrowed; an empty file, as a power cut leaves it, is no object."""
        if _is_filled(self._path(oid)):
            return True
        if self._is_stored(oid):
            return True
        self.close()  # packed or fetched since the packs were listed?
        return _is_filled(self._path(oid)) or self._is_stored(oid)

    def write(self, items: Sequence[tuple[Kind, bytes]], *, durable: bool = True) -> list[Oid]:
        """Store `items` and return their ids; what is there already is left alone (and made young, so gc spares it).

        With `durable` the objects and their names survive a power cut when this returns.
        """
        oids = []
        fresh: dict[Oid, tuple[bytes, bytes]] = {}
        for kind, data in items:
            header = b"%s %d\0" % (kind.encode(), len(data))
            oid = Oid(hashlib.sha1(header + data, usedforsecurity=False).hexdigest())
            oids.append(oid)
            if oid not in fresh and not _freshen(self._path(oid)):
                fresh[oid] = (header, data)
        pending = list(fresh.items())
        touched: set[Path] = set()
        for start in range(0, len(pending), _OPEN_MAX):
            touched |= self._write_surely(pending[start : start + _OPEN_MAX], durable=durable)
        if durable:
            _sync_folders(touched)
        return oids

    def close(self) -> None:
        """Let go of open packs; the next read opens them anew."""
        if self._packs is not None:
            self._packs.close()
            self._packs = None

    def _path(self, oid: Oid) -> Path:
        return self._folder / oid[:2] / oid[2:]

    def _is_stored(self, oid: Oid) -> bool:
        """Whether `oid` is packed or borrowed."""
        from dulwich.errors import FileFormatException  # noqa: PLC0415 - as below

        try:
            return _store_name(oid) in self._store()
        except FileFormatException:  # it is in no pack, and its own file is empty
            return False

    def _store(self) -> "DiskObjectStore":
        if self._packs is None:
            from dulwich.object_store import DiskObjectStore  # noqa: PLC0415  70 ms, and most reads need none of it

            self._packs = DiskObjectStore(self._folder, loose_object_size_limit=OBJECT_LIMIT_BYTES)
        return self._packs

    def _read_other_copy(self, oid: Oid, damage: ObjectDamaged) -> Object:
        """Read the packed copy of an object whose loose file is damaged (a power cut does that), if there is one."""
        try:
            return self._read_store(oid)
        except (KeyError, OSError, ObjectDamaged):
            raise damage from None

    def _read_packed(self, oid: Oid) -> Object:
        """Read from packs and alternates; a second look, with fresh eyes, when a repack moved it meanwhile."""
        try:
            return self._read_store(oid)
        except (KeyError, OSError, ObjectDamaged):
            self.close()
        loose = _read_loose(self._path(oid), oid)
        if loose is not None:
            return loose
        try:
            return self._read_store(oid)
        except KeyError as error:
            message = f"object {oid} is missing in {self._folder}"
            raise ObjectMissing(message, oid=oid) from error

    def _read_store(self, oid: Oid) -> Object:
        from dulwich.errors import ChecksumMismatch, FileFormatException  # noqa: PLC0415  as in `_store`

        try:
            number, data = self._store().get_raw(_store_name(oid))
        except (ChecksumMismatch, FileFormatException, AssertionError, ValueError, zlib.error) as error:
            raise _damaged(oid, str(error) or type(error).__name__) from error
        if len(data) > OBJECT_LIMIT_BYTES:
            raise _too_large(oid)
        found = Object(_KINDS_PACKED[number], data)
        if object_id(found.kind, found.data) != oid:
            raise _damaged(oid, "its content has another id")
        return found

    def _write_surely(self, batch: Sequence[tuple[Oid, tuple[bytes, bytes]]], *, durable: bool) -> set[Path]:
        """Write a batch again when somebody's prune took a temporary file away before it had its name."""
        for _ in range(_ATTEMPTS_MAX - 1):
            try:
                return self._write_batch(batch, durable=durable)
            except FileNotFoundError:
                continue
        return self._write_batch(batch, durable=durable)

    def _write_batch(self, batch: Sequence[tuple[Oid, tuple[bytes, bytes]]], *, durable: bool) -> set[Path]:
        """Write every file, then sync every file, then rename: in this order the disk's journal is written once."""
        written: list[tuple[Path, Path, int]] = []
        touched: set[Path] = set()
        try:
            for oid, (header, data) in batch:
                path = self._path(oid)
                temporary, handle, made = self._create(path.parent)
                written.append((temporary, path, handle))
                touched |= {path.parent, self._folder} if made else {path.parent}
                _write_all(handle, zlib.compress(header + data, 1))
            if durable:
                for _, _, handle in written:
                    os.fsync(handle)
            for temporary, path, _ in written:
                temporary.rename(path)  # the temporary file kept its folder from being removed
        finally:
            for temporary, _, handle in written:
                os.close(handle)
                temporary.unlink(missing_ok=True)
        return touched

    def _create(self, folder: Path) -> tuple[Path, int, bool]:
        """Open a new temporary file in `folder`; the name is one that git's own gc tidies up when we die."""
        made = False
        for _ in range(_ATTEMPTS_MAX):
            temporary = folder / f"tmp_obj_{os.urandom(8).hex()}"
            try:
                return temporary, os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444), made
            except FileNotFoundError:
                made = self._make_fan_out(folder) or made
        message = f"{folder} is removed as often as it is made"
        raise FileNotFoundError(errno.ENOENT, message)

    def _make_fan_out(self, folder: Path) -> bool:
        """Make a fan-out folder with the permissions of the objects folder (shared ones differ from the umask)."""
        try:
            folder.mkdir()
        except FileExistsError:
            return False
        mode = self._folder.stat().st_mode & 0o7777
        if folder.stat().st_mode & 0o7777 != mode:
            folder.chmod(mode)
        return True


def object_id(kind: Kind, data: bytes) -> Oid:
    """Return the id that an object of `kind` with content `data` has."""
    digest = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(data)), usedforsecurity=False)
    digest.update(data)
    return Oid(digest.hexdigest())


def _store_name(oid: Oid) -> "ObjectID":
    from dulwich.objects import ObjectID  # noqa: PLC0415  only on the way to a pack

    return ObjectID(oid.encode())


def _read_loose(path: Path, oid: Oid) -> Object | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(handle, "rb") as file:  # noqa: PTH123  a descriptor, not a path
        packed = file.read(OBJECT_LIMIT_BYTES + 1)
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(packed, OBJECT_LIMIT_BYTES + _HEADER_LIMIT_BYTES)
    except zlib.error as error:
        raise _damaged(oid, str(error)) from error
    if not inflater.eof and inflater.unconsumed_tail:
        raise _too_large(oid)
    if not inflater.eof or hashlib.sha1(content, usedforsecurity=False).hexdigest() != oid:
        raise _damaged(oid, "it is cut short, or its content has another id")
    header, _, data = content.partition(b"\0")
    kind, _, length = header.partition(b" ")
    if kind not in _KINDS or length != b"%d" % len(data):
        raise _damaged(oid, "its header is malformed")
    return Object(_KINDS[kind], data)


def _is_filled(path: Path) -> bool:
    """Whether a file with something in it is at `path`."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def _freshen(path: Path) -> bool:
    """Whether a loose object is at `path`; its time is set to now, as git does, so that no gc takes it for old."""
    try:
        if path.stat().st_size == 0:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    return True


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_folders(folders: Iterable[Path]) -> None:
    """Make the names in `folders` durable; one that is gone again was packed and pruned by somebody's gc."""
    for folder in folders:
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _damaged(oid: Oid, reason: str) -> ObjectDamaged:
    return ObjectDamaged(f"object {oid} is damaged: {reason}", oid=oid)


def _too_large(oid: Oid) -> ObjectTooLarge:
    return ObjectTooLarge(f"object {oid} is larger than {OBJECT_LIMIT_BYTES >> 20} MiB", oid=oid)
