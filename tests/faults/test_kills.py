"""`kill -9` over the commands of the main job: what was acknowledged stays, nothing is half there, the next call heals.

Two ways to choose the moment. `step`: the process kills itself just before its Nth change of the file system, lock or
child process, for every N that there is, so each gap between two writes is met. `moment`: somebody else kills its
process group after a random time, so the gaps inside a write, in SQLite and on the network are met too.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support.forked import Forks, Work, forks
from tests.support.kills import STORIES, Finish, Start, Story
from tests.support.kills_beside import BESIDE
from tests.support.kills_policy import POLICY
from tests.support.kills_sessions import SESSIONS
from tests.support.kills_tickets import TICKETS
from tests.support.process import Ran
from tests.support.wholeness import Left, check_audit, check_whole, ledger, left_in, litter, lost, operations, tip
from tests.support.working import a_shop

MOMENTS_LONG: Final = 50
MOMENTS_DAY: Final = 150
LATER: Final = 1.05
SOONER: Final = 0.85
"""How the moments follow a command that takes longer as clone and load grow: about one kill in four comes too late."""
_STEPS_MAX: Final = 400
EVERY: Final = (*STORIES, *SESSIONS, *BESIDE, *POLICY, *TICKETS)
DAY: Final[tuple[type[Story], ...]] = (Start, Finish, *SESSIONS)
"""What a session goes through, in one clone, in any order."""


class Kill(NamedTuple):
    """One kill: how it was asked for, and whether it came before the command had ended."""

    hit: bool
    left: Left


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Forks]:
    """Processes that have imported everything."""
    with forks(tmp_path / "forks") as running:
        yield running


def begun(kind: type[Story], folder: Path, server: Forks) -> Story:
    """Return a story about to be told, in clones of its own."""
    story = kind(a_shop(folder, clones=2, tickets=3), server)
    story.settle(server.run(story.clone, *story.prepare(), "--json"))
    return story


def told(story: Story, work: Work, after_seconds: float | None) -> Kill:
    """Kill one command, look at what is left, go on, and assert that everything is whole; a failure names the kill."""
    try:
        return _told(story, work, after_seconds)
    except BaseException as error:  # the end of the time is one too
        error.add_note(f"{story.name}, round {story.number}: {work}, killed after {after_seconds} s")
        raise


def _told(story: Story, work: Work, after_seconds: float | None) -> Kill:
    before, old = ledger(story.clone), tip(story.clone)
    call = story.server.start(work)
    ran: Ran = call.wait() if after_seconds is None else call.kill(after_seconds=after_seconds)
    assert ran.exit in {0, -9}, (work, ran)
    left = left_in(story.clone)
    made = operations(story.clone, old)
    assert len([subject for subject in made if f" {story.operation}" in subject]) <= 1, made
    story.settle(ran)
    assert not lost(before, ledger(story.clone))
    check_whole(story.clone)
    check_audit(story.server, story.clone)
    assert litter(Path(str(story.shop.hub))) == []
    return Kill(ran.exit == -9, left)


def by_step(story: Story, number: int) -> Kill:
    """Kill before the Nth change."""
    return told(story, Work(story.clone, (*story.prepare(), "--json"), die_at=number), None)


def by_moment(story: Story, after_seconds: float) -> Kill:
    """Kill after a while."""
    return told(story, Work(story.clone, (*story.prepare(), "--json")), after_seconds)


def by_moments(stories: Sequence[Story], chance: random.Random, number: int) -> list[Kill]:
    """Kill so many commands, each of one of the stories, at moments anywhere in them."""
    took = {story.name: min(duration(story) for _ in range(3)) for story in stories}
    kills: list[Kill] = []
    for _ in range(number):
        story = chance.choice(stories)
        kills.append(by_moment(story, chance.uniform(0, took[story.name])))
        took[story.name] *= LATER if kills[-1].hit else SOONER
    return kills


def duration(story: Story) -> float:
    """Return how long the command takes when nobody kills it."""
    args = (*story.prepare(), "--json")
    began = time.monotonic()
    ran = story.server.run(story.clone, *args)
    taken = time.monotonic() - began
    story.settle(ran)
    return taken


def report(name: str, kills: list[Kill]) -> None:
    """Print what was met."""
    hit = [kill for kill in kills if kill.hit]
    count = Counter(field for kill in hit for field in Left._fields if getattr(kill.left, field))
    print(f"{name}: {len(kills)} kills, {len(hit)} in the work, left in the middle of: {dict(sorted(count.items()))}")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_a_command_that_is_killed_happened_or_did_not_and_the_next_one_heals(
    kind: type[Story], tmp_path: Path, server: Forks
) -> None:
    story = begun(kind, tmp_path, server)
    chance = random.Random(kind.name)
    steps, moments = kind.kills_short
    took = duration(story) if moments else 0.0
    kills = [by_step(story, chance.randint(1, 60)) for _ in range(steps)]
    kills += [by_moment(story, chance.uniform(0, took)) for _ in range(moments)]
    report(kind.name, kills)
    assert any(kill.hit for kill in kills)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_a_command_is_killed_before_each_of_its_changes(kind: type[Story], tmp_path: Path, server: Forks) -> None:
    story = begun(kind, tmp_path, server)
    kills: list[Kill] = []
    for number in range(1, _STEPS_MAX):
        kills.append(by_step(story, number))
        if not kills[-1].hit:
            break
    report(f"{kind.name}, each step", kills)
    assert not kills[-1].hit
    assert any(kill.left.transaction for kill in kills)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_a_command_is_killed_at_random_moments(kind: type[Story], tmp_path: Path, server: Forks) -> None:
    story = begun(kind, tmp_path, server)
    kills = by_moments([story], random.Random(f"{kind.name} moments"), MOMENTS_LONG)
    report(f"{kind.name}, random moments", kills)
    assert len([kill for kill in kills if kill.hit]) > MOMENTS_LONG // 4


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_day_of_sessions_is_killed_at_random_moments(tmp_path: Path, server: Forks) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    stories = [kind(shop, server) for kind in DAY]
    kills = by_moments(stories, random.Random("a day of sessions"), MOMENTS_DAY)
    report("a day of sessions, random moments", kills)
    assert len([kill for kill in kills if kill.hit]) > MOMENTS_DAY // 4
