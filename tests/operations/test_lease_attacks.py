"""Attacks on leases: values, settings and pushes that nobody should make, and what must hold all the same."""

import json
from pathlib import Path

import pytest

from exo_sidecar.leases.intents import Intents
from tests.support.repositories import git
from tests.support.working import Shop, a_push, a_pushing_shop

TICKET = "TICKET-T1"
BRANCH = "exo/TICKET-T1"
LEASE = f"refs/exo/leases/{TICKET}"
EPOCH_MAX = 2**31 - 1


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return two clones; in the first a session works on TICKET with one commit on BRANCH."""
    return a_pushing_shop(tmp_path, tickets=2)


def forged(shop: Shop, ticket: str = TICKET, **changes: object) -> str:
    """Let the hub's lease of `ticket` be the one of TICKET with other fields, and return the value."""
    hub = shop.server
    lease = json.loads(git(hub, "log", "-1", "--format=%B", LEASE).partition("\n")[2])
    text = json.dumps(lease | {"ticket": ticket} | changes, sort_keys=True, separators=(",", ":"))
    value = git(hub, "commit-tree", git(hub, "rev-parse", f"{LEASE}^{{tree}}"), "-m", f"exo-lease/1\n{text}")
    git(hub, "update-ref", f"refs/exo/leases/{ticket}", value)
    return value


def test_an_epoch_that_leaves_no_room_is_refused_and_the_ledger_stays_whole(shop: Shop) -> None:
    forged(shop, "TICKET-T2", epoch=EPOCH_MAX, state="released")
    ran = shop.fails(1, "session-start", "--ticket-id", "TICKET-T2")
    assert (ran["exit"], ran["code"]) == (1, "EPOCH_SPENT")
    forged(shop, "TICKET-T2", epoch=EPOCH_MAX + 1, state="released")
    assert shop.fails(1, "session-start", "--ticket-id", "TICKET-T2")["code"] == "LEASE_DAMAGED"
    shop.ok(1, "audit")


@pytest.mark.parametrize("epoch", [EPOCH_MAX, EPOCH_MAX + 1])
def test_a_person_goes_on_from_the_epoch_that_the_ledger_knows(shop: Shop, epoch: int) -> None:
    forged(shop, epoch=epoch)
    words = ("lease-takeover", "--ticket-id", TICKET, "--force", "--reason", "a forged epoch", "--yes")
    taken = shop.ok(1, *words, env={"EXO_ACTOR": "human:bob"})
    assert taken["lease"]["epoch"] == 2
    shop.ok(1, "audit")


@pytest.mark.parametrize("epoch", [EPOCH_MAX, EPOCH_MAX - 1])
def test_an_epoch_that_leaves_no_room_moves_to_no_other_place(shop: Shop, epoch: int) -> None:
    shop.ok(0, "lease-release")
    forged(shop, "TICKET-T2", epoch=epoch, state="released")
    ran = shop.fails(0, "leases-move", "--mode", "branch", "--yes", env={"EXO_ACTOR": "human:bob"})
    assert (ran["exit"], ran["code"]) == (1, "EPOCH_SPENT")
    assert shop.ok(0, "leases")["mode"] == "refs"
    assert shop.ok(0, "next", "--ticket-id", "T1")["ticket_id"] == TICKET


def test_a_lease_whose_object_is_damaged_here_stops_no_other_ticket(shop: Shop) -> None:
    shop.ok(1, "leases")
    value = git(shop.server, "rev-parse", LEASE)
    loose = shop.clones[1] / ".git" / "objects" / value[:2] / value[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"\x78\x9cnot deflated")
    assert shop.ok(1, "next", "--owner", "agent:b")["ticket_id"] == "TICKET-T2"
    loose.write_bytes(b"")  # as a power cut leaves it: fetched again
    assert TICKET in [item["ticket"] for item in shop.ok(1, "leases")["items"]]


@pytest.mark.parametrize("kind", ["blob", "commit"])
def test_a_call_that_was_killed_on_a_ticket_whose_lease_is_junk_now_stops_no_other_ticket(
    shop: Shop, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = shop.server

    def dies(_self: Intents, _nonce: str) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as killed:
        killed.setattr(Intents, "end", dies)
        with pytest.raises(SystemExit):
            shop.exo(1, "session-start", "--ticket-id", "TICKET-T2", env={"EXO_ACTOR": "agent:b"})
    pending = list((shop.clones[1] / ".git" / "exo" / "intents").iterdir())
    assert pending
    tree = git(hub, "rev-parse", f"{LEASE}^{{tree}}")
    junk = (
        git(hub, "commit-tree", tree, "-m", "junk")
        if kind == "commit"
        else git(hub, "rev-parse", "exo-governance:FORMAT")
    )
    git(hub, "update-ref", "refs/exo/leases/TICKET-T2", junk)
    assert TICKET in [item["ticket"] for item in shop.ok(1, "leases")["items"]]
    words = ("lease-takeover", "--ticket-id", "TICKET-T2", "--force", "--reason", "junk", "--yes")
    assert shop.ok(1, *words, env={"EXO_ACTOR": "human:bob"})["ticket_id"] == "TICKET-T2"


def test_a_reason_without_force_is_no_silent_nothing(shop: Shop) -> None:
    ran = shop.fails(1, "lease-takeover", "--ticket-id", TICKET, "--reason", "he is away", "--yes")
    assert ran["exit"] == 2
    assert "--force" in ran["hint"]


def test_settings_that_let_git_push_nothing_are_no_success(shop: Shop) -> None:
    lease = git(shop.server, "rev-parse", LEASE)
    git(shop.clones[0], "config", "push.recurseSubmodules", "only")
    ran = shop.fails(0, "push")
    assert (ran["exit"], ran["code"]) == (1, "PUSH_REJECTED")
    assert "push.recurseSubmodules" in ran["message"]
    assert git(shop.server, "rev-parse", LEASE) == lease
    git(shop.clones[0], "config", "--unset", "push.recurseSubmodules")
    assert shop.ok(0, "push")["atomic"] is True


def test_the_hook_imports_nothing_from_the_checkout(shop: Shop, tmp_path: Path) -> None:
    shop.ok(0, "hook-install")
    bait = f"open({str(tmp_path / 'taken')!r}, 'w').close()\nraise ImportError\n"
    for name in ("msgspec.py", "platform.py", "exo_sidecar.py"):
        (shop.clones[0] / name).write_text(bait)
    ran = a_push(shop.clones[0], "-q", "origin", BRANCH)
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "taken").exists()


def test_a_plain_push_takes_no_lease_away(shop: Shop) -> None:
    clone, before = shop.clones[0], git(shop.server, "for-each-ref", "refs/exo")
    git(clone, "fetch", "-q", "origin", f"{LEASE}:{LEASE}")
    shop.ok(0, "hook-install")
    for words in (["--mirror", "origin"], ["origin", f":{LEASE}"], ["-f", str(shop.server), f"HEAD:{LEASE}"]):
        ran = a_push(clone, *words)
        assert ran.returncode != 0
        assert "by which leases are decided" in ran.stderr
    assert git(shop.server, "for-each-ref", "refs/exo") == before
    assert shop.ok(0, "push")["atomic"] is True


def test_a_backup_may_be_given_everything(shop: Shop, tmp_path: Path) -> None:
    clone, backup = shop.clones[0], tmp_path / "backup.git"
    git(clone, "fetch", "-q", "origin", f"{LEASE}:{LEASE}")
    git(tmp_path, "init", "-q", "--bare", str(backup))
    git(clone, "remote", "add", "backup", str(backup))
    shop.ok(0, "hook-install")
    ran = a_push(clone, "-q", "--mirror", "backup")
    assert ran.returncode == 0, ran.stderr
