"""Processes that want one ticket at the same instant: one wins, and the token never falls."""

import sys
from pathlib import Path

import pytest

from tests.support import repositories
from tests.support.leasing import TICKET, a_site, has_daemon
from tests.support.process import Command, Ran, parallel

ROOT = Path(__file__).parents[3]
RACERS = 8


def _race(kind: str, folder: Path, rounds: int, *how: str) -> tuple[list[Ran], Path]:
    with a_site(kind, folder) as site:
        if kind == "local":
            clones = [site.hub.parent] * RACERS
            url = "local"
        else:
            clones = [repositories.a_repository(folder, f"clone-{number}") for number in range(RACERS)]
            url = site.url
        commands = [
            Command(
                ROOT,
                (sys.executable, "-m", "tests.support.claimer", str(clone), url, f"SES-R{number}", str(rounds), *how),
            )
            for number, clone in enumerate(clones)
        ]
        return parallel(commands), site.hub


@pytest.mark.parametrize("kind", ["local", "hub", "daemon"])
def test_of_eight_processes_that_claim_one_ticket_exactly_one_wins(kind: str, tmp_path: Path) -> None:
    if kind == "daemon" and not has_daemon():
        pytest.skip("this git comes without its daemon")
    ran, _ = _race(kind, tmp_path, 1, "hold")
    assert [(one.exit, one.err) for one in ran] == [(0, "")] * RACERS
    assert sorted(one.data["won"] for one in ran) == [[]] * (RACERS - 1) + [[1]]


@pytest.mark.parametrize("kind", ["local", "hub"])
def test_tokens_strictly_rise_while_eight_processes_claim_and_release(kind: str, tmp_path: Path) -> None:
    ran, hub = _race(kind, tmp_path, 5)
    assert [(one.exit, one.err) for one in ran] == [(0, "")] * RACERS
    epochs = [epoch for one in ran for epoch in one.data["won"]]
    assert len(epochs) == len(set(epochs)), "two processes won the same epoch"
    assert all(one.data["won"] == sorted(one.data["won"]) for one in ran)
    history = repositories.git(hub, "log", "--reverse", "--format=%b%s", f"refs/exo/leases/{TICKET}").split(
        "exo-lease/1"
    )
    assert len([line for line in history if '"state":"held"' in line]) == len(epochs)
    assert max(epochs) == len(epochs)
