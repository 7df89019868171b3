"""The fence told a second time, straight from its description: real links followed by hand, globs by their oracle.

Nothing here is shared with what is tested but the types. It is slow: what may lie below a folder is tried out.
"""

import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.model.action import Fence
from exo_sidecar.model.rule import FilesystemAllow, FilesystemDeny, PatchFirst, RequireLock, Rule
from tests.support import glob_oracle

LINKS_MAX: Final = 40
BELOW: Final = ("a", "b.py", ".env", "keys", "x", "é", "rules.md", "deep")


class World(NamedTuple):
    """Folders of a test, all of them real."""

    top: str
    home: str
    areas: Mapping[str, str]
    """Which area begins at a folder."""
    tracked: frozenset[str]
    """Paths from the checkout's root that git has."""


class Spot(NamedTuple):
    """A path and its names."""

    area: str
    names: Mapping[str, str]
    """By what a pattern begins with: nothing, `~/`, `/`."""
    within: str


class Asked(NamedTuple):
    """A question: what is to be done with which path."""

    action: str
    text: str


def judge(world: World, asked: Asked, fence: Fence) -> tuple[str, str]:
    """Return the decision and its layer."""
    for layer, refuses in _layers(world, asked, fence):
        if refuses:
            return "deny", layer
    return "allow", "allowed"


def _layers(world: World, asked: Asked, fence: Fence) -> Iterable[tuple[str, bool]]:
    text = asked.text
    if not text or "\0" in text or (text.startswith("~") and text != "~" and not text.startswith("~/")):
        yield "action", True
        return
    path = world.home + text[1:] if text.startswith("~") else text if text.startswith("/") else f"{world.top}/{text}"
    followed = follow(path)
    yield "action", followed is None
    if followed is None:
        return
    spots = [spot(world, entered(world, plain(path))), spot(world, followed)]
    changes = asked.action in {"write", "delete"}
    folder = _is_folder(path)
    whole = folder and asked.action == "delete"
    yield "mount", changes and _in_mount(spots, fence)
    inner = [each for each in world.areas if each != followed and each.startswith(f"{followed.rstrip('/')}/")]
    removes_all = any(each.names.get("") == "" for each in spots)
    yield "mount", asked.action == "delete" and (removes_all or (folder and bool(inner)))
    rules = [rule for rule in fence.seal.rules if fence.actor in rule.actors] if fence.seal else []
    yield "session", changes and fence.fenced
    yield "session", not fence.holds and any(_locks(rule, asked.action, spots, whole=whole) for rule in rules)
    yield "role", changes and fence.role is not None and asked.action not in fence.role.may
    yield "scope_allow", changes and any(each.area not in {"checkout", "mount"} for each in spots)
    allow = fence.scope.allow if fence.scope else ("**",)
    yield "scope_allow", changes and fence.scope is not None and not _allows(allow, spots, whole=whole)
    yield "scope_deny", fence.scope is not None and _hits(fence.scope.deny, spots, whole=whole)
    locked = [pattern for each in (fence.seal.locked_paths if fence.seal else ()) for pattern in each.patterns]
    yield "scope_deny", fence.actor == "agent" and changes and _hits(locked, spots, whole=whole)
    lifts = [rule for rule in rules if isinstance(rule, FilesystemAllow)]
    yield "filesystem", any(_denies(rule, lifts, asked.action, spots, whole=whole) for rule in rules)
    explicit = [pattern for pattern in allow if pattern != "**"]
    name = spots[0].names.get("")
    known = name is not None and any(each == name or each.startswith(f"{name}/") for each in world.tracked)
    is_removal = asked.action == "delete" and spots[0].area == "checkout" and known and fence.scope is not None
    yield "delete", is_removal and not _allows(explicit, spots, whole=whole)


def plain(path: str) -> str:
    """Return a path without dots, links not followed."""
    found: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del found[-1:]
        elif part not in {"", "."}:
            found.append(part)
    return "/" + "/".join(found)


def entered(world: World, path: str) -> str:
    """Return a path as it goes on from the checkout, if one of its folders is the checkout under another name."""
    parts = path.split("/")
    for size in range(1, len(parts) + 1):
        if follow("/".join(parts[:size]) or "/") == world.top:
            return plain(f"{world.top}/{'/'.join(parts[size:])}")
    return path


def follow(path: str) -> str | None:
    """Return where a path leads, None when that cannot be told."""
    if _is_barred(path):
        return None
    waiting = [part for part in reversed(path.split("/")) if part]
    at, links, gone = "", 0, False
    while waiting:
        part = waiting.pop()
        if part == ".":
            continue
        if part == "..":
            at = at.rpartition("/")[0]
            continue
        here = f"{at}/{part}"
        try:
            mode = os.lstat(here).st_mode
        except FileNotFoundError:  # what follows may come back out of it
            at, gone = here, True
            continue
        except OSError:
            return None
        if stat.S_ISLNK(mode):
            links += 1
            if links > LINKS_MAX:
                return None
            target = str(Path(here).readlink())
            waiting += [each for each in reversed(target.split("/")) if each]
            at = "" if target.startswith("/") else at
            continue
        if waiting and not stat.S_ISDIR(mode) and not (gone and waiting[-1] == ".."):
            return None
        at = here
    return at or "/"


def _is_barred(path: str) -> bool:
    """Whether the system itself cannot go there, for another reason than that nothing is there."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def spot(world: World, path: str) -> Spot:
    """Return the names and the area of a path that has neither dots nor links left."""
    roots = sorted((root for root in world.areas if path == root or path.startswith(f"{root}/")), key=len)
    root = roots[-1] if roots else "/"
    area = world.areas.get(root, "outside")
    within = path[len(root) :].strip("/")
    names = {"/": path.strip("/")}
    if path == world.home or path.startswith(f"{world.home}/"):
        names["~/"] = path[len(world.home) :].strip("/")
    if area == "git":
        names[""] = f".git/{within}".rstrip("/")
    elif area == "mount":
        names[""] = f".exo/{within}".rstrip("/")
    elif path == world.top or path.startswith(f"{world.top}/"):
        names[""] = path[len(world.top) :].strip("/")
        if area == "checkout" and ".git" in names[""].lower().split("/"):
            area = "git"
    return Spot(area, names, within)


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _in_mount(spots: list[Spot], fence: Fence) -> bool:
    own = ("ledger", "governance.lock.json", "policy.sealed.json", "")
    for each in spots:
        kept = each.within in own or each.within.startswith("ledger/")
        if each.area == "git" or (each.area == "mount" and (fence.actor == "agent" or kept)):
            return True
    return False


def _locks(rule: Rule, action: str, spots: list[Spot], *, whole: bool) -> bool:
    return isinstance(rule, RequireLock) and action in rule.actions and _hits(rule.patterns, spots, whole=whole)


def _denies(rule: Rule, lifts: list[FilesystemAllow], action: str, spots: list[Spot], *, whole: bool) -> bool:
    if isinstance(rule, PatchFirst):
        return action in {"write", "delete"} and _hits(rule.patterns, spots, whole=whole)
    if not isinstance(rule, FilesystemDeny) or action not in rule.actions:
        return False
    for each in spots:
        if _hits(rule.patterns, [each], whole=whole) and not any(
            rule.id in lift.overrides and action in lift.actions and _lifted(lift.patterns, each, whole=whole)
            for lift in lifts
        ):
            return True
    return False


def _hits(patterns: Iterable[str], spots: list[Spot], *, whole: bool) -> bool:
    return any(_hit(pattern, path) for pattern in patterns for each in spots for path in _paths(pattern, each, whole))


def _lifted(patterns: Iterable[str], each: Spot, *, whole: bool) -> bool:
    if whole:
        return _allows(patterns, [each], whole=True)
    return any(_hit(pattern, path) for pattern in patterns for path in _paths(pattern, each, whole=False))


def _allows(patterns: Iterable[str], spots: list[Spot], *, whole: bool) -> bool:
    listed = list(patterns)
    for each in spots:
        if "" not in each.names:
            return False
        name = each.names[""]
        wanted = [f"{name}/{rest}".lstrip("/") for rest in _rests()] if whole else [name]
        if not all(any(_hit(pattern, path) for pattern in listed) for path in wanted):
            return False
    return True


def _paths(pattern: str, each: Spot, whole: bool) -> list[str]:  # noqa: FBT001 - one word, read where it is made
    begins = "~/" if pattern.startswith("~/") else "/" if pattern.startswith("/") else ""
    if begins not in each.names:
        return []
    name = each.names[begins]
    return [name, *(f"{name}/{rest}".lstrip("/") for rest in _rests())] if whole else [name]


def _rests() -> list[str]:
    return ["/".join(each) for depth in (1, 2) for each in product(BELOW, repeat=depth)]


def _hit(pattern: str, path: str) -> bool:
    inner = pattern.removeprefix("~/") if pattern.startswith("~/") else pattern.removeprefix("/")
    composed = unicodedata.normalize("NFC", inner), unicodedata.normalize("NFC", path)
    return bool(path) and glob_oracle.matches(*composed) if path or inner != "**" else True
