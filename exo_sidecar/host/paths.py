"""Paths as they stand on the disk, for whoever judges what may be done to them (docs/kernel.md, "Fence").

A path has two places: as it is written, with `..` taken out, and where it leads when every link in it is followed. A
link may lead out of a fence and a name may look as if it did, so both are told, and each under every name that a
pattern can have. Nothing here decides; what cannot be found out is said as the fault of the path.
"""

import contextlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.git import locate
from exo_sidecar.host import checkout
from exo_sidecar.model.action import Area, PathFacts
from exo_sidecar.model.action import Place as Spot

WORKTREES_MAX: Final = 10_000
"""Linked worktrees that are looked at; nobody has more."""
PATHS_MAX: Final = 1000
"""Paths of one question to git."""
_LINE_MAX_BYTES: Final = 8192
_GIT_NAMES: Final = frozenset({".git", "git~1"})
_INVISIBLE: Final = dict.fromkeys((*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF))
"""Characters that some file systems drop from names, so that `.g\\u200cit` is git's folder there."""
_EXO: Final = ".exo"


class Survey(NamedTuple):
    """Where everything lies that a path can fall into; all folders are real."""

    top: Path
    """The checkout's root."""
    folder: Path
    """What relative paths begin at."""
    home: Path | None
    roots: tuple[tuple[str, Area], ...]
    """Folders of each area, the deepest first."""
    folds_case: bool


def survey(place: locate.Place, folder: Path, home: Path | None) -> Survey | None:
    """Return where everything lies around a checkout; None in a bare repository, which has none."""
    if place.worktree is None:
        return None
    top = Path(os.path.realpath(place.worktree))
    mount = locate.mount_of(place.common)
    found: list[tuple[str, Area]] = [(str(top), "checkout")]
    found += [(os.path.realpath(each), "git") for each in {place.common, place.git_dir}]
    main = locate.main_worktree(place)
    others = {os.path.realpath(each) for each in (*_linked(place.common), *([main] if main else []))}
    mounted = {os.path.realpath(mount)} if mount else set()
    found += [(each, "mount") for each in mounted]
    found += [(each, "worktree") for each in others - mounted - {str(top)}]
    roots = tuple(sorted(found, key=lambda root: (-len(root[0]), root)))
    return Survey(top, folder, home, roots, _folds_case(top))


def facts(around: Survey, asked: Sequence[str], *, with_git: bool = True) -> tuple[PathFacts, ...]:
    """Return what is known of each path, in their order; whether git has them is asked once for all.

    Only a removal is judged by that: for anything else `with_git=False` spares starting git.

    Raises:
        CheckoutUnreadable, TimedOut, GitRequired: git cannot say what it has.
    """
    found = [_facts(around, text) for text in asked]
    if not with_git:
        return tuple(found)
    names = [each.written.checkout for each in found if each.written.area == "checkout" and not each.fault]
    tracked = _tracked(around, [name for name in names if name])
    return tuple(
        msgspec.structs.replace(each, tracked=True)
        if each.written.checkout is not None and _fold(each.written.checkout, around) in tracked
        else each
        for each in found
    )


def _facts(around: Survey, asked: str) -> PathFacts:
    nowhere = Spot(area="outside", checkout=None, home=None, root="")
    fault = _name_fault(asked)
    if fault:
        return PathFacts(asked=asked, written=nowhere, resolved=nowhere, fault=fault)
    path = _begun(around, asked)
    written = _spot(around, _rebased(around, _normal(path)))
    try:
        real, status = _real(path)
    except OSError as error:
        fault = f"it cannot be followed: {error.strerror or error}"
        return PathFacts(asked=asked, written=written, resolved=written, fault=fault, folds_case=around.folds_case)
    is_folder = status is not None and stat.S_ISDIR(status.st_mode)
    return PathFacts(
        asked=asked,
        written=written,
        resolved=_spot(around, real),
        exists=status is not None,
        is_folder=is_folder,
        is_link=status is not None and stat.S_ISLNK(status.st_mode),
        folds_case=around.folds_case,
        holds=_held(around, real) if is_folder else (),
    )


def _name_fault(asked: str) -> str:
    if not asked or "\0" in asked:
        return "no file has such a name"
    if asked.startswith("~") and asked != "~" and not asked.startswith("~/"):
        return "it names the home folder of another user"
    return ""


def _begun(around: Survey, asked: str) -> str:
    """Return the path from the root on, nothing in it resolved."""
    if asked == "~" or asked.startswith("~/"):
        return str(around.home) + asked[1:] if around.home else os.path.join(around.folder, asked)  # noqa: PTH118
    return os.path.join(around.folder, asked)  # noqa: PTH118  pathlib takes a slash at the end away


def _real(path: str) -> tuple[str, os.stat_result | None]:
    """Return where a path leads, and what is there itself, None when nothing is; OSError when it cannot be followed."""
    try:
        real = os.path.realpath(path, strict=True)
    except FileNotFoundError:
        real = os.path.realpath(path)
        with contextlib.suppress(FileNotFoundError):  # behind what is missing a `..` may come back to what is not
            os.path.realpath(real, strict=True)
    try:
        return real, os.lstat(path)
    except FileNotFoundError:
        return real, None


def _normal(path: str) -> str:
    """Return a path without dots and empty parts; two slashes at its beginning are one, whatever POSIX leaves open."""
    found = os.path.normpath(path)
    return found[1:] if found.startswith("//") else found


def _rebased(around: Survey, path: str) -> str:
    """Return a path below the checkout's real folder when it enters the checkout by another way to that folder.

    Of several ways in, the outermost counts: the name is then the longest, and a link within stays part of it.
    """
    wanted = around.top.stat()
    for parent in (*reversed(Path(path).parents), Path(path)):
        try:
            found = parent.stat()
        except OSError:
            break
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return os.path.normpath(around.top / Path(path).relative_to(parent))
    return path


def _spot(around: Survey, path: str) -> Spot:
    """Return the place of a path without links or dots in the way that it is to be judged."""
    root, area = next(((root, area) for root, area in around.roots if _is_below(around, path, root)), ("/", "outside"))
    within = _rest(path, root)
    name = _rest(path, str(around.top)) if _is_below(around, path, str(around.top)) else None
    if area == "git":
        name = _joined(".git", within)
    elif area == "mount":
        name = _joined(_EXO, within)
    elif name is not None and area == "checkout":
        parts = name.split("/")
        if any(_is_git_name(part) for part in parts):
            area = "git"
        elif parts[0] == _EXO or _fold(parts[0], around) == _EXO:
            area, within = "mount", "/".join(parts[1:])
    return Spot(area=area, checkout=name, home=_home_name(around, path), root=path.strip("/"), within=within)


def _home_name(around: Survey, path: str) -> str | None:
    if around.home is None:
        return None
    homes = dict.fromkeys((os.path.normpath(around.home), os.path.realpath(around.home)))
    return next((_rest(path, home) for home in homes if _is_below(around, path, home)), None)


def _held(around: Survey, path: str) -> tuple[Area, ...]:
    """Return the areas whose folder lies below a folder."""
    return tuple(sorted({area for root, area in around.roots if root != path and _is_below(around, root, path)}))


def _is_below(around: Survey, path: str, root: str) -> bool:
    """Whether a path is a folder or lies in it."""
    path, root = _fold(path, around), _fold(root, around).rstrip("/")
    return path == root or path.startswith(f"{root}/")


def _rest(path: str, root: str) -> str:
    """Return a path from a folder above it on; names keep their length when their case is folded away by `_fold`."""
    depth = len([part for part in root.split("/") if part])
    return "/".join([part for part in path.split("/") if part][depth:])


def _joined(name: str, rest: str) -> str:
    return f"{name}/{rest}" if rest else name


def _fold(text: str, around: Survey) -> str:
    return unicodedata.normalize("NFC", text).casefold() if around.folds_case else text


def _is_git_name(name: str) -> bool:
    return name.translate(_INVISIBLE).casefold() in _GIT_NAMES


def _folds_case(top: Path) -> bool:
    try:
        return os.path.samestat(os.lstat(top / ".git"), os.lstat(top / ".GIT"))
    except OSError:
        return False


def _linked(common: Path) -> Iterator[Path]:
    """Yield the folders of linked worktrees, the mount's among them, whether or not they still exist."""
    try:
        entries = [*islice(os.scandir(common / "worktrees"), WORKTREES_MAX)]
    except OSError:
        return
    for entry in sorted(entries, key=lambda each: each.name):
        try:
            with (common / "worktrees" / entry.name / "gitdir").open("rb") as file:
                line = os.fsdecode(file.read(_LINE_MAX_BYTES)).strip()
        except OSError:
            continue
        if line:
            yield Path(os.path.normpath(common / "worktrees" / entry.name / line)).parent


def _tracked(around: Survey, names: Sequence[str]) -> frozenset[str]:
    """Return those of the names, folded, that git has in its index, or something below them."""
    found = {name for name in names if not name.isprintable()}  # git's answer would show it in other characters
    wanted = {_fold(name, around) for name in names}
    for start in range(0, len(names), PATHS_MAX):
        words = ":(top,literal,icase)" if around.folds_case else ":(top,literal)"
        specs = [f"{words}{name}" for name in names[start : start + PATHS_MAX]]
        said = checkout.ask(around.top, "ls-files", "-z", "--cached", "--", *specs)
        for path in said.split("\0"):
            found.update(wanted.intersection(_above(_fold(path, around))))
    return frozenset(found)


def _above(path: str) -> Iterable[str]:
    """Return a path and every folder that it lies in."""
    parts = path.split("/")
    return ("/".join(parts[: place + 1]) for place in range(len(parts)))
