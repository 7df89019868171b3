"""Drift at the end of a session: told, recorded, and, where it is so configured, a reason not to end."""

import shutil
from pathlib import Path

from tests.support.checking import a_check, let_run
from tests.support.repositories import commit_files, git, write_files
from tests.support.working import Shop, a_lone_shop, a_shop


def begun(shop: Shop, number: int = 0, ticket: str = "T1", **env: str) -> str:
    """Let a session begin on a branch of its own, on a ticket that may change `src` and four files."""
    shop.ok(
        number, "ticket-edit", ticket, "--add-scope-allow", "src/**", "--max-files", "4", "--boundary", "not docs/**"
    )
    git(shop.clones[number], "switch", "-q", "-c", f"exo/{ticket}")
    return str(shop.ok(number, "session-start", "--ticket-id", ticket, env=env)["session"]["id"])


def configure(shop: Shop, number: int, text: str) -> None:
    """Add settings, and accept them as a person does."""
    config = shop.clones[number] / ".exo" / "config.yaml"
    config.write_text(f"{config.read_text()}\n{text}\n")
    shop.ok(number, "trust", "--actor", "human:ann")


def finish(shop: Shop, *words: str, number: int = 0) -> dict[str, object]:
    found: dict[str, object] = shop.ok(number, "session-finish", "--summary", "done", *words)
    return found


def test_a_finish_tells_and_records_how_far_the_session_went(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    session = begun(shop)
    commit_files(shop.clones[0], {"src/app.py": "changed\n", "docs/a.md": "x\n"})
    write_files(shop.clones[0], {"README.md": "changed\n"})
    found = shop.ok(0, "session-finish", "--summary", "done")
    drift = found["drift"]
    # Two of three files outside, three of four used, the boundary hit: 0.33333 + 0.2625 + 0.15.
    assert (drift["score"], drift["scope_compliance"]) == (0.746, 0.333)
    assert (drift["files"], drift["committed"], drift["uncommitted"]) == ({"used": 3, "max": 4}, 2, 1)
    assert (drift["out_of_scope"], drift["boundary_hits"]) == (["README.md", "docs/a.md"], ["docs/a.md"])
    assert (drift["is_above"], drift["intent_root"]) == (True, "INTENT-1")
    assert len(found["commits"]) == 1
    memento = (shop.clones[0] / ".exo" / found["memento_path"]).read_text()
    assert "## Drift" in memento
    assert "score: 0.746" in memento
    line = next(each for each in shop.ok(0, "fleet-drift")["sessions"] if each["id"] == session)
    assert (line["drift"], line["status"], line["foreign"]) == (0.746, "finished", False)


def test_above_the_threshold_a_finish_warns_and_the_caller_may_set_it(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    for ticket, words, warned in (("T1", (), False), ("T2", ("--drift-threshold", "0.5"), True)):
        git(shop.clones[0], "switch", "-q", "main")
        begun(shop, ticket=ticket)
        commit_files(shop.clones[0], {"README.md": f"for {ticket}\n"})
        ran = shop.exo(0, "session-finish", "--summary", "done", *words)
        assert ran.exit == 0, ran.out
        assert ran.data["drift"]["score"] == 0.588
        assert ("DRIFT_HIGH" in ran.out + ran.err) is warned


def test_a_session_without_changes_has_no_drift(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    begun(shop)
    drift = shop.ok(0, "session-finish", "--summary", "nothing to do")["drift"]
    assert (drift["score"], drift["scope_compliance"], drift["files"]["used"]) == (0.0, 1.0, 0)


def test_what_is_configured_to_block_blocks_review_and_nothing_is_changed(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    configure(shop, 0, "drift: {block_above: 0.5}")
    begun(shop)
    commit_files(shop.clones[0], {"README.md": "outside\n"})
    before = shop.tip()
    error = shop.fails(0, "session-finish", "--summary", "done")
    assert (error["code"], error["exit"], error["details"]["score"]) == ("DRIFT_BLOCKED", 1, 588)
    assert (shop.tip(), shop.status(0, "T1")) == (before, "active")
    assert shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo")["ticket_status"] == "todo"


def test_a_base_that_is_gone_is_told_as_an_error_and_blocks_where_drift_blocks(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    configure(shop, 0, "drift: {block_above: 0.9}")
    begun(shop)
    repo = shop.clones[0]
    base = git(repo, "rev-parse", "HEAD")
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    orphan = git(repo, "commit-tree", "-m", "another history", tree)
    git(repo, "update-ref", "HEAD", orphan)
    git(repo, "branch", "-q", "-f", "main", orphan)
    (repo / ".git" / "objects" / base[:2] / base[2:]).unlink()
    shutil.rmtree(repo / ".git" / "logs")
    error = shop.fails(0, "session-finish", "--summary", "done")
    assert error["code"] == "DRIFT_BLOCKED"
    assert "is not in this repository" in error["message"]
    drift = shop.ok(0, "session-finish", "--summary", "done", "--set-status", "todo")["drift"]
    assert (drift["score"], drift["is_above"]) == (None, False)
    assert "is not in this repository" in drift["error"]


def test_the_fleet_is_known_as_of_now_here_and_as_published_elsewhere(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    ours = begun(shop)
    write_files(shop.clones[0], {"README.md": "outside\n"})
    shop.ok(1, "sync")
    theirs = begun(shop, 1, "T2")
    commit_files(shop.clones[1], {"src/app.py": "x\n"})
    shop.ok(0, "sync")
    found = shop.ok(0, "fleet-drift")
    rows = {each["id"]: each for each in found["sessions"]}
    assert (rows[ours]["drift"], rows[ours]["age_seconds"], rows[ours]["foreign"]) == (0.588, 0, False)
    assert (rows[theirs]["drift"], rows[theirs]["foreign"]) == (None, True)
    assert rows[theirs]["reason"] == "it works in another clone"
    assert (found["mean"], found["max"], found["above_threshold"], found["stale"]) == (0.588, 0.588, 0, 0)
    shop.ok(1, "session-finish", "--summary", "done")
    shop.ok(0, "sync")
    found = shop.ok(0, "fleet-drift", "--threshold", "0.5")
    rows = {each["id"]: each for each in found["sessions"]}
    assert (rows[theirs]["drift"], rows[theirs]["status"], rows[theirs]["foreign"]) == (0.088, "finished", True)
    assert (found["mean"], found["max"], found["above_threshold"]) == (0.338, 0.588, 1)
    assert [each["id"] for each in shop.ok(0, "fleet-drift", "--include-finished", "0")["sessions"]] == [ours]


def test_looking_at_the_fleet_changes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    begun(shop)
    write_files(shop.clones[0], {"src/new.py": "x\n"})
    before = shop.tip(), git(shop.clones[0], "status", "--porcelain")
    assert shop.ok(0, "fleet-drift")["sessions"][0]["drift"] == 0.088
    assert (shop.tip(), git(shop.clones[0], "status", "--porcelain")) == before


def test_a_session_whose_worktree_is_gone_is_told_with_the_cause(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    side = tmp_path / "side"
    git(shop.clones[0], "worktree", "add", "-q", "-b", "side", str(side))
    Shop((side,), None, shop.tickets).ok(0, "session-start", "--ticket-id", "T2")
    shutil.rmtree(side)
    row = shop.ok(0, "fleet-drift")["sessions"][0]
    assert row["drift"] is None
    assert str(side) in row["reason"]


def test_a_session_asks_for_its_own_drift_before_it_ends(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    error = shop.fails(0, "drift")
    assert (error["code"], error["exit"]) == ("SESSION_NOT_ACTIVE", 1)
    session = begun(shop)
    found = shop.ok(0, "drift")
    assert (found["verdict"], found["session_id"], found["session_drift"]["score"]) == ("pass", session, 0.0)
    write_files(shop.clones[0], {"docs/a.md": "x\n"})
    found = shop.ok(0, "drift", session)
    assert (found["verdict"], found["session_drift"]["out_of_scope"]) == ("warn", ["docs/a.md"])
    shop.ok(0, "session-finish", "--summary", "done")
    assert shop.ok(0, "drift", session)["session_drift"]["score"] == 0.738
    assert shop.fails(0, "drift", "SES-NOTHERE")["code"] == "ID_NOT_FOUND"


def test_the_drift_of_a_session_elsewhere_is_not_guessed(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    session = begun(shop)
    shop.ok(1, "sync")
    found = shop.ok(1, "drift", session)
    assert (found["verdict"], found["session_drift"]["score"]) == ("none", None)
    assert "works in another clone" in found["session_drift"]["error"]


def test_what_a_check_writes_counts_as_the_sessions(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    let_run(shop, a_check("writes", "open('made.txt', 'w').write('x')"))
    shop.ok(0, "ticket-edit", "T1", "--set-checks", "writes")
    begun(shop)
    found = shop.ok(0, "session-finish", "--summary", "done")
    assert [each["id"] for each in found["checks"]] == ["writes"]
    assert found["drift"]["out_of_scope"] == ["made.txt"]
