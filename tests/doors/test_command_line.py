"""The command line: words, common options, the two forms of an answer, exit statuses."""

import io
import json
from pathlib import Path

import pytest

from exo_sidecar.cli.main import run
from exo_sidecar.model.errors import EXIT_STATUS, Kind
from tests.support.inprocess import exo_in_process

pytestmark = pytest.mark.usefixtures("sampled")


def test_options_of_every_sort_reach_the_operation(tmp_path: Path) -> None:
    ran = exo_in_process(
        tmp_path, "sample-echo", "hi", "--size", "3", "--member", "a", "--member=b", "--colour", "green", "--json"
    )
    expected = {"text": "hi", "size": 3, "member": ["a", "b"], "colour": "green", "loud": False}
    assert ran.exit == 0
    assert {key: ran.data[key] for key in expected} == expected


def test_the_envelope_of_success_is_one_object_and_stderr_is_empty(tmp_path: Path) -> None:
    ran = exo_in_process(tmp_path, "sample-echo", "hi", "--loud", "--json")
    assert ran.answer["ok"] is True
    assert set(ran.answer) == {"ok", "data", "warnings"}
    assert ran.answer["warnings"] == [{"code": "LOUD", "message": "hi is loud"}]
    assert ran.err == ""


def test_the_envelope_of_failure_says_code_kind_message_hint_and_details(tmp_path: Path) -> None:
    ran = exo_in_process(tmp_path, "sample-fail", "Held", "--json")
    assert ran.answer["ok"] is False
    assert set(ran.answer) == {"ok", "error"}
    error = ran.answer["error"]
    assert (error["kind"], error["message"], error["hint"]) == ("Held", "it is Held", "do something else")
    assert error["details"] == {"number": 1, "names": ["a", "b"]}
    assert ran.err == ""


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_of_error_has_its_exit_status(tmp_path: Path, kind: Kind) -> None:
    ran = exo_in_process(tmp_path, "sample-fail", kind)
    assert ran.exit == EXIT_STATUS[kind]
    assert ran.out == ""
    assert ran.err.startswith("error ")
    assert ran.err.endswith("  hint: do something else\n")


def test_a_verdict_decides_the_exit_status_and_the_call_went_well(tmp_path: Path) -> None:
    statuses = [exo_in_process(tmp_path, "sample-judge", each).exit for each in ("pass", "warn", "fail")]
    assert statuses == [0, 0, 1]
    failed = exo_in_process(tmp_path, "sample-prove", "fail", "--json")
    assert (failed.exit, failed.answer["ok"]) == (7, True)


def test_common_options_stand_before_and_after_the_command(tmp_path: Path) -> None:
    for argv in (
        ("--actor", "agent:a", "--json", "sample-echo", "hi"),
        ("sample-echo", "--actor=agent:a", "hi", "--format", "json"),
        ("--format=json", "sample-echo", "hi", "--actor", "agent:a"),
    ):
        assert exo_in_process(tmp_path, *argv).data["actor"] == "agent:a"


def test_dry_run_is_for_operations_that_write(tmp_path: Path) -> None:
    assert exo_in_process(tmp_path, "sample-echo", "hi", "--dry-run", "--json").data["dry_run"] is True
    assert exo_in_process(tmp_path, "sample-judge", "pass", "--dry-run").exit == 2


def test_offline_is_refused_where_there_is_no_network(tmp_path: Path) -> None:
    assert exo_in_process(tmp_path, "sample-echo", "hi", "--offline").exit == 2


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("sample-ecko", "hi"), "did you mean sample-echo"),
        (("sample-echo", "hi", "--membr", "x"), "--member"),
        (("sample-echo",), "TEXT"),
        (("sample-echo", "hi", "--size", "9"), "--size"),
        (("sample-echo", "hi", "--size", "many"), "--size"),
        (("sample-echo", "hi", "--colour", "blue"), "one of: green, red"),
        (("sample-echo", "hi", "there"), "there"),
        (("--nonsense",), "--nonsense"),
        (("--repo",), "--repo needs a value"),
        (("sample-echo", "hi", "--format", "xml"), "text or json"),
    ],
)
def test_a_malformed_call_is_answered_in_our_own_form(tmp_path: Path, argv: tuple[str, ...], said: str) -> None:
    plain = exo_in_process(tmp_path, *argv)
    assert plain.exit == 2
    assert plain.out == ""
    assert plain.err.startswith("error ")
    assert said in plain.err
    ran = exo_in_process(tmp_path, "--json", *argv)
    assert ran.exit == 2
    assert ran.answer["error"]["kind"] == "Usage"
    assert ran.err == ""


def test_two_words_name_an_operation_of_a_noun_that_allows_it(tmp_path: Path) -> None:
    one = exo_in_process(tmp_path, "ticket", "list", "--json")
    assert one.answer["error"]["code"] == "NOT_A_REPOSITORY"
    assert exo_in_process(tmp_path, "sample", "echo", "hi").exit == 2


def test_a_noun_alone_lists_its_operations(tmp_path: Path) -> None:
    ran = exo_in_process(tmp_path, "ticket")
    assert ran.exit == 0
    assert "ticket-create" in ran.out
    assert "sample-echo" not in ran.out


def test_the_help_groups_operations_and_a_command_shows_its_parameters(tmp_path: Path) -> None:
    whole = exo_in_process(tmp_path, "--help")
    assert whole.exit == 0
    assert whole.out.index("Tickets\n") < whole.out.index("ticket-create") < whole.out.index("Reports\n")
    one = exo_in_process(tmp_path, "sample-echo", "--help")
    assert one.exit == 0
    for word in ("[brackets]", "--member", "may be repeated", "- reads standard input", "--dry-run", "--json"):
        assert word in one.out
    assert exo_in_process(tmp_path, "help", "sample-echo").out == one.out


def _with_stdin(cwd: Path, text: str, *argv: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    status = run(argv, environ={}, cwd=cwd, stdout=out, stderr=err, stdin=io.StringIO(text))
    return status, out.getvalue() or err.getvalue()


def test_a_dash_reads_standard_input_and_its_last_newline_is_not_part_of_it(tmp_path: Path) -> None:
    status, out = _with_stdin(tmp_path, "two\nlines\n", "sample-echo", "-", "--json")
    assert status == 0
    assert json.loads(out)["data"]["text"] == "two\nlines"


def test_standard_input_is_bounded(tmp_path: Path) -> None:
    status, out = _with_stdin(tmp_path, "x" * ((1 << 20) + 1), "sample-echo", "-")
    assert status == 2
    assert "longer than" in out


def test_a_dash_is_only_a_dash_where_standard_input_means_nothing(tmp_path: Path) -> None:
    assert exo_in_process(tmp_path, "sample-echo", "hi", "--member", "-", "--json").data["member"] == ["-"]


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    ran = exo_in_process(tmp_path, "sample-echo", "a\udcff", "--json")
    assert ran.exit == 2
    assert ran.answer["error"]["code"] == "VALUE_INVALID"


def test_our_own_fault_is_a_report_and_never_a_traceback(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    ran = exo_in_process(tmp_path, "sample-fail", "crash", "--json")
    assert ran.exit == 3
    report = Path(ran.answer["error"]["details"]["report"])
    assert report.parent == tmp_path / ".git" / "exo" / "reports"
    assert "ZeroDivisionError: a secret" in report.read_text()
    plain = exo_in_process(tmp_path, "sample-fail", "crash")
    assert "secret" not in plain.err
    assert "Traceback" not in plain.err


def test_long_values_are_cut_in_a_report(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    exo_in_process(tmp_path, "sample-fail", "crash", "--actor", "human:" + "x" * 500)
    (report,) = (tmp_path / ".git" / "exo" / "reports").iterdir()
    assert "x" * 90 not in report.read_text()


def test_what_loses_something_wants_a_yes(tmp_path: Path) -> None:
    assert exo_in_process(tmp_path, "sample-drop", "x").exit == 2
    assert exo_in_process(tmp_path, "sample-drop", "x", "--yes").exit == 0
    assert exo_in_process(tmp_path, "sample-drop", "x", "--dry-run").exit == 0


def test_quiet_leaves_out_warnings_and_hints_but_no_data(tmp_path: Path) -> None:
    loud = exo_in_process(tmp_path, "sample-echo", "hi", "--loud")
    quiet = exo_in_process(tmp_path, "sample-echo", "hi", "--loud", "--quiet")
    assert "warning LOUD: hi is loud" in loud.err
    assert quiet.err == ""
    assert quiet.out == loud.out
