"""`kill -9` in the middle of a sync, here and at the hub: nothing is lost, both sides are sound, the next sync goes on.

Three ways to die, with news on both sides each time. `clone`: our process group is killed at a random moment. `server`:
the git that serves the hub is, by a `git` on the search path that gives it so many milliseconds. `hook`: a hook of the
hub kills the server that called it, before or after the branch moved there.
"""

import contextlib
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support.forked import Forks, Work, forks
from tests.support.kills import Sync
from tests.support.process import Ran
from tests.support.repositories import GitFailedError, git
from tests.support.wholeness import check_audit, check_whole, code_of, ledger, litter, lost, tip
from tests.support.working import a_shop

WAYS: Final = ("clone", "server", "hook")
KILLS_SHORT: Final = 4
KILLS_LONG: Final[Mapping[str, int]] = {"clone": 150, "server": 90, "hook": 60}
EVERY: Final = 5
"""So many kills apart the other clone is looked at as closely, too."""
TRIES_MAX: Final = 20
HOOKS: Final = ("pre-receive", "update", "post-receive", "post-update", "prepared", "committed")
_SERVICES: Final = ("upload-pack", "receive-pack")
_WRAPPER: Final = """\
#!/bin/sh
if [ "$1" = "$EXO_TEST_SERVICE" ]; then
    exec timeout --foreground -s KILL "$EXO_TEST_SECONDS" "{git}" "$@"
fi
exec "{git}" "$@"
"""
_HOOK: Final = '#!/bin/sh\n{guard}rm -f -- "$0"\nkill -9 $PPID\n'
_BROKEN: Final = frozenset({"REMOTE_UNREACHABLE", "REMOTE_DENIED", "SYNC_UNKNOWN", "SYNC_CONTENDED", "TIMEOUT"})
"""What a sync may answer whose hub died under it."""


class Kill(NamedTuple):
    """One kill: whether it came in time, what the command answered, and which of git's locks the hub was left with."""

    hit: bool
    answer: str
    hub_locks: tuple[str, ...]


class Scene(NamedTuple):
    """Two clones with news for each other, a hub, and a search path whose git can be told to die."""

    story: Sync
    chance: random.Random
    took: float
    path: str

    @property
    def hub(self) -> Path:
        """The hub's folder."""
        assert self.story.shop.hub is not None
        return self.story.shop.hub


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Forks]:
    """Processes that have imported everything."""
    with forks(tmp_path / "forks") as running:
        yield running


def a_scene(folder: Path, server: Forks, seed: str) -> Scene:
    """Make clones, and measure how long a sync takes when nobody dies."""
    story = Sync(a_shop(folder, clones=2, tickets=1), server)
    taken = []
    for _ in range(2):
        args = story.prepare()
        began = time.monotonic()
        ran = server.run(story.clone, *args, "--json")
        taken.append(time.monotonic() - began)
        story.settle(ran)
    wrapped = folder / "bin" / "git"
    wrapped.parent.mkdir()
    wrapped.write_text(_WRAPPER.format(git=shutil.which("git")))
    wrapped.chmod(0o755)
    return Scene(story, random.Random(seed), min(taken), str(wrapped.parent))


def killed(scene: Scene, way: str) -> Ran:
    """Start a sync and let it, or the hub, die."""
    story = scene.story
    args = (*story.prepare(), "--json")
    match way:
        case "clone":
            return story.server.start(Work(story.clone, args)).kill(
                after_seconds=scene.chance.uniform(0, 1.1 * scene.took)
            )
        case "server":
            env = {
                "PATH": f"{scene.path}:{os.environ['PATH']}",
                "EXO_TEST_SERVICE": scene.chance.choice(_SERVICES),
                # A server lives for a small part of the whole.
                "EXO_TEST_SECONDS": f"{0.002 + scene.took / 2 * scene.chance.random() ** 3:.4f}",
            }
            return story.server.run(story.clone, *args, env=env)
        case _:
            _hang(scene.hub, scene.chance.choice(HOOKS))
            return story.server.run(story.clone, *args)


def told(scene: Scene, way: str) -> Kill:
    """Kill once, look at both sides, go on, and assert that nothing is lost and everybody ends with everything."""
    story = scene.story
    before = ledger(story.clone) | ledger(scene.hub)
    ran = killed(scene, way)
    answer = code_of(ran.out) if ran.exit not in {0, -9} else ""
    assert ran.exit in {0, -9} or (way != "clone" and answer in _BROKEN), (way, ran)
    locks = _tidied(scene.hub) if way != "clone" else ()  # a server that outlives us for a moment holds its own
    _settled(scene.hub)
    git(story.clone, "fsck", "--strict", "--no-dangling")
    story.settle(Ran(-9 if ran.exit else 0, ran.out, ran.err, ran.data))
    assert not lost(before, ledger(story.clone))
    assert git(story.clone / ".exo", "status", "--porcelain") == ""
    check_audit(story.server, story.clone)
    if story.number % EVERY == 0:
        for clone in story.shop.clones:
            check_whole(clone)
            check_audit(story.server, clone)
    assert tip(scene.hub) == tip(story.clone)
    assert litter(scene.hub) == []
    return Kill(ran.exit == -9 or answer != "", answer, locks)


def report(way: str, kills: list[Kill]) -> None:
    """Print what was met."""
    answers = Counter(kill.answer for kill in kills if kill.answer)
    locked = sum(bool(kill.hub_locks) for kill in kills)
    hit = sum(kill.hit for kill in kills)
    print(f"{way}: {len(kills)} kills, {hit} noticed, answers {dict(answers)}, {locked} left a lock on the hub")


@pytest.mark.parametrize("way", WAYS)
def test_a_sync_that_dies_here_or_at_the_hub_is_gone_on_with(tmp_path: Path, server: Forks, way: str) -> None:
    _skip_without_timeout(way)
    scene = a_scene(tmp_path, server, f"{way} short")
    kills = [told(scene, way) for _ in range(KILLS_SHORT)]
    report(way, kills)
    assert len(kills) == KILLS_SHORT


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", WAYS)
def test_three_hundred_syncs_that_die_here_or_at_the_hub(tmp_path: Path, server: Forks, way: str) -> None:
    _skip_without_timeout(way)
    scene = a_scene(tmp_path, server, way)
    kills = [told(scene, way) for _ in range(KILLS_LONG[way])]
    report(way, kills)
    assert sum(kill.hit for kill in kills) > KILLS_LONG[way] // 4


def _skip_without_timeout(way: str) -> None:
    if way == "server" and shutil.which("timeout") is None:
        pytest.skip("no `timeout` of coreutils here")


def _hang(hub: Path, name: str) -> None:
    """Install a hook that kills its caller once; `prepared` and `committed` are states of a change of refs."""
    is_state = name in {"prepared", "committed"}
    hook = hub / "hooks" / ("reference-transaction" if is_state else name)
    guard = f'[ "$1" = {name} ] || exit 0\n' if is_state else ""
    hook.write_text(_HOOK.format(guard=guard))
    hook.chmod(0o755)


def _settled(hub: Path) -> None:
    """Wait for a server that outlived its client: git's check, when refs move under it, finds what is not so."""
    for _ in range(TRIES_MAX - 1):
        with contextlib.suppress(GitFailedError):
            git(hub, "fsck", "--strict", "--no-dangling")
            return
    git(hub, "fsck", "--strict", "--no-dangling")


def _tidied(hub: Path) -> tuple[str, ...]:
    """Do what the owner of a hub does after a crash: take away the hook, and locks whose git is dead; return these."""
    for hook in (hub / "hooks").iterdir():
        if hook.suffix != ".sample":
            hook.unlink()
    found = tuple(litter(hub))
    for name in found:
        (hub / name).unlink()
    return found
