"""Hostile branches, made by C git's plumbing in a bare hub: exo would never write what stands here."""

import hashlib
import os
import subprocess
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.clones import BRANCH
from tests.support.repositories import git

FILE: Final = "100644"
FOLDER: Final = "40000"
LINK: Final = "120000"
SUBMODULE: Final = "160000"
NOWHERE: Final = "1" * 40
_TIMEOUT_SECONDS: Final = 120
_OID_BYTES: Final = 20


class Line(NamedTuple):
    """One line of a tree, with whatever mode and name."""

    mode: str
    name: bytes
    oid: str


def blob(hub: Path, data: bytes) -> str:
    """Store a blob and return its id."""
    return stored(hub, "blob", data)


def tree(hub: Path, lines: Sequence[Line]) -> str:
    """Store a tree of exactly these lines, in this order, and return its id."""
    data = b"".join(b"%s %s\0%s" % (mode.encode(), name, bytes.fromhex(oid)) for mode, name, oid in lines)
    return stored(hub, "tree", data)


def stored(hub: Path, kind: str, data: bytes) -> str:
    """Store an object whatever it holds, as git would store a sound one, and return its id."""
    content = b"%s %d\0%s" % (kind.encode(), len(data), data)
    oid = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    path = _loose(hub, oid)
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(zlib.compress(content, 1))
    return oid


def in_order(lines: Sequence[Line]) -> list[Line]:
    """Return lines in the order that git demands."""
    return sorted(lines, key=lambda line: line.name + b"/" if line.mode == FOLDER else line.name)


def lines_of(hub: Path, oid: str) -> list[Line]:
    """Return the lines of a tree."""
    path = _loose(hub, oid)
    found = (
        zlib.decompress(path.read_bytes()).partition(b"\0")[2] if path.exists() else _run(hub, "cat-file", "tree", oid)
    )
    return list(_parsed(found))


def root_of(hub: Path, commit: str = BRANCH) -> str:
    """Return the tree of a commit of the hub."""
    return git(hub, "rev-parse", f"{commit}^{{tree}}")


def grafted(hub: Path, root: str | None, path: Sequence[bytes], mode: str, oid: str) -> str:
    """Return `root` with an entry set at `path`, whose parts may be any bytes; folders are made on the way."""
    lines = lines_of(hub, root) if root else []
    name, *rest = path
    present = next((line for line in lines if line.name == name), None)
    if rest:
        below = present.oid if present is not None and present.mode == FOLDER else None
        new = Line(FOLDER, name, grafted(hub, below, rest, mode, oid))
    else:
        new = Line(mode, name, oid)
    return tree(hub, in_order([*(line for line in lines if line.name != name), new]))


def with_file(hub: Path, root: str | None, path: str, data: bytes) -> str:
    """Return `root` with a plain file in it."""
    return grafted(hub, root, path.encode().split(b"/"), FILE, blob(hub, data))


def plant(hub: Path, root: str, *, env: Mapping[str, str] | None = None, parents: Sequence[str] | None = None) -> str:
    """Commit `root` on top of the hub's governance branch, as somebody without exo, and return the commit."""
    above = [git(hub, "rev-parse", BRANCH)] if parents is None else parents
    words = [word for parent in above for word in ("-p", parent)]
    environ = {"GIT_COMMITTER_NAME": "Mallory", "GIT_AUTHOR_NAME": "Mallory", **(env or {})}
    commit = _run(hub, "commit-tree", root, *words, "-m", "innocent", env=environ).decode().strip()
    git(hub, "update-ref", f"refs/heads/{BRANCH}", commit)
    return commit


def set_tip(hub: Path, commit: str) -> None:
    """Let the hub's governance branch name another commit."""
    git(hub, "update-ref", f"refs/heads/{BRANCH}", commit)


def segment_of(writer: str, number: int = 1) -> str:
    """Return the path of a writer's segment."""
    return f"ledger/{writer[:2]}/{writer}/{number:06}.jsonl"


def _loose(hub: Path, oid: str) -> Path:
    return hub / "objects" / oid[:2] / oid[2:]


def _parsed(data: bytes) -> Iterator[Line]:
    place = 0
    while place < len(data):
        space = data.index(b" ", place)
        end = data.index(b"\0", space)
        oid = data[end + 1 : end + 1 + _OID_BYTES].hex()
        yield Line(data[place:space].decode(), data[space + 1 : end], oid)
        place = end + 1 + _OID_BYTES


def _run(cwd: Path, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    done = subprocess.run(
        ["git", *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
