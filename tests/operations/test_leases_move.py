"""Moving the authority: the old place refuses, the new one counts higher, a killed move goes on."""

from pathlib import Path

import pytest

from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases import moving as steps
from exo_sidecar.operations import moving
from exo_sidecar.operations.context import Context
from tests.operations.test_killed_calls import Step, dies
from tests.support import process
from tests.support.process import Command, exo_command
from tests.support.repositories import a_hub, git
from tests.support.working import Shop, a_lone_shop, a_shop

MOVE = ("leases-move", "--remote", "second", "--yes")


def two_hubs(tmp_path: Path, clones: int = 2) -> Shop:
    """Return clones that know a second hub."""
    shop = a_shop(tmp_path, clones=clones)
    (tmp_path / "other").mkdir()
    second = a_hub(tmp_path / "other")
    for clone in shop.clones:
        git(clone, "remote", "add", "second", str(second))
    return shop


def test_leases_move_to_another_remote_and_every_epoch_rises(tmp_path: Path) -> None:
    shop = two_hubs(tmp_path)
    for _ in range(3):
        shop.ok(0, "next", "--ticket-id", "T1")
        shop.ok(0, "lease-release")
    found = shop.ok(0, *MOVE)
    assert (found["authority"], found["mode"], found["moved"]) == ("second", "refs", ["TICKET-T1"])
    shop.ok(1, "sync")
    assert shop.ok(1, "next", "--ticket-id", "T2")["lease"]["epoch"] == 5
    assert shop.ok(1, "leases")["authority"] == "second"


def test_a_clone_that_has_not_heard_of_it_gets_no_lease_at_the_old_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = two_hubs(tmp_path)
    shop.ok(0, *MOVE)
    with monkeypatch.context() as deaf:
        deaf.setattr("exo_sidecar.operations.exchange.pull", lambda _: None)
        error = shop.fails(1, "next")
    assert (error["code"], "exo sync" in error["hint"]) == ("AUTHORITY_MISMATCH", True)
    shop.ok(1, "sync")
    shop.ok(1, "next")


def test_nothing_moves_while_a_lease_is_held(tmp_path: Path) -> None:
    shop = two_hubs(tmp_path)
    shop.ok(1, "next")
    before = shop.tip()
    error = shop.fails(0, *MOVE)
    assert (error["code"], error["exit"]) == ("LEASE_HELD", 6)
    assert git(shop.clones[0], "ls-remote", "second", "refs/exo/*") == ""
    assert shop.ok(0, "leases")["authority"] == "origin"
    assert steps.under_way(shop.clones[0] / ".git") is None
    assert before in git(shop.clones[0], "rev-list", "exo-governance")


def test_only_a_person_moves_them_and_is_asked(tmp_path: Path) -> None:
    shop = two_hubs(tmp_path, clones=1)
    assert shop.fails(0, *MOVE, env={"CLAUDECODE": "1"})["code"] == "HUMAN_REQUIRED"
    assert shop.fails(0, *MOVE[:-1])["code"] == "USAGE"
    assert shop.ok(0, *MOVE[:-1], "--dry-run")["authority"] == "origin"


def test_the_mode_changes_at_the_same_remote(tmp_path: Path) -> None:
    shop = two_hubs(tmp_path)
    found = shop.ok(0, "leases-move", "--mode", "branch", "--yes")
    assert (found["authority"], found["mode"]) == ("origin", "branch")
    shop.ok(1, "sync")
    shop.ok(1, "next", "--ticket-id", "T1")
    assert "refs/heads/exo-leases/TICKET-T1" in git(shop.clones[0], "ls-remote", "origin")


def test_a_lease_that_was_won_in_between_takes_the_move_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = two_hubs(tmp_path)
    really = moving._retire

    def late(*args: object) -> None:
        shop.ok(1, "next")
        really(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(moving, "_retire", late)
        assert shop.fails(0, *MOVE)["code"] == "LEASE_HELD"
    assert [item["state"] for item in shop.ok(0, "leases")["items"]] == ["held"]
    shop.ok(1, "lease-release")
    assert shop.ok(0, *MOVE)["authority"] == "second"


@pytest.mark.parametrize(
    "step",
    [(authorities, "establish"), (moving, "_retire"), (Context, "transact"), (moving, "_told"), (steps, "end")],
    ids=["begun", "established", "retired", "recorded", "told"],
)
def test_a_move_that_was_killed_is_finished_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    shop = two_hubs(tmp_path)
    dies(shop, monkeypatch, step, *MOVE)
    assert shop.ok(0, *MOVE)["authority"] == "second"
    assert steps.under_way(shop.clones[0] / ".git") is None
    shop.ok(1, "sync")
    assert shop.ok(1, "next")["ticket_id"] == "TICKET-T1"
    assert shop.ok(0, "leases")["items"][0]["state"] == "held"


def test_a_killed_move_is_taken_back_by_a_move_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = two_hubs(tmp_path)
    dies(shop, monkeypatch, (Context, "transact"), *MOVE)
    assert shop.fails(0, "leases")["code"] == "AUTHORITY_MISMATCH"
    assert shop.ok(0, "leases-move", "--mode", "branch", "--yes")["authority"] == "origin"
    assert shop.ok(0, "next")["ticket_id"] == "TICKET-T1"


def test_when_the_clone_that_moved_is_lost_the_recorded_id_is_put_back_with_git_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = two_hubs(tmp_path)
    dies(shop, monkeypatch, (moving, "_told"), *MOVE)
    assert shop.fails(1, "leases")["code"] == "AUTHORITY_MISMATCH"
    page = (Path(__file__).parents[2] / "docs" / "leases.md").read_text()
    [script] = [block.partition("```")[0] for block in page.split("```sh\n")[1:] if "exo-authority/1" in block]
    ran = process.run(Command(shop.clones[1], ("sh", "-e", "-c", script)))
    assert ran.exit == 0, ran.err
    assert shop.ok(1, "leases")["authority"] == "origin"
    assert shop.ok(1, "next")["lease"]["epoch"] == 1


def test_a_dry_run_after_a_move_foresees_the_epoch_above_the_floor(tmp_path: Path) -> None:
    shop = two_hubs(tmp_path, clones=1)
    shop.ok(0, *MOVE)
    foreseen = shop.ok(0, "session-start", "--ticket-id", "T1", "--dry-run")
    assert foreseen["lease"]["epoch"] == 2
    assert shop.ok(0, "session-start", "--ticket-id", "T1")["lease"]["epoch"] == 2


def test_of_two_moves_at_once_one_is_recorded_and_the_other_changes_nothing_until_repeated(tmp_path: Path) -> None:
    shop = two_hubs(tmp_path)
    third = a_hub(tmp_path / "other", "third.git")
    for clone in shop.clones:
        git(clone, "remote", "add", "third", str(third))
    targets = ("second", "third")
    words = [("leases-move", "--remote", target, "--yes", "--json") for target in targets]
    ran = process.parallel([exo_command(shop.clones[number], *words[number]) for number in (0, 1)])
    for number in (0, 1, 0, 1):
        shop.exo(number, "sync")
    [authority] = {shop.ok(number, "leases")["authority"] for number in (0, 1)}
    assert authority in {target for target, each in zip(targets, ran, strict=True) if each.exit == 0}
    assert {each.answer["error"]["code"] for each in ran if each.exit} <= {"AUTHORITY_MISMATCH", "LEASE_CONTENDED"}
    for number in (0, 1):
        assert steps.under_way(shop.clones[number] / ".git") is None
    claims = [shop.exo(number, "next", "--ticket-id", "T1") for number in (0, 1)]
    assert [each.exit for each in claims] == [0, 6]
    held = [name for name in ("origin", *targets) if "TICKET-T1" in git(shop.clones[0], "ls-remote", name)]
    assert held == [authority]
    shop.ok(0, "lease-release")
    other = next(target for target in targets if target != authority)
    assert shop.ok(1, "leases-move", "--remote", other, "--yes")["authority"] == other
    shop.ok(0, "sync")
    assert shop.ok(0, "leases")["authority"] == other


def a_picky_hub(folder: Path) -> Path:
    """Return a hub whose server lets nothing but branches be made."""
    hub = a_hub(folder)
    hook = hub / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) exit 0;; *) exit 1;; esac\n')
    hook.chmod(0o755)
    return hub


@pytest.mark.parametrize("command", [("sync",), ("leases-move", "--remote", "origin", "--yes")])
def test_leases_of_a_lone_repository_become_branches_where_the_server_refuses_other_refs(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    shop = a_lone_shop(tmp_path)
    hub = a_picky_hub(tmp_path)
    git(shop.clones[0], "remote", "add", "origin", str(hub))
    ran = shop.exo(0, *command)
    assert ran.exit == 0, ran.out
    assert "LEASES_ARE_BRANCHES" in [warning["code"] for warning in ran.answer["warnings"]]
    shop.ok(0, "next", "--ticket-id", "T1")
    assert git(hub, "for-each-ref", "--format=%(refname)", "refs/exo", "refs/heads/exo-leases").split() == [
        "refs/heads/exo-leases/TICKET-T1",
        "refs/heads/exo-leases/authority",
    ]
    found = shop.ok(0, "leases")
    assert (found["authority"], found["mode"]) == ("origin", "branch")
    again = shop.ok(0, "leases-move", "--remote", "origin", "--yes")
    assert (again["mode"], again["moved"]) == ("branch", [])


def test_a_mode_that_is_asked_for_is_not_replaced_by_another(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    git(shop.clones[0], "remote", "add", "origin", str(a_picky_hub(tmp_path)))
    words = ("leases-move", "--remote", "origin", "--mode", "refs", "--yes")
    assert shop.fails(0, *words)["code"] == "LEASE_UNSUPPORTED"


def test_a_lone_repository_hands_its_leases_to_the_first_remote(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "next")
    shop.ok(0, "lease-release")
    git(shop.clones[0], "remote", "add", "origin", str(a_hub(tmp_path)))
    shop.ok(0, "sync")
    found = shop.ok(0, "leases")
    assert (found["authority"], found["items"]) == ("origin", [])
    assert shop.ok(0, "next", "--ticket-id", "T1")["lease"]["epoch"] == 3


def test_a_lone_repository_keeps_its_leases_while_one_is_held(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "next")
    git(shop.clones[0], "remote", "add", "origin", str(a_hub(tmp_path)))
    shop.ok(0, "sync")
    assert shop.ok(0, "leases")["authority"] == "local"
    shop.ok(0, "lease-release")
    shop.ok(0, "sync")
    assert shop.ok(0, "leases")["authority"] == "origin"
