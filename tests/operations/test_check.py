"""Checks with real programs: what ran is judged by what it did, and nothing else is ever started."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.checking import FAILS, LEFT_BEHIND, PASSES, a_check, left_behind, let_run
from tests.support.repositories import commit_files, git
from tests.support.working import Shop, a_lone_shop, a_shop

TICKET = "TICKET-T1"
LATE_SECONDS = 60.0
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a lone repository in which PASSES and FAILS may run."""
    shop = a_lone_shop(tmp_path / "repo", tickets=1)
    let_run(shop, PASSES, FAILS)
    return shop


def check(shop: Shop, *words: str, status: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Run `check` and return its data; the exit status must be as said."""
    ran = shop.exo(0, "check", *words)
    assert ran.exit == status, ran.out + ran.err
    return ran.data


def test_a_ticket_s_checks_run_and_pass(shop: Shop) -> None:
    shop.ok(0, "ticket-edit", TICKET, "--set-checks", "passes")
    commits = shop.commits()
    found = check(shop, TICKET)
    assert (found["verdict"], found["ticket_id"], found["recorded"]) == ("pass", TICKET, False)
    assert found["checks"][0] | {"duration": 0} == {
        "id": "passes",
        "argv": [sys.executable, "-c", "print('fine')"],
        "verdict": "passed",
        "items": None,
        "duration": 0,
        "exit_status": 0,
        "output_tail": "fine\n",
    }
    assert shop.commits() == commits


def test_one_that_fails_fails_all_and_shows_what_it_wrote(shop: Shop) -> None:
    found = check(shop, TICKET, "--only", "passes", "--only", "fails", status=1)
    assert found["verdict"] == "fail"
    assert [(each["verdict"], each["exit_status"]) for each in found["checks"]] == [("passed", 0), ("failed", 3)]
    assert "it broke" in found["checks"][1]["output_tail"]


def test_no_check_at_all_is_no_pass(shop: Shop) -> None:
    assert check(shop, TICKET, status=1)["verdict"] == "none"


def test_without_a_ticket_those_run_that_every_ticket_has(shop: Shop) -> None:
    let_run(shop, PASSES, FAILS, globally=["passes"])
    found = check(shop)
    assert (found["ticket_id"], [each["id"] for each in found["checks"]]) == (None, ["passes"])


def test_a_list_runs_nothing(shop: Shop) -> None:
    shop.ok(0, "ticket-edit", TICKET, "--set-checks", "passes")
    found = check(shop, TICKET, "--list")
    assert (found["verdict"], found["checks"]) == (None, [])
    assert [(each["id"], each["wanted"]) for each in found["listed"]] == [("passes", True), ("fails", False)]


def test_only_what_the_list_names_ever_runs(shop: Shop) -> None:
    assert shop.fails(0, "check", TICKET, "--only", "touch x")["code"] == "CHECK_UNKNOWN"
    let_run(shop, "touch x")
    shop.ok(0, "ticket-edit", TICKET, "--set-checks", "touch x")
    let_run(shop, PASSES)  # somebody took it off the list since
    assert shop.fails(0, "check", TICKET)["code"] == "CHECK_NOT_ALLOWED"
    assert shop.fails(0, "check", TICKET, "--only", "touch x")["code"] == "CHECK_NOT_ALLOWED"
    assert not (shop.clones[0] / "x").exists()


def test_a_text_is_split_into_arguments_and_never_given_to_a_shell(shop: Shop) -> None:
    let_run(shop, "echo '$HOME  *' ?")
    name = check(shop, "--list")["listed"][0]["id"]
    assert check(shop, "--only", name)["checks"][0]["output_tail"] == "$HOME  * ?\n"


@pytest.mark.parametrize("text", ["true; touch x", "true && touch x", "true | tee x", "echo hi > x", "echo `id`"])
def test_what_only_a_shell_understands_is_refused(shop: Shop, text: str) -> None:
    config = shop.clones[0] / ".exo" / "config.yaml"
    kept = [line for line in config.read_text().splitlines() if not line.startswith("checks_allowlist")]
    config.write_text("\n".join(kept) + f"\nchecks_allowlist: {json.dumps([text])}\n")
    assert shop.exo(0, "check", TICKET).exit != 0
    assert not (shop.clones[0] / "x").exists()


def test_a_missing_program_is_said_to_be_missing(shop: Shop) -> None:
    let_run(shop, {"id": "gone", "run": ["no-such-program-anywhere"]}, {"id": "here", "run": ["./not-here.sh"]})
    found = check(shop, "--only", "gone", "--only", "here", status=1)
    assert [each["verdict"] for each in found["checks"]] == ["missing", "missing"]


def test_pytest_counts_and_a_run_of_no_test_is_no_pass(shop: Shop) -> None:
    let_run(shop, {"id": "pytest", "run": PYTEST}, {"id": "none", "run": [*PYTEST, "-k", "no_such_test"]})
    commit_files(shop.clones[0], {"tests/test_it.py": "def test_a():\n    pass\n\ndef test_b():\n    pass\n"}, "tests")
    passed = check(shop, "--only", "pytest")["checks"][0]
    assert (passed["verdict"], passed["items"]) == ("passed", 2)
    empty = check(shop, "--only", "none", status=1)
    assert (empty["verdict"], empty["checks"][0]["verdict"], empty["checks"][0]["items"]) == ("none", "empty", 0)
    let_run(shop, {"id": "pytest", "run": PYTEST, "min_items": 3})
    assert check(shop, "--only", "pytest", status=1)["checks"][0]["verdict"] == "empty"


def test_a_junit_report_counts_and_an_old_one_does_not(shop: Shop) -> None:
    suite = '<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>'
    write = f"open('report.xml', 'w').write({suite!r})"
    let_run(
        shop,
        a_check("writes", write, evidence="junit:report.xml"),
        a_check("does not", "pass", evidence="junit:report.xml"),
    )
    assert check(shop, "--only", "writes")["checks"][0]["items"] == 1
    assert check(shop, "--only", "does not", status=1)["checks"][0]["verdict"] == "empty"


def test_runs_that_do_not_agree_are_unstable(shop: Shop) -> None:
    flips = "import os, sys; made = os.path.exists('flag'); open('flag', 'w').close(); sys.exit(made)"
    let_run(shop, a_check("flips", flips, runs=2))
    assert check(shop, "--only", "flips", status=1)["checks"][0]["verdict"] == "unstable"


def test_at_the_limit_nothing_of_it_is_left(shop: Shop) -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "child = [sys.executable, '-c', 'import time; time.sleep(600)', 'left-behind']\n"
        "subprocess.Popen(child); subprocess.Popen(child, start_new_session=True)\n"
        "print('started', flush=True); time.sleep(600)\n"
    )
    let_run(shop, a_check("slow", code, timeout_seconds=2))
    found = check(shop, "--only", "slow", status=1)["checks"][0]
    assert (found["verdict"], found["exit_status"], found["output_tail"]) == ("timeout", None, "started\n")
    assert left_behind() == []


def test_what_it_leaves_running_ends_with_it(shop: Shop) -> None:
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'left-behind'])\n"
    )
    let_run(shop, a_check("leaves", code))
    assert check(shop, "--only", "leaves")["checks"][0]["verdict"] == "passed"
    assert left_behind() == []


def test_output_is_cut_and_secrets_in_it_are_masked(shop: Shop) -> None:
    code = "print('x' * 300_000); print('key AKIA' + 'A' * 16 + ' end')"
    let_run(shop, a_check("talks", code))
    tail = check(shop, "--only", "talks")["checks"][0]["output_tail"]
    assert len(tail) == 4000
    assert tail.endswith("key [an AWS access key] end\n")


def test_only_named_variables_pass(shop: Shop) -> None:
    code = "import os; print(sorted(name for name in os.environ if name in {'PATH', 'TOKEN', 'OWN', 'EXO_ACTOR'}))"
    let_run(shop, a_check("env", code, env={"OWN": "1"}))
    ran = shop.exo(0, "check", "--only", "env", env={"TOKEN": "t", "EXO_ACTOR": "human:ann"})
    assert ran.data["checks"][0]["output_tail"] == "['OWN', 'PATH']\n"


def test_it_runs_in_its_folder_and_in_none_outside(shop: Shop, tmp_path: Path) -> None:
    repository = shop.clones[0]
    (repository / "sub").mkdir()
    (repository / "out").symlink_to(tmp_path)
    code = "import os; print(os.getcwd())"
    folders = {"in": "sub", "out": "out", "up": "../", "no": "no"}
    let_run(shop, *(a_check(name, code, cwd=folder) for name, folder in folders.items()))
    assert check(shop, "--only", "in")["checks"][0]["output_tail"].strip() == str((repository / "sub").resolve())
    assert shop.fails(0, "check", "--only", "out")["code"] == "CHECK_NOT_ALLOWED"
    assert shop.fails(0, "check", "--only", "up")["code"] == "CHECK_NOT_ALLOWED"
    assert check(shop, "--only", "no", status=1)["checks"][0]["verdict"] == "missing"


def test_what_no_system_can_start_is_missing(shop: Shop) -> None:
    let_run(shop, a_check("null", "x\0y"), a_check("cwd", "pass", cwd="a\0"))
    found = check(shop, "--only", "null", "--only", "cwd", status=1)
    assert [each["verdict"] for each in found["checks"]] == ["missing", "missing"]


def test_the_checks_of_a_session_run_where_it_works(shop: Shop, tmp_path: Path) -> None:
    let_run(shop, a_check("where", "import os; print(os.getcwd())"))
    git(shop.clones[0], "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    there = Shop((tmp_path / "side",), None, shop.tickets)
    there.ok(0, "ticket-edit", TICKET, "--set-checks", "where")
    session = there.ok(0, "session-start", "--ticket-id", TICKET)["session"]["id"]
    ran = check(shop, "--session", session)["checks"][0]
    assert ran["output_tail"].strip() == str((tmp_path / "side").resolve())
    other = check(shop, TICKET, "--actor", "agent:other")["checks"][0]
    assert other["output_tail"].strip() == str(shop.clones[0].resolve())
    found = shop.ok(0, "session-finish", "--summary", "s", "--session", session)
    assert found["checks"][0]["output_tail"].strip() == str((tmp_path / "side").resolve())


def test_a_recorded_result_holds_for_the_files_as_they_were(shop: Shop) -> None:
    repository = shop.clones[0]
    shop.ok(0, "ticket-edit", TICKET, "--set-checks", "passes")
    commits = shop.commits()
    clean = check(shop, TICKET, "--record")
    assert (clean["recorded"], clean["dirty"], clean["commit"]) == (True, None, git(repository, "rev-parse", "HEAD"))
    assert shop.commits() == commits + 1
    (repository / "new.txt").write_text("one\n")
    one = check(shop, TICKET)["dirty"]
    (repository / "new.txt").write_text("two\n")
    two = check(shop, TICKET, "--record")["dirty"]
    assert None not in {one, two}
    assert one != two
    last = shop.ok(0, "ticket-show", TICKET)["verified"]
    assert (last["verdict"], last["dirty"], [each["id"] for each in last["checks"]]) == ("pass", two, ["passes"])


def test_what_a_pulled_policy_names_does_not_run_until_a_person_accepts_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=1)
    let_run(shop, PASSES, globally=["passes"])
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    assert shop.exo(0, "check").exit == 0
    error = shop.fails(1, "check")
    assert (error["code"], error["exit"]) == ("CHECKS_UNTRUSTED", 1)
    shop.ok(1, "trust", "--actor", "human:ben")
    assert shop.ok(1, "check")["verdict"] == "pass"


def test_a_check_does_not_outlive_the_exo_that_runs_it(shop: Shop) -> None:
    code = "import time; print('up', flush=True); time.sleep(600)"
    let_run(shop, {"id": "slow", "run": [sys.executable, "-c", code, LEFT_BEHIND]})
    process = psutil.Popen(
        [sys.executable, "-m", "exo_sidecar", "check", "--only", "slow"], cwd=shop.clones[0], stdout=-3, stderr=-3
    )
    late = time.monotonic() + LATE_SECONDS
    while not left_behind():
        assert time.monotonic() < late
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while left_behind():
        assert time.monotonic() < late
