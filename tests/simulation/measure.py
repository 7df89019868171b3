"""The service times of this machine: what the inputs in `costs` stand on, measured again."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases.refs import RemoteLeases
from exo_sidecar.model.ids import TicketId
from tests.support.leasing import Counter, ManualBoot, Party
from tests.support.working import Shop, a_shop

RUNS: Final = 9
MANY: Final = 200


def lines() -> list[str]:
    """Measure on a hub on this machine and return one line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        shop = a_shop(Path(folder), clones=2, tickets=1)
        return [*_leases(shop), *_branch(shop)]


def _leases(shop: Shop) -> list[str]:
    boot = ManualBoot()
    repository = Repository(locate(shop.clones[0]))
    leases = RemoteLeases(repository, Remote("origin", str(shop.hub)), clock=boot)
    party = Party(repository, leases, "SES-M", boot, Counter())

    def claim(number: int) -> None:
        name = TicketId(f"TICKET-M{number}")
        leases.swap(name, party.claiming(name))

    return [_line("claim: push of one lease", claim), _line("list of the leases", lambda _: leases.survey())]


def _branch(shop: Shop) -> list[str]:
    """Sync is called in process: the figures hold all that a clone does, not the start of Python."""
    pushed = _timed(lambda _: shop.ok(0, "sidecar-push"), before=lambda n: _write(shop, n, 1))
    shop.ok(1, "sync")
    pulled_one = _timed(lambda _: shop.ok(1, "sidecar-pull"), before=lambda n: _written(shop, RUNS + n, 1))
    pulled_many = _timed(lambda _: shop.ok(1, "sidecar-pull"), before=lambda n: _written(shop, 99 + n, MANY), runs=2)
    idle = _timed(lambda _: shop.ok(1, "sidecar-pull"))
    each = (pulled_many - pulled_one) / (MANY - 1)
    return [
        f"{pushed:8.1f} ms  sidecar-push of one event, in process",
        f"{idle:8.1f} ms  sidecar-pull of nothing, in process",
        f"{pulled_one:8.1f} ms  sidecar-pull of one event, in process",
        f"{each:8.2f} ms  more for each further event",
    ]


def _write(shop: Shop, number: int, count: int) -> None:
    for each in range(count):
        shop.ok(0, "ticket-edit", "T1", "--title", f"Title {number}-{each}")


def _written(shop: Shop, number: int, count: int) -> None:
    _write(shop, number, count)
    shop.ok(0, "sidecar-push")


def _timed(act: Callable[[int], object], *, before: Callable[[int], None] | None = None, runs: int = RUNS) -> float:
    taken = []
    for number in range(runs):
        if before is not None:
            before(number)
        began = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def _line(what: str, act: Callable[[int], object]) -> str:
    return f"{_timed(act):8.1f} ms  {what}, in process"
