"""A hub that hangs or dies while a session finishes: what was written here stays, the next sync repairs the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.forked import Forks, forks
from tests.support.process import Ran
from tests.support.repositories import git
from tests.support.wholeness import check_audit, check_whole, leases_held
from tests.support.working import Shop, a_shop

_BEFORE: Final = "#!/bin/sh\n[ -e armed ] || exit 0\n"
_AFTER: Final = '#!/bin/sh\n[ "$1" = committed ] || exit 0\ngrep -q refs/exo/leases || exit 0\n[ -e armed ] || exit 0\n'
HOOKS: Final = {"pre-receive": _BEFORE, "reference-transaction": _AFTER}
"""Run by the hub before anything has changed, and when everything has but nothing has been answered."""
DIES: Final = "rm armed\nkill -9 $PPID\n"
HANGS: Final = "exec sleep 60\n"
GOES: Final = 'rm armed\nmv "{hub}" "{away}"\nkill -9 $PPID\n'
"""The server's process ends, and nobody answers any more."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Forks]:
    """Processes that have imported everything."""
    with forks(tmp_path / "forks") as running:
        yield running


def a_working_shop(folder: Path) -> Shop:
    """Make two clones, the first with a session at work, that wait for one second only."""
    shop = a_shop(folder, clones=2, tickets=1)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("timeout_seconds: 5", "timeout_seconds: 1"))
    shop.ok(0, "sync")
    shop.ok(0, "session-start", "--ticket-id", "T1")
    return shop


def fault(shop: Shop, moment: str, what: str) -> Path:
    """Prepare the fault; return where the hub goes to when it goes."""
    assert shop.hub is not None
    away = shop.hub.with_name("away.git")
    hook = shop.hub / "hooks" / moment
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOKS[moment] + what.format(hub=shop.hub, away=away))
    hook.chmod(0o755)
    (shop.hub / "armed").touch()
    return away


def finish(shop: Shop, server: Forks) -> Ran:
    """Finish the session, and assert that here everything is as a finish leaves it."""
    clone = shop.clones[0]
    ran = server.run(clone, "session-finish", "--summary", "did it", "--json")
    assert ran.exit == 0, ran.out + ran.err
    assert (clone / ".exo" / ran.data["memento_path"]).exists()
    assert shop.status(0, "T1") == "review"
    assert git(clone / ".exo", "status", "--porcelain") == ""
    assert git(clone, "fsck", "--strict", "--no-dangling") == ""
    check_audit(server, clone)
    return ran


def repaired_by_sync(shop: Shop, server: Forks) -> None:
    """Assert that one sync makes up for it: nobody holds, and the other clone knows all."""
    ran = server.run(shop.clones[0], "sync", "--json")
    assert ran.exit == 0, ran.out + ran.err
    assert leases_held(server, shop.clones[1]) == {}
    assert server.run(shop.clones[1], "sync").exit == 0
    assert shop.status(1, "T1") == "review"
    assert shop.tip(0) == shop.tip(1)
    check_whole(shop.clones[0])


@pytest.mark.parametrize("what", [DIES, HANGS], ids=["dies", "hangs"])
def test_a_push_that_landed_is_known_to_have_although_nobody_answered(tmp_path: Path, server: Forks, what: str) -> None:
    shop = a_working_shop(tmp_path)
    fault(shop, "reference-transaction", what)
    ran = finish(shop, server)
    assert ran.data["released_lease"]
    assert leases_held(server, shop.clones[1]) == {}
    repaired_by_sync(shop, server)


def test_a_hub_that_hangs_before_anything_changed_leaves_the_end_unconfirmed_until_the_next_sync(
    tmp_path: Path, server: Forks
) -> None:
    shop = a_working_shop(tmp_path)
    fault(shop, "pre-receive", HANGS)
    unconfirmed(shop, finish(shop, server))
    assert shop.hub is not None
    (shop.hub / "armed").unlink()
    repaired_by_sync(shop, server)


@pytest.mark.parametrize("moment", HOOKS)
def test_a_hub_that_goes_away_leaves_the_end_unconfirmed_until_the_next_sync(
    tmp_path: Path, server: Forks, moment: str
) -> None:
    shop = a_working_shop(tmp_path)
    away = fault(shop, moment, GOES)
    unconfirmed(shop, finish(shop, server))
    assert shop.fails(0, "sync")["exit"] == 8
    assert shop.hub is not None
    away.rename(shop.hub)
    repaired_by_sync(shop, server)


def test_an_end_that_was_never_confirmed_is_told_by_the_next_claim_too(tmp_path: Path, server: Forks) -> None:
    shop = a_working_shop(tmp_path)
    away = fault(shop, "pre-receive", GOES)
    unconfirmed(shop, finish(shop, server))
    assert shop.hub is not None
    away.rename(shop.hub)
    assert shop.ok(0, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2


def unconfirmed(shop: Shop, ran: Ran) -> None:
    """Assert that the answer says what is open, and that nobody takes the ended session for one at work."""
    assert not ran.data["released_lease"]
    assert "FINISH_UNCONFIRMED" in [warning["code"] for warning in ran.answer["warnings"]]
    assert shop.fails(0, "session-finish", "--summary", "again")["code"] == "SESSION_NOT_ACTIVE"
    told = shop.exo(0, "status").answer["warnings"]
    assert [warning["code"] for warning in told] == ["FINISH_UNCONFIRMED"]
