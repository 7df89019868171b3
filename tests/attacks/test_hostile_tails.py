"""Lines that follow no event: a few are kept and count for nothing, many are refused before anything is united."""

from pathlib import Path

import pytest

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.store import union
from exo_sidecar.sync import verified
from tests.support import hostile
from tests.support.besieged import Siege, a_siege, besieged
from tests.support.inprocess import exo_in_process
from tests.support.ledgers import Writer, changed
from tests.support.repositories import a_clone
from tests.support.stores import noted

LIMIT = 20_000
TOO_MANY = "follow no event"
T1 = "TICKET-T1"


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let little be too much, so that the attacks are quick to make."""
    monkeypatch.setattr(verified, "TAILS_BYTES_MAX", LIMIT)


def noise(size: int) -> bytes:
    """Return lines that are no events."""
    return (b"x" * 199 + b"\n") * (size // 200)


def linked_nonsense(size: int) -> bytes:
    """Return lines that each name the one before as an event does, and are none."""
    lines = [b"0"]
    while sum(map(len, lines)) < size:
        lines.append(b'{"note":"' + b"x" * 200 + b'","prev":"' + sha256_hex(lines[-1]).encode() + b'"}')
    return b"".join(line + b"\n" for line in lines)


def events_that_stand_loose(size: int) -> bytes:
    """Return events of one writer, each without the one before it."""
    line = Writer("e").write(noted(T1, "x" * 300)).lines[0]
    places = range(2, 2 + 2 * (size // len(line) + 1), 2)
    return b"".join(changed(line, seq=place, prev="7" * 64) + b"\n" for place in places)


KINDS = {"noise": noise, "linked nonsense": linked_nonsense, "loose events": events_that_stand_loose}


def planted(siege: Siege, *segments: tuple[str, int, bytes]) -> None:
    """Put segments on the hub, on top of its good tree."""
    root = siege.root
    for writer, number, data in segments:
        root = hostile.with_file(siege.hub, root, hostile.segment_of(writer, number), data)
    hostile.plant(siege.hub, root)


@pytest.mark.parametrize("kind", KINDS)
def test_more_lines_that_follow_nothing_than_the_limit_are_refused(siege: Siege, kind: str) -> None:
    planted(siege, ("e" * 16, 1, KINDS[kind](2 * LIMIT)))
    assert TOO_MANY in siege.refused()
    siege.put_right()
    siege.ends_well()


def test_they_are_refused_however_they_are_spread(siege: Siege, monkeypatch: pytest.MonkeyPatch) -> None:
    def unite(*_: object) -> None:
        message = "something was united"
        raise AssertionError(message)

    monkeypatch.setattr(union, "unite", unite)
    planted(siege, *((f"spread{number:010}", 1, noise(LIMIT // 8)) for number in range(10)))
    assert TOO_MANY in siege.refused()
    one_each = [("gap" + "0" * 13, number, b"x" * (LIMIT // 8) + b"\n") for number in range(1, 40, 4)]
    planted(siege, *one_each)
    assert TOO_MANY in siege.refused()
    siege.put_right()


def test_up_to_the_limit_they_are_left_out_by_name_and_stop_nobody(tmp_path: Path) -> None:
    siege = a_siege(tmp_path)
    planted(siege, ("few" + "0" * 13, 1, noise(LIMIT // 2)))
    synced = siege.shop.ok(1, "sync")
    assert [each["count"] for each in synced["quarantined"] if each["event"].startswith("few")] == [LIMIT // 400]
    siege.ends_well()


def test_what_was_let_in_leaves_room_for_no_more_than_the_next_clone_takes(tmp_path: Path) -> None:
    """Little by little would be as bad: a clone that joins later gets it all at once."""
    siege = a_siege(tmp_path)
    planted(siege, ("more" + "0" * 12, 1, noise(LIMIT // 4)))
    siege.left_out()
    again = besieged(siege.shop)
    planted(again, ("most" + "0" * 12, 1, noise(LIMIT * 9 // 10)))
    assert TOO_MANY in again.refused()
    again.put_right()
    again.ends_well()
    late = a_clone(siege.hub, "late")
    ran = exo_in_process(late, "init", "--json")
    assert ran.exit == 0, ran.out
