"""Checkouts with work in them of every sort, and what is seen of a checkout: compared before and after."""

import os
import random
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.support.repositories import git, write_files

FILES: Final = {
    "a.txt": "one\ntwo\n",
    "b.txt": "b\n",
    "dir/file": "in a folder\n",
    "dir/other": "x\n",
    "run.sh": "#!/bin/sh\n",
    "gone.txt": "will go\n",
}
"""What is committed."""


def seen(clone: Path) -> tuple[dict[str, tuple[int, bytes]], str, str]:
    """Return every file of a checkout with mode and bytes, the index, and what git finds changed."""
    return dict(_files(clone)), git(clone, "ls-files", "-s"), git(clone, "status", "--porcelain=v2", "-uall")


def _files(clone: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for parent, folders, names in os.walk(os.fsencode(clone)):
        folders[:] = [name for name in folders if name != b".git"]
        for name in (*names, *folders):
            path = Path(os.fsdecode(parent)) / os.fsdecode(name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                yield str(path.relative_to(clone)), (mode, os.fsencode(path.readlink()))
            elif stat.S_ISREG(mode):
                yield str(path.relative_to(clone)), (mode, path.read_bytes())


def nothing_but_head(clone: Path) -> None:
    """Assert that git finds nothing changed, and that ignored files are left alone."""
    assert git(clone, "status", "--porcelain", "-uall") == ""
    assert {name for name, _ in _files(clone)} == {*git(clone, "ls-files").splitlines(), "built.o"}


def modified(clone: Path) -> None:
    write_files(clone, {"a.txt": "changed\n", "dir/file": "changed, and no line end"})


def untracked(clone: Path) -> None:
    write_files(clone, {"new.txt": "new\n", "deep/er/new.txt": "new\n", "dir/new": ""})


def staged(clone: Path) -> None:
    write_files(clone, {"a.txt": "staged\n", "new.txt": "staged\n"})
    git(clone, "add", "a.txt", "new.txt")
    write_files(clone, {"a.txt": "and then changed\n"})


def deleted(clone: Path) -> None:
    (clone / "gone.txt").unlink()
    git(clone, "rm", "-q", "b.txt")
    git(clone, "rm", "-q", "--cached", "run.sh")


def staged_and_deleted(clone: Path) -> None:
    write_files(clone, {"new.txt": "staged\n"})
    git(clone, "add", "new.txt")
    (clone / "new.txt").unlink()


def modes(clone: Path) -> None:
    (clone / "run.sh").chmod(0o755)
    write_files(clone, {"secret": "s\n", "tool": "#!/bin/sh\n"})
    (clone / "secret").chmod(0o600)
    (clone / "tool").chmod(0o700)


def links(clone: Path) -> None:
    (clone / "b.txt").unlink()
    (clone / "b.txt").symlink_to("a.txt")
    (clone / "dangling").symlink_to("/nowhere/at all")
    (clone / "gone.txt").unlink()
    (clone / "gone.txt").symlink_to("dir")


def folders_for_files(clone: Path) -> None:
    (clone / "b.txt").unlink()
    write_files(clone, {"b.txt/inside": "a folder now\n"})
    for name in ("dir/file", "dir/other"):
        (clone / name).unlink()
    (clone / "dir").rmdir()
    write_files(clone, {"dir": "a file now\n"})


def a_link_for_a_folder(clone: Path) -> None:
    (clone / "dir").rename(clone / "moved")
    (clone / "dir").symlink_to("moved")


def names(clone: Path) -> None:
    odd = ("ünïcode", " blanks ", '"quoted"', "line\nfeed", "tab\tand\\", "-dash", "*glob[1]", "ends\r", "日本/語")
    write_files(clone, {name: f"{name}\n" for name in odd})
    Path(os.fsdecode(os.fsencode(clone) + b"/no\xff text")).write_bytes(b"\xff\x00")
    git(clone, "add", "--", ":(literal)*glob[1]")


def binary(clone: Path) -> None:
    (clone / "big.bin").write_bytes(random.Random(1).randbytes(3_000_000))
    (clone / "a.txt").write_bytes(b"\x00\r\n\xff" * 1000)


def announced(clone: Path) -> None:
    write_files(clone, {"later.txt": "later\n", "*": "a star\n"})
    git(clone, "add", "--intent-to-add", "--", "later.txt", ":(literal)*")


def renamed(clone: Path) -> None:
    git(clone, "mv", "a.txt", "z.txt")
    git(clone, "mv", "dir", "folder")


def line_ends(clone: Path) -> None:
    write_files(clone, {".gitattributes": "*.txt text eol=lf\n*.flt filter=up\n"})
    git(clone, "config", "filter.up.clean", "tr a-z A-Z")
    git(clone, "config", "filter.up.smudge", "tr A-Z a-z")
    (clone / "a.txt").write_bytes(b"one\r\ntwo\nmixed\r\n")
    (clone / "word.flt").write_bytes(b"Mixed Case")
    git(clone, "add", "word.flt")


WORKS: Final[tuple[Callable[[Path], None], ...]] = (
    *(modified, untracked, staged, deleted, staged_and_deleted, modes, links, folders_for_files),
    *(a_link_for_a_folder, names, binary, announced, renamed, line_ends),
)
