"""Samples: how long something took, several times. The minimum is judged, because other work only ever adds."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

TIMEOUT_SECONDS: Final = 3600.0
EXO: Final = (sys.executable, "-P", "-m", "exo_sidecar")
_ALONE: Final = Path(__file__).with_name("alone.py")


class Sample(NamedTuple):
    """Several runs of one thing, in milliseconds."""

    runs: int
    least: float
    median: float


class Used(NamedTuple):
    """What one program took: milliseconds, milliseconds of a processor, and the most memory that it had."""

    ms: float
    processor_ms: float
    mib: float


class Ended(NamedTuple):
    """How one program ended, what it wrote to its stdout, and what it took."""

    exit: int
    out: str
    used: Used


class Budget(NamedTuple):
    """What a figure may be at most; `value` is what was found."""

    text: str
    value: float
    limit: float

    @property
    def is_kept(self) -> bool:
        """Whether it holds."""
        return self.value <= self.limit


class Row(NamedTuple):
    """A line of the table."""

    what: str
    sample: Sample | None
    compared: str = ""
    """The ratio and what it is to, or another figure."""
    budgets: tuple[Budget, ...] = ()


class Group(NamedTuple):
    """Rows about one thing."""

    title: str
    rows: tuple[Row, ...]


def sample(runs: int, act: Callable[[int], float | None]) -> Sample:
    """Run `act` with 0, 1, 2 ... and return how long it took; it may say itself how many milliseconds count."""
    taken: list[float] = []
    for number in range(runs):
        began = time.perf_counter()
        own = act(number)
        taken.append((time.perf_counter() - began) * 1000 if own is None else own)
    return Sample(runs, min(taken), statistics.median(taken))


def of(taken: Sequence[float]) -> Sample:
    """Return the sample of runs that took so many milliseconds."""
    return Sample(len(taken), min(taken), statistics.median(taken))


def in_turn(runs: int, one: Callable[[int], None], other: Callable[[int], None]) -> tuple[Sample, Sample]:
    """Measure two things turn by turn, so that both meet the same machine."""
    pairs = [(sample(1, one).least, sample(1, other).least) for _ in range(runs)]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return (
        Sample(runs, min(first), statistics.median(first)),
        Sample(runs, min(second), statistics.median(second)),
    )


def program(runs: int, argv: Callable[[int], Sequence[str]], cwd: Path) -> Sample:
    """Measure whole processes; the first, uncounted run loads the caches of the disk."""
    started(argv(-1), cwd)
    return sample(runs, lambda number: started(argv(number), cwd))


def started(argv: Sequence[str], cwd: Path) -> None:
    """Run a program to its end; it must go well."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    if done.returncode != 0:
        message = f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.decode()}{done.stdout.decode()}"
        raise RuntimeError(message)


def used(argv: Sequence[str], cwd: Path) -> Used:
    """Run a program to its end, which must go well, and return what it took."""
    ended = weighed(argv, cwd)
    if ended.exit != 0:
        message = f"{' '.join(argv)} ended with {ended.exit}: {ended.out}"
        raise RuntimeError(message)
    return ended.used


def weighed(argv: Sequence[str], cwd: Path) -> Ended:
    """Run a program to its end, however it goes, and return what it took, without what this process holds."""
    done = subprocess.run(
        (sys.executable, "-P", str(_ALONE), *argv),
        cwd=cwd,
        stdout=subprocess.PIPE,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    found = json.loads(done.stdout)
    return Ended(found["exit"], found["out"], Used(**found["used"]))


def ratio(found: Sample, to: Sample) -> float:
    """Return how many times as long it took."""
    return found.least / to.least


def floor(runs: int, cwd: Path) -> Sample:
    """Measure a Python that does nothing."""
    return program(runs, lambda _: (sys.executable, "-c", "pass"), cwd)
