"""sync, sidecar-pull and sidecar-push between real clones of a bare hub, and what they refuse."""

import json
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.clones import BRANCH, a_fleet
from tests.support.governed import done, refusal
from tests.support.inprocess import exo_in_process
from tests.support.repositories import a_clone, a_repository, git
from tests.support.webserver import a_webserver, has_http_backend
from tests.support.working import Shop, a_lone_shop, a_shop


def test_what_one_clone_wrote_is_fast_forwarded_to_in_the_other(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    gone = shop.ok(0, "sync")
    assert (gone["fetched_events"], gone["pushed_events"], gone["merged"]) == (0, 1, False)
    came = shop.ok(1, "sync")
    assert (came["fetched_events"], came["pushed_events"], came["merged"]) == (1, 0, True)
    assert shop.tip(0) == shop.tip(1) == came["tip"]


def test_clones_that_both_wrote_end_at_the_same_commit(tmp_path: Path) -> None:
    shop = a_diverged_shop(tmp_path)
    shop.ok(0, "sync")
    merging = shop.ok(1, "sync")
    assert (merging["fetched_events"], merging["pushed_events"], merging["merged"]) == (1, 1, True)
    shop.ok(0, "sync")
    assert shop.tip(0) == shop.tip(1)
    assert notes(shop, 0) == notes(shop, 1) == {"T1": ["mine"], "T2": ["yours"]}


def test_two_clones_that_merge_the_same_two_tips_make_the_same_commit(tmp_path: Path) -> None:
    shop = a_diverged_shop(tmp_path)
    for number, other in ((0, 1), (1, 0)):
        git(shop.clones[number], "remote", "add", "peer", str(shop.clones[other]))
        git(shop.clones[number], "fetch", "-q", "peer", f"+{BRANCH}:refs/peer")
    tips = [git(clone, "rev-parse", "refs/peer") for clone in shop.clones]
    hubs = [tmp_path / "one.git", tmp_path / "two.git"]
    for number, hub in enumerate(hubs):
        assert shop.hub is not None
        shutil.copytree(shop.hub, hub)
        git(shop.clones[number], "push", "-q", str(hub), f"+refs/peer:refs/heads/{BRANCH}")
        git(shop.clones[number], "remote", "set-url", "origin", str(hub))
    assert sorted(tips) == sorted((shop.tip(0), shop.tip(1)))
    shop.ok(0, "sidecar-pull")
    shop.ok(1, "sidecar-pull")
    assert shop.tip(0) == shop.tip(1)


@pytest.mark.skipif(not has_http_backend(), reason="this git has no HTTP server")
def test_with_nothing_to_do_there_is_one_connection_no_commit_and_no_push(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.hub is not None
    with a_webserver(tmp_path) as (address, requests):
        git(shop.clones[0], "remote", "set-url", "origin", f"{address}/{shop.hub.name}")
        before = shop.tip()
        quiet = shop.ok(0, "sync")
    assert [each.split("?")[0] for each in requests if each.startswith("GET")] == [f"GET /{shop.hub.name}/info/refs"]
    assert not any("receive-pack" in each for each in requests)
    assert quiet["rounds"] == 1
    assert shop.tip() == before


def test_pull_brings_in_and_sends_nothing(tmp_path: Path) -> None:
    shop = a_diverged_shop(tmp_path)
    shop.ok(0, "sync")
    on_hub = hub_tip(shop)
    pulled = shop.ok(1, "sidecar-pull")
    assert (pulled["fetched_events"], pulled["pushed_events"], pulled["merged"]) == (1, 0, True)
    assert (pulled["ahead"], pulled["behind"]) == (1, 0)
    assert hub_tip(shop) == on_hub


def test_push_sends_and_never_merges(tmp_path: Path) -> None:
    shop = a_diverged_shop(tmp_path)
    pushed = shop.ok(0, "sidecar-push")
    assert (pushed["remote"], pushed["pushed_events"]) == ("origin", 1)
    assert hub_tip(shop) == pushed["tip"] == shop.tip(0)
    before = shop.tip(1)
    error = shop.fails(1, "sidecar-push")
    assert (error["exit"], error["code"]) == (5, "SYNC_BEHIND")
    assert "exo sync" in error["hint"]
    assert (shop.tip(1), hub_tip(shop)) == (before, shop.tip(0))
    shop.ok(1, "sidecar-pull")
    assert shop.ok(1, "sidecar-push")["pushed_events"] == 1
    assert shop.ok(1, "sidecar-push")["pushed_events"] == 0


@pytest.mark.parametrize("command", ["sync", "sidecar-pull", "sidecar-push"])
def test_a_remote_that_is_not_there_is_named(tmp_path: Path, command: str) -> None:
    lone = a_lone_shop(tmp_path, tickets=0)
    error = lone.fails(0, command)
    assert (error["exit"], error["code"]) == (8, "NO_REMOTE")
    assert "origin" in error["message"]
    assert "git remote" in error["hint"]
    assert "'elsewhere'" in lone.fails(0, command, "--remote", "elsewhere")["message"]


@pytest.mark.parametrize("command", ["sync", "sidecar-pull", "sidecar-push"])
def test_without_the_network_nothing_is_exchanged(tmp_path: Path, command: str) -> None:
    shop = a_shop(tmp_path)
    assert shop.fails(0, command, "--offline")["code"] == "OFFLINE"


@pytest.mark.parametrize("command", ["sync", "sidecar-pull"])
def test_a_dry_run_tells_the_distance_and_changes_nothing(tmp_path: Path, command: str) -> None:
    shop = a_diverged_shop(tmp_path)
    before = (shop.tip(1), hub_tip(shop))
    told = shop.ok(1, command, "--dry-run")
    assert (told["ahead"], told["fetched_events"], told["pushed_events"]) == (1, 0, 0)
    assert (shop.tip(1), hub_tip(shop)) == before


def test_status_tells_how_far_both_sides_are_apart(tmp_path: Path) -> None:
    shop = a_diverged_shop(tmp_path)
    shop.ok(0, "sync")
    apart = shop.ok(1, "status")["sync"]
    assert (apart["ahead"], apart["behind"]) == (1, 0)
    looked = shop.ok(1, "status", "--remote-check")["sync"]
    assert (looked["ahead"], looked["behind"]) == (1, 1)
    assert looked["seen_ago"] >= 0
    shop.ok(1, "sync")
    even = shop.ok(1, "status")["sync"]
    assert (even["ahead"], even["behind"]) == (0, 0)


def test_the_page_of_status_says_when_the_remote_was_seen(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    out = exo_in_process(shop.clones[0], "status").out
    assert "even with origin (seen " in out
    assert " ago)" in out


def test_a_status_that_cannot_look_at_the_remote_warns_and_shows_the_rest(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.lose_hub()
    ran = shop.exo(0, "status", "--remote-check")
    assert (ran.exit, ran.data["initialized"]) == (0, True)
    assert [each["code"] for each in ran.answer["warnings"]] == ["REMOTE_UNREACHABLE"]


def test_an_error_is_not_said_twice(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    shop.lose_hub()
    ran = exo_in_process(shop.clones[0], "next")
    assert ran.exit == 8
    assert ran.err.count("could not be reached") == 1


def test_a_rewound_hub_is_refused_by_writer_and_number(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    earlier = hub_tip(shop)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    set_hub(shop, earlier)
    writer = chain_of(shop, 0)
    assert_refused(shop, 1, writer, "sync")
    assert_refused(shop, 1, writer, "sidecar-pull")


@pytest.mark.parametrize("what", ["cut", "edited", "swapped"])
def test_a_ledger_rewritten_on_the_hub_is_refused_and_nothing_changes_here(tmp_path: Path, what: str) -> None:
    shop = a_shop(tmp_path, clones=2)
    writer = chain_of(shop, 0)
    lines = segment(shop.clones[0], writer).read_bytes().splitlines(keepends=True)
    match what:
        case "cut":
            lines = lines[:-1]
        case "edited":
            lines[2] = lines[2].replace(b'"human:', b'"human:not-')
        case _:
            lines[1], lines[2] = lines[2], lines[1]
    rewrite_hub(shop, {f"ledger/{writer[:2]}/{writer}/000001.jsonl": b"".join(lines)})
    assert_refused(shop, 1, writer, "sync")


def test_a_squash_with_the_same_ledger_is_accepted(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    assert shop.hub is not None
    squashed = git(shop.hub, "commit-tree", f"{BRANCH}^{{tree}}", "-m", "squashed")
    set_hub(shop, squashed)
    shop.ok(0, "ticket-edit", "T1", "--note", "mine")
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    assert shop.tip(0) == shop.tip(1)
    assert shop.ok(1, "audit")["verdict"] == "pass"
    assert notes(shop, 1)["T1"] == ["mine"]


def test_a_stray_file_and_a_link_on_the_branch_are_left_out_and_named(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    rewrite_hub(shop, {"notes.txt": b"hello\n"}, links={"tickets/zz": "/etc"})
    ran = shop.exo(1, "sync")
    assert ran.exit == 0
    named = {each["message"] for each in ran.answer["warnings"] if each["code"] == "LEFT_OUT"}
    assert any("notes.txt" in each for each in named)
    assert any("tickets/zz" in each for each in named)
    assert not (shop.clones[1] / ".exo" / "notes.txt").exists()
    assert not (shop.clones[1] / ".exo" / "tickets" / "zz").exists()
    listed = git(shop.clones[1], "ls-tree", "-r", "--name-only", BRANCH)
    assert "notes.txt" not in listed
    assert shop.ok(1, "audit")["verdict"] == "pass"


def test_a_newer_format_is_read_and_never_written(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    text = (shop.clones[0] / ".exo" / "FORMAT").read_text().replace("exo-sidecar 1", "exo-sidecar 2")
    rewrite_hub(shop, {"FORMAT": text.encode()})
    error = shop.fails(1, "sync")
    assert (error["exit"], error["code"]) == (7, "FORMAT_TOO_NEW")
    git(shop.clones[1], "-C", ".exo", "fetch", "-q", "origin", BRANCH)
    git(shop.clones[1], "-C", ".exo", "reset", "-q", "--hard", "FETCH_HEAD")
    before = shop.tip(1)
    for command in (("ticket-edit", "T1", "--note", "x"), ("sync",), ("next",), ("sidecar-pull",)):
        error = shop.fails(1, *command)
        assert (error["exit"], error["code"]) == (7, "FORMAT_TOO_NEW"), command
        assert "newer exo" in error["hint"]
    assert shop.tip(1) == before
    assert shop.ok(1, "status")["initialized"] is True
    assert {each["id"] for each in shop.ok(1, "ticket-list")["items"]} >= {"TICKET-T1"}
    assert shop.ok(1, "ticket-show", "T1")["ticket"]["id"] == "TICKET-T1"


@pytest.mark.parametrize("command", ["sync", "sidecar-pull", "sidecar-push"])
def test_a_remote_that_is_gone_is_said_in_time(tmp_path: Path, command: str) -> None:
    shop = a_shop(tmp_path)
    shop.lose_hub()
    started = time.monotonic()
    error = shop.fails(0, command)
    assert (error["exit"], error["code"]) == (8, "REMOTE_UNREACHABLE")
    assert time.monotonic() - started < 10


def test_a_remote_that_never_answers_costs_the_time_limit_and_no_more(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("timeout_seconds: 5", "timeout_seconds: 1"))
    shop.ok(0, "sync")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/hub.git"
        git(shop.clones[0], "remote", "set-url", "origin", address)
        started = time.monotonic()
        error = shop.fails(0, "sync")
        assert error["exit"] == 8
        assert time.monotonic() - started < 8


def test_a_ledger_that_the_remote_does_not_take_is_a_warning_of_a_start(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    assert shop.hub is not None
    hook = shop.hub / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\ntest "$1" != refs/heads/{BRANCH}\n')
    hook.chmod(0o755)
    ran = shop.exo(0, "session-start", "--ticket-id", "T1")
    assert ran.exit == 0, ran.out
    assert "REMOTE_DENIED" in {each["code"] for each in ran.answer["warnings"]}
    hook.unlink()
    assert shop.ok(0, "sync")["pushed_events"] > 0


def test_governance_born_in_two_clones_is_joined(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    for number in range(2):
        git(fleet[number], "remote", "rename", "origin", "later")
        done(fleet[number], "init")
        done(fleet[number], "intent-create", f"Born in {number}", "--brain-dump", "x", "--id", f"INTENT-B{number}")
        git(fleet[number], "remote", "rename", "later", "origin")
    for number in (0, 1, 0):
        done(fleet[number], "sync", "--remote", "origin")
    assert fleet.tips()[0] == fleet.tips()[1]
    for number in range(2):
        known = {each["id"] for each in done(fleet[number], "ticket-list")["items"]}
        assert {"INTENT-B0", "INTENT-B1"} <= known
        assert done(fleet[number], "audit")["verdict"] != "fail"
        assert git(fleet[number], "-C", ".exo", "status", "--porcelain") == ""


def test_a_clone_without_the_sidecar_says_what_to_do(tmp_path: Path) -> None:
    for command in ("sync", "sidecar-pull", "sidecar-push"):
        assert refusal_of_bare_folder(tmp_path / command, command)["code"] == "SIDECAR_MISSING"


def refusal_of_bare_folder(folder: Path, command: str) -> Any:  # noqa: ANN401 - JSON
    """Return what the command says in a repository that nobody governs."""
    return refusal(a_repository(folder), command)


def a_diverged_shop(folder: Path) -> Shop:
    """Make two clones in which one event each was written since they met."""
    shop = a_shop(folder, clones=2)
    shop.ok(0, "ticket-edit", "T1", "--note", "mine")
    shop.ok(1, "ticket-edit", "T2", "--note", "yours")
    return shop


def notes(shop: Shop, number: int) -> dict[str, list[str]]:
    """Return the notes of both tickets as one clone has them."""
    return {name: shop.ok(number, "ticket-show", name)["ticket"]["notes"] for name in ("T1", "T2")}


def hub_tip(shop: Shop) -> str:
    """Return the governance branch's commit on the hub."""
    assert shop.hub is not None
    return git(shop.hub, "rev-parse", f"refs/heads/{BRANCH}")


def set_hub(shop: Shop, commit: str) -> None:
    """Let the hub's governance branch name another commit."""
    assert shop.hub is not None
    git(shop.hub, "update-ref", f"refs/heads/{BRANCH}", commit)


def chain_of(shop: Shop, number: int) -> str:
    """Return the clone id under which one clone writes."""
    return str(json.loads((shop.clones[number] / ".git" / "exo" / "clone").read_text())["id"])


def segment(clone: Path, writer: str) -> Path:
    """Return a writer's first segment in the mount."""
    return clone / ".exo" / "ledger" / writer[:2] / writer / "000001.jsonl"


def rewrite_hub(shop: Shop, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
    """Push a commit of plain git to the hub in which files are other ones."""
    assert shop.hub is not None
    editor = a_clone(shop.hub, "editor")
    git(editor, "switch", "-q", BRANCH)
    for name, data in files.items():
        (editor / name).write_bytes(data)
    for name, target in (links or {}).items():
        (editor / name).symlink_to(target)
    git(editor, "add", "-A")
    git(editor, "commit", "-q", "-m", "by hand")
    git(editor, "push", "-q", "origin", BRANCH)


def assert_refused(shop: Shop, number: int, writer: str, command: str) -> None:
    """The exchange is refused, names the writer, and changes nothing here."""
    before = (shop.tip(number), git(shop.clones[number], "-C", ".exo", "status", "--porcelain"))
    error = shop.fails(number, command)
    assert (error["exit"], error["code"]) == (7, "SYNC_REFUSED")
    assert f"{writer}:" in error["message"]
    assert error["details"]["events"][0].startswith(f"{writer}:")
    assert (shop.tip(number), git(shop.clones[number], "-C", ".exo", "status", "--porcelain")) == before
    assert shop.ok(number, "ticket-list")["count"] > 0
