"""The tree that a flat list of files makes, computed without reading one: does git's index hold what a tree does?"""

import hashlib
from collections.abc import Mapping

from exo_sidecar.git.oid import Oid

_Entries = list[tuple[bytes, bytes]]
"""What one folder holds: by what git sorts it (a folder as if its name ended with a slash), and how git writes it."""


def root_of(files: Mapping[str, Oid]) -> Oid:
    """Return the id of the tree that holds just these paths, as plain files with these contents."""
    folders: dict[str, _Entries] = {"": []}
    for path, oid in files.items():
        folder, _, text = path.rpartition("/")
        name = text.encode(errors="surrogateescape")
        _entries(folders, folder).append((name, b"100644 %b\0%b" % (name, bytes.fromhex(oid))))
    deepest_first = sorted(folders, key=lambda folder: folder.count("/") if folder else -1, reverse=True)
    for folder in deepest_first[:-1]:
        parent, _, text = folder.rpartition("/")
        name = text.encode(errors="surrogateescape")
        folders[parent].append((name + b"/", b"40000 %b\0%b" % (name, _digest(folders[folder]))))
    return Oid(_digest(folders[""]).hex())


def _entries(folders: dict[str, _Entries], folder: str) -> _Entries:
    """Return the list of a folder, made with those of its parents when it is new."""
    missing = folder
    while missing not in folders:
        folders[missing] = []
        missing = missing.rpartition("/")[0]
    return folders[folder]


def _digest(entries: _Entries) -> bytes:
    """Return the id of one folder's tree object."""
    entries.sort()
    data = b"".join([written for _, written in entries])
    return hashlib.sha1(b"tree %d\0" % len(data) + data, usedforsecurity=False).digest()
