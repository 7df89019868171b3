"""Started by scripts/simulate_leases: a seeded simulation of many clones on one hub."""

import sys
from pathlib import Path

# Started as a file: its folder stands first on the path, where the repository's root belongs.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.simulation.session import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
