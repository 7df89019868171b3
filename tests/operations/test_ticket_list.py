"""`ticket-list` and `ticket-show` through the command line."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exo_sidecar.operations import standstill
from exo_sidecar.operations.context import Context
from tests.support.governed import a_governed_repository, commits, done, hold, refusal
from tests.support.inprocess import exo_in_process
from tests.support.repositories import commit_files
from tests.support.working import a_lone_shop, a_shop


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One repository that these tests only read."""
    governed = a_governed_repository(tmp_path_factory.mktemp("listed"))
    done(governed, "intent-create", "A wish", "--brain-dump", "w", "--id", "INTENT-1", "--boundary", "no API")
    below = ("--parent", "INTENT-1", "--id")
    done(governed, "ticket-create", "Urgent", *below, "TICKET-1", "--priority", "1", "--label", "api")
    done(governed, "ticket-create", "Waits", *below, "TICKET-2", "--blocker", "TICKET-1", "--type", "bug")
    done(governed, "ticket-create", "Idea", *below, "TICKET-3", "--status", "backlog")
    done(governed, "ticket-create", "Held", *below, "TICKET-4", "--priority", "5")
    done(governed, "ticket-create", "Dropped", *below, "TICKET-5", "--status", "backlog")
    done(governed, "ticket-archive", "TICKET-5")
    hold(governed, "TICKET-4")
    return governed


def listed(repository: Path, *args: str) -> list[str]:
    return [item["id"] for item in done(repository, "ticket-list", *args)["items"]]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), ["TICKET-1", "INTENT-1", "TICKET-2", "TICKET-3", "TICKET-4"]),
        (("--sort", "id"), ["INTENT-1", "TICKET-1", "TICKET-2", "TICKET-3", "TICKET-4"]),
        (("--status", "backlog"), ["TICKET-3"]),
        (("--status", "backlog", "--status", "archived"), ["TICKET-3", "TICKET-5"]),
        (("--kind", "intent"), ["INTENT-1"]),
        (("--type", "bug"), ["TICKET-2"]),
        (("--label", "api"), ["TICKET-1"]),
        (("--label", "api", "--label", "web"), []),
        (("--parent", "intent"), ["TICKET-1", "TICKET-2", "TICKET-3", "TICKET-4"]),
        (("--holder", "agent:claude"), ["TICKET-4"]),
        (("--holder", "agent:codex"), []),
        (("--archived", "--status", "archived"), ["TICKET-5"]),
        (("--conflicted",), []),
    ],
)
def test_a_list_holds_what_was_asked_for(repository: Path, args: tuple[str, ...], expected: list[str]) -> None:
    assert listed(repository, *args) == expected


def test_a_ready_list_holds_what_next_would_consider(repository: Path) -> None:
    assert listed(repository, "--ready")[0] == "TICKET-1"
    assert not {"TICKET-2", "TICKET-3", "INTENT-1"} & set(listed(repository, "--ready"))


def test_a_row_says_who_holds_and_what_it_waits_for(repository: Path) -> None:
    rows = {item["id"]: item for item in done(repository, "ticket-list")["items"]}
    assert rows["TICKET-4"]["holder"] == "agent:claude"
    assert rows["TICKET-4"]["lease"] == {"session": "SES-AAAAAAAAAA", "actor": "agent:claude", "epoch": 1}
    assert (rows["TICKET-2"]["blocked_by"], rows["TICKET-2"]["holder"]) == (["TICKET-1"], None)
    assert rows["TICKET-1"]["score"] == 530


def test_pages_follow_one_another_without_gap_or_repetition(repository: Path) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = done(repository, "ticket-list", "--limit", "2", *(("--cursor", cursor) if cursor else ()))
        assert page["count"] == len(page["items"])
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == listed(repository)
    assert cursor is None


@pytest.mark.parametrize(
    ("args", "code", "status"),
    [
        (("--cursor", "TICKET-99"), "CURSOR_UNKNOWN", 4),
        (("--limit", "0"), "VALUE_INVALID", 2),
        (("--limit", "1001"), "VALUE_INVALID", 2),
        (("--status", "nope"), "STATUS_UNKNOWN", 2),
        (("--parent", "EPIC-9"), "ID_NOT_FOUND", 4),
        (("--holder", "no actor!"), "ACTOR_INVALID", 2),
    ],
)
def test_a_list_that_cannot_be_made_is_refused(repository: Path, args: tuple[str, ...], code: str, status: int) -> None:
    error = refusal(repository, "ticket-list", *args)
    assert (error["code"], error["exit"]) == (code, status)


def test_one_ticket_is_shown_with_everything_around_it(repository: Path) -> None:
    shown = done(repository, "ticket-show", "2")
    assert (shown["ticket"]["id"], shown["creator"]) == ("TICKET-2", "human:jane")
    assert shown["effective"]["boundary"] == "no API"
    assert [(each["id"], each["status"]) for each in shown["blocked_by"]] == [("TICKET-1", "todo")]
    assert [reason["code"] for reason in shown["held_back"]] == ["blocked_by"]
    ways = {way["status"]: way for way in shown["next_statuses"]}
    assert set(ways) == {"active", "blocked", "cancelled"}
    assert ways["active"]["guards"] == ["lease", "blockers", "hierarchy"]
    assert len(ways["active"]["obstacles"]) == 1
    assert (shown["history"], shown["tree"]) == (None, None)
    assert [each["id"] for each in done(repository, "ticket-show", "TICKET-1")["blocks"]] == ["TICKET-2"]


def test_a_held_ticket_shows_its_lease_and_session(repository: Path) -> None:
    shown = done(repository, "ticket-show", "TICKET-4")
    assert (shown["lease"]["actor"], shown["sessions"][0]["status"]) == ("agent:claude", "active")


def test_history_and_tree_come_when_asked_for(repository: Path) -> None:
    before = commits(repository)
    shown = done(repository, "ticket-show", "INTENT-1", "--history", "--tree")
    assert [entry["type"] for entry in shown["history"]] == ["ticket.created"]
    assert {each["id"] for each in shown["tree"]["descendants"]} == {f"TICKET-{number}" for number in range(1, 6)}
    assert commits(repository) == before


def test_a_ticket_that_is_not_there_or_not_alone_is_not_shown(repository: Path) -> None:
    assert refusal(repository, "ticket-show", "TICKET-9")["code"] == "ID_NOT_FOUND"
    assert refusal(repository, "ticket-show", "TICKET-")["code"] == "ID_AMBIGUOUS"


def test_work_of_which_nothing_was_heard_is_listed_as_stale(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=3)
    shop.ok(0, "session-start", "--ticket-id", "TICKET-T1", "--actor", "agent:a")
    shop.ok(1, "sync")
    assert shop.ok(1, "ticket-list", "--stale")["items"] == []

    def silent(number: int, hours: int) -> list[str]:
        later = datetime.now(UTC) + timedelta(hours=hours)
        with Context.open(shop.clones[number], environ=os.environ, clock=lambda: later) as ctx:
            return list(standstill.tickets(ctx, ctx.view()))

    assert silent(1, 47) == []
    assert silent(1, 49) == ["TICKET-T1"]
    assert silent(0, 49) == []  # its own machine hears its heartbeats
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "todo", "--actor", "agent:a")
    shop.ok(1, "sync")
    assert silent(1, 49) == []


def test_what_its_sessions_used_stands_beside_the_budgets(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=1)
    assert shop.ok(0, "ticket-show", "T1")["usage"] == {"sessions": 0, "seconds": 0, "files": 0, "lines": 0}
    shop.ok(0, "session-start", "--ticket-id", "T1")
    commit_files(shop.clones[0], {"a.txt": "1\n2\n", "b.txt": "3\n"}, "work")
    shop.ok(0, "session-finish", "--summary", "s", "--set-status", "review")
    usage = shop.ok(0, "ticket-show", "T1")["usage"]
    assert (usage["sessions"], usage["files"]) == (1, 2)
    assert "in 1 session" in exo_in_process(shop.clones[0], "ticket-show", "T1").out
