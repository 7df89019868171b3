"""usage: scripts/bench [--quick] [--whole-year] [--only GROUP ...] [--print] | measures docs/architecture.md's budgets.

--quick       100 and 10,000 tickets only
--whole-year  simulate all of a year's work: about an hour
--only        one group of measurements, whose section of docs/benchmarks.md alone is written; may be repeated
--print       print the table, leave docs/benchmarks.md as it is
"""

import sys
from pathlib import Path

# Started as a file: its folder stands first on the path, where the repository's root belongs.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.bench.session import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
