"""`scripts/soak leases`: a long run, its figures and its verdict; exit 1 when the checker says no."""

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import get_args

from tests.soak.conduct import Terms, run
from tests.soak.plan import Variant
from tests.support.environment import furnish, pinned

SHOWN_MAX = 40


def main(words: list[str]) -> int:
    """Run as told; 0 when the checker is content and no worker failed."""
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("what", choices=["leases"])
    parser.add_argument("--seed", type=int, default=None, help="of the schedule of faults; another one each time")
    parser.add_argument("--clones", type=int, default=8)
    parser.add_argument("--tickets", type=int, default=None, help="two for each clone when not told")
    parser.add_argument("--claims", type=int, default=10_000, help="stop after so many completed claims")
    parser.add_argument("--seconds", type=float, default=3600, help="or after so many seconds")
    parser.add_argument("--haste", type=float, default=1.0, help="faults so many times as often")
    parser.add_argument("--variant", choices=get_args(Variant), default="", help="a broken one, to be found out")
    parser.add_argument("--daemon", action="store_true", help="over git:// rather than a path")
    parser.add_argument("--folder", type=Path, default=None, help="keep everything here (must not be there yet)")
    told = parser.parse_args(words)
    seed = secrets.randbelow(1 << 32) if told.seed is None else told.seed
    print(f"seed {seed}", flush=True)
    terms = Terms(
        seed,
        told.clones,
        told.tickets or 2 * told.clones,
        told.claims,
        told.seconds,
        told.haste,
        variant=told.variant,
        daemon=told.daemon,
    )
    with tempfile.TemporaryDirectory(prefix="exo-soak-") as spare:
        wanted = pinned(os.environ, furnish(Path(spare) / "home"))
        os.environ.clear()
        os.environ.update(wanted)
        folder = told.folder or Path(spare) / "run"
        report = run(folder, terms, lambda line: print(line, flush=True))
        for failed in report.failed:
            print(f"worker {failed}")
    for name, figure in report.figures.items():
        print(f"{name:32} {figure:g}")
    for violation in report.violations[:SHOWN_MAX]:
        print(f"VIOLATION {violation.rule}: {violation.ticket}: {violation.what}")
    verdict = "NOT linearizable and fenced" if report.violations else "linearizable and fenced"
    print(f"seed {seed}: {verdict}; {len(report.violations)} violations")
    if report.failed:
        print(f"{len(report.failed)} workers failed: the run ended early")
    return 1 if report.violations or report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
