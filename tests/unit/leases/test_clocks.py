"""Clocks that lie: days off, one per cent off, asleep, restarted. Nobody may be taken over before his ttl is over.

Time here is the world's; each machine reads it at its own rate. A machine that sleeps or whose process is stopped reads
on afterwards, as CLOCK_BOOTTIME does.
"""

import random
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from exo_sidecar.git.oid import Oid
from exo_sidecar.leases import rules
from exo_sidecar.leases.observations import Observations
from exo_sidecar.leases.rules import stale_after_seconds
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import TTL_SECONDS_MAX, TTL_SECONDS_MIN, Lease
from tests.support.leasing import TICKET, a_lease, a_request

CASES: Final = 150
RATE: Final = 0.01
DAY: Final = 86_400


class Machine:
    """A boot clock with a rate and a boot."""

    def __init__(self, chance: random.Random, world: float) -> None:
        self.rate = 1 + chance.uniform(-RATE, RATE)
        self._chance = chance
        self.restart(world)

    def restart(self, world: float) -> None:
        """Begin a new boot: the clock starts again, sometimes above the old reading."""
        self._boot = f"boot-{self._chance.getrandbits(64):x}"
        self._start = world - self._chance.choice((0.0, 1e6))

    def read(self, world: float) -> BootClock:
        """Return the boot clock at a moment of the world."""
        return BootClock(self._boot, (world - self._start) * self.rate)


class Value(NamedTuple):
    """A value of the lease, and the moment of the world at which it was written."""

    oid: Oid
    written: float
    ttl_seconds: int


def a_value(chance: random.Random, world: float) -> Value:
    ttl = chance.choice((TTL_SECONDS_MIN, chance.randrange(TTL_SECONDS_MIN, DAY), TTL_SECONDS_MAX))
    return Value(Oid(f"{chance.getrandbits(160):040x}"), world, ttl)


def story(seed: int, observations: Observations) -> tuple[int, list[str]]:
    """Let a holder beat, sleep and vanish under an observer's eyes; return the take-overs and those that were early."""
    chance = random.Random(seed)
    world = chance.uniform(0, DAY)
    watcher = Machine(chance, world)
    value = a_value(chance, world)
    taken, early = 0, []
    for _ in range(40):
        world += value.ttl_seconds * chance.choice((0.01, 0.3, 0.99, 1.0, 1.2)) + chance.choice((0, 25, 31))
        match chance.randrange(6):
            case 0:
                value = a_value(chance, world)  # a heartbeat: another value
            case 1:
                watcher.restart(world)
            case _:
                pass  # nothing is written; the machine may have slept, its boot clock went on
        clock = watcher.read(world)
        if observations.is_stale(TICKET, value.oid, value.ttl_seconds, clock):
            taken += 1
            if world - value.written < value.ttl_seconds:
                early.append(f"seed {seed}: after {world - value.written:.1f} s of {value.ttl_seconds}")
            value = a_value(chance, world)
        observations.record({TICKET: value.oid}, clock)
    return taken, early


def test_no_take_over_is_early_whatever_rates_and_restarts_do(tmp_path: Path) -> None:
    found = [story(seed, Observations(tmp_path / str(seed))) for seed in range(CASES)]
    assert [line for _, early in found for line in early] == []
    assert sum(taken for taken, _ in found) > CASES, "too few take-overs to show anything"


@pytest.mark.parametrize("ttl", [TTL_SECONDS_MIN, 4 * 3600, TTL_SECONDS_MAX])
@pytest.mark.parametrize("fast", [1 + RATE, 1.0, 1 - RATE])
def test_a_clock_that_is_one_per_cent_off_waits_out_the_whole_ttl(ttl: int, fast: float) -> None:
    waited = stale_after_seconds(ttl) / fast
    assert waited > ttl
    assert waited < (ttl + 31) / (1 - RATE) * 1.01, "and not much longer"


@pytest.mark.parametrize("ttl", [TTL_SECONDS_MIN, 4 * 3600, TTL_SECONDS_MAX])
def test_the_holder_with_the_slower_clock_stops_before_he_is_taken_over(ttl: int) -> None:
    # Two clocks that differ by one per cent: half of it slow here, half of it fast there. The holder stops a margin
    # before the end (operations.keepalive), the others wait a grace beyond it.
    margin = min(30.0, ttl / 10)
    assert (ttl - margin) / (1 - RATE / 2) < stale_after_seconds(ttl) / (1 + RATE / 2)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_wall_clocks_a_day_off_change_no_decision(days: int, tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    value = Oid("a" * 40)
    observations.record({TICKET: value}, BootClock("boot", 0.0))
    told = f"2026-01-{2 + days:02d}T03:04:05Z"
    lease, request = a_lease(), a_request("f" * 32, "SES-BBBB")._replace(now=told)
    for seconds, expected in ((600.0, "LEASE_NOT_STALE"), (637.0, "held")):
        stale = observations.is_stale(TICKET, value, lease.ttl_seconds, BootClock("boot", seconds))
        answer = rules.take_over(lease, request, 0, ours=False, stale=stale)
        assert (answer.state if isinstance(answer, Lease) else answer.code) == expected


def test_after_sigstop_the_boot_clock_has_gone_on_and_the_holder_knows_that_he_is_late(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    value = Oid("b" * 40)
    observations.record({TICKET: value}, BootClock("boot", 10.0))
    awake = BootClock("boot", 10.0 + 600 * 1.01 + 31)
    assert observations.is_stale(TICKET, value, 600, awake)
    assert awake.since(BootClock("boot", 10.0)) == pytest.approx(637.0)


def test_what_was_seen_before_a_restart_counts_for_nothing(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    value = Oid("c" * 40)
    observations.record({TICKET: value}, BootClock("boot-1", 10.0))
    later = BootClock("boot-2", 1e9)
    assert observations.seen_for(TICKET, value, later) == 0.0
    assert not observations.is_stale(TICKET, value, 600, later)
    observations.record({TICKET: value}, later)
    assert not observations.is_stale(TICKET, value, 600, BootClock("boot-2", 1e9 + 600))
    assert observations.is_stale(TICKET, value, 600, BootClock("boot-2", 1e9 + 637))
    assert BootClock("boot-2", 1e9).since(BootClock("boot-1", 10.0)) is None


def test_a_ticket_that_was_away_begins_anew(tmp_path: Path) -> None:
    observations = Observations(tmp_path)
    value = Oid("d" * 40)
    observations.record({TICKET: value}, BootClock("boot", 0.0))
    observations.record({TicketId("TICKET-0002"): value}, BootClock("boot", 1.0), complete=True)
    observations.record({TICKET: value}, BootClock("boot", 700.0))
    assert not observations.is_stale(TICKET, value, 600, BootClock("boot", 800.0))
