"""The tree that a flat list of files makes, computed without reading one: does git's index hold what a tree does?"""

import hashlib
from collections.abc import Mapping

from exo_sidecar.git.oid import Oid

_FILE = b"100644"
_FOLDER = b"40000"

_Entries = list[tuple[bytes, bytes, bytes]]
"""Name, mode and raw id of what one folder holds."""


def root_of(files: Mapping[str, Oid]) -> Oid:
    """Return the id of the tree that holds just these paths, as plain files with these contents."""
    folders: dict[str, _Entries] = {"": []}
    for path, oid in files.items():
        folder, _, name = path.rpartition("/")
        _entries(folders, folder).append((name.encode(errors="surrogateescape"), _FILE, bytes.fromhex(oid)))
    deepest_first = sorted(folders, key=lambda folder: folder.count("/") if folder else -1, reverse=True)
    for folder in deepest_first[:-1]:
        parent, _, name = folder.rpartition("/")
        folders[parent].append((name.encode(errors="surrogateescape"), _FOLDER, _digest(folders[folder])))
    return Oid(_digest(folders[""]).hex())


def _entries(folders: dict[str, _Entries], folder: str) -> _Entries:
    """Return the list of a folder, made with those of its parents when it is new."""
    missing = folder
    while missing not in folders:
        folders[missing] = []
        missing = missing.rpartition("/")[0]
    return folders[folder]


def _digest(entries: _Entries) -> bytes:
    """Return the id of one folder's tree object; git sorts a folder as if its name ended with a slash."""
    entries.sort(key=lambda entry: entry[0] + b"/" if entry[1] == _FOLDER else entry[0])
    data = b"".join([b"%b %b\0%b" % (mode, name, oid) for name, mode, oid in entries])
    return hashlib.sha1(b"tree %d\0" % len(data) + data, usedforsecurity=False).digest()
