"""Growth: what a thousand operations leave in the repository, before and after `git gc`."""

from pathlib import Path
from typing import Final

from tests.bench import timing
from tests.bench.timing import Group, Row
from tests.bench.writing import commits
from tests.support.repositories import git

OPERATIONS: Final = 1000
_KIB: Final = 1024


def measure(clone: Path) -> Group:
    """Write a thousand events one by one, count, pack, count again; everything is packed before."""
    git(clone, "gc", "-q")
    before = counted(clone)
    found = commits(clone, OPERATIONS)
    after = counted(clone)
    loose = after["count"] - before["count"]
    took = timing.sample(1, lambda _: timing.started(("git", "gc", "-q"), clone))
    packed = counted(clone)
    grown = after["size"] - before["size"]
    left = packed["size-pack"] - before["size-pack"]
    return Group(
        f"Growth by {OPERATIONS:,} operations",
        (
            Row("commits, in process", found.sample, f"{loose} loose objects, {grown / _KIB:.1f} MiB on disk"),
            Row("git gc", took, f"{packed['count']} loose objects, {left / _KIB:.2f} MiB more than before"),
        ),
    )


def counted(clone: Path) -> dict[str, int]:
    """Return what git counts, sizes in KiB."""
    lines = (line.split(": ") for line in git(clone, "count-objects", "-v").splitlines())
    return {name: int(value) for name, value in lines if value.isdigit()}
