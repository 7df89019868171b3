"""Hostile and silly values for every parameter of every operation: one clear error or a result, and nothing else.

Parameters come from the registry, so that a new one is covered when it is declared. The normal run gives each a
selection of the values that differs from parameter to parameter; the run with `-m long` gives each all of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from exo_sidecar.model.errors import EXIT_STATUS, Kind
from exo_sidecar.operations.parameters import Parameter, parameters
from exo_sidecar.operations.registry import Operation, every, find
from tests.support.inprocess import exo_in_process
from tests.support.process import Ran, exo
from tests.support.repositories import a_repository, git
from tests.support.working import a_lone_shop

VALUES: Final[Mapping[str, str]] = {
    "empty": "",
    "blank": "   \t ",
    "a million characters": "x" * 1_000_000,
    "control characters": "a\x07b\x1b[31mred\x1b]0;title\x07",
    "text that turns round": "a\u202eb\u2066c",
    "half a character": "a\udcff",
    "a path out": "../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "an option": "-x",
    "a long option": "--yes=please",
    "two dashes": "--",
    "a substitution": "$(touch pwned)",
    "a second command": "; touch pwned",
    "backticks": "`touch pwned`",
    "lines": "one\n\ntwo\r\nthree",
    "a null": "a\0b",
    "a huge number": "9" * 40,
    "a negative number": "-5",
    "a fraction": "1.5",
    "not a number": "nan",
    "hexadecimal": "0x10",
    "a word": "nonsense",
    "an id of another kind": "INTENT-1",
    "an id of nothing": "TICKET-NOSUCH",
    "an id that is too long": "TICKET-" + "A" * 60,
    "a session": "SES-0000000000",
    "emoji": "\U0001f469\u200d\U0001f680 \u2603",
    "decomposed letters": "e\u0301le\u0300ve",
    "YAML": "!!python/object/apply:os.system ['touch pwned']",
    "an anchor": "&a [*a, *a]",
    "JSON": '{"$ref": "#", "a": [1, null]}',
    "HTML": "<script>alert(1)</script>",
    "a duration": "99999999d",
    "a glob": "**/../{a,{b,[!]}}",
    "a ref": "refs/heads/main..@{1}~^:",
    "a device": "con.txt\\nul",
    "a dash": "-",
    "percent": "%s%n{0}{}",
}
ANSWERS: Final = {0, 130, *EXIT_STATUS.values()} - {EXIT_STATUS[Kind.INTERNAL]}
NEEDED: Final[Mapping[str, str]] = {
    "title": "A title",
    "brain_dump": "why",
    "id": "T2",
    "ticket_id": "T2",
    "status": "blocked",
    "shell": "bash",
    "parent": "INTENT-1",
    "summary": "what was done",
    "to": "agent:codex",
    "reason": "because",
    "agent": "git",
    "event": "pre-push",
    "input": "",
    "pattern": "when this happens",
    "insight": "know that",
}
"""Good values: of what an operation cannot do without, and of what lets it get as far as the one that is tried."""
FRESH: Final = frozenset({"init", "sidecar-init"})
"""These are tried where nothing is governed yet."""
APART: Final = frozenset({"demo"})
"""Makes a place of its own wherever it is told to; it is tried below."""
SHOWN: Final = frozenset(
    {"next", "session-start", "session-suspend", "session-handoff", "session-finish", "lease-release"}
)
"""Would be done after the first value that is accepted: the normal run only has them shown (--dry-run)."""
CHANGING: Final = ("\x1b", "\u202e", "\u2066", "\x07")
"""What must never reach a terminal."""
EACH: Final = 4


class Try(NamedTuple):
    """One call."""

    name: str
    argv: tuple[str, ...]


TRIED: Final = sorted((each for each in every() if each.name not in APART), key=lambda each: each.name)


@pytest.mark.parametrize("operation", TRIED, ids=lambda each: each.name)
def test_bad_values_are_answered_and_do_no_harm(operation: Operation, tmp_path: Path) -> None:
    assert_harmless(operation, tmp_path, every_value=False)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("operation", TRIED, ids=lambda each: each.name)
def test_every_bad_value_for_every_parameter(operation: Operation, tmp_path: Path) -> None:
    assert_harmless(operation, tmp_path, every_value=True)


def assert_harmless(operation: Operation, folder: Path, *, every_value: bool) -> None:
    """Try the operation's parameters; everything around is as before, and the records are sound."""
    (folder / "bystander.txt").write_text("untouched")
    repository = None if operation.name in FRESH else a_busy_repository(folder)
    around = listing(folder)
    faults = []
    for number, attempt in enumerate(tries(operation, every_value=every_value)):
        place = repository or a_repository(folder, f"repo{number}")
        around |= {} if repository else {f"repo{number}": ""}
        ran = exo_in_process(place, *attempt.argv, *(("--json",) if number % 2 else ()))
        fault = fault_of(ran, is_json=bool(number % 2)) or git(place, "status", "--porcelain") or None
        if fault is not None:
            faults.append(f"{attempt.name}: {fault}")
    assert faults == []
    assert listing(folder) == around
    assert not Path("pwned").exists()
    if repository is not None:
        assert_sound(repository)


def tries(operation: Operation, *, every_value: bool) -> Iterator[Try]:
    """Return the calls: each parameter with bad values, all others good."""
    known = parameters(operation)
    for place, parameter in enumerate(known):
        if parameter.sort == "flag":
            continue
        names = list(VALUES)
        if not every_value:
            start = (place * EACH + len(operation.name)) % len(names)
            names = (names + names)[start : start + EACH]
        for name in names:
            good = [word for each in known if each is not parameter for word in given(operation, each)]
            shown = ("--dry-run",) if operation.name in SHOWN and not every_value else ()
            value = VALUES[name]
            bad = (value,) if parameter.positional else (f"{parameter.flag}={value}",)
            words = (*bad, *good) if comes_first(parameter, known) else (*good, *bad)
            yield Try(f"{parameter.name}, {name}", (operation.name, *shown, *words))


def comes_first(parameter: Parameter, known: Sequence[Parameter]) -> bool:
    """Whether the value stands before the other positional ones."""
    return next((each is parameter for each in known if each.positional), False)


def given(operation: Operation, parameter: Parameter) -> tuple[str, ...]:
    """Return a good value for a parameter as words, if it needs one."""
    helps = parameter.required or (operation.name, parameter.name) in {
        ("ticket-create", "parent"),
        ("session-finish", "summary"),
        ("session-handoff", "summary"),
        ("session-suspend", "reason"),
        ("ticket-move", "reason"),
    }
    if not helps:
        return ()
    good = NEEDED[parameter.name]
    return (good,) if parameter.positional else (parameter.flag, good)


def fault_of(ran: Ran, *, is_json: bool) -> str | None:
    """Return what is wrong with an answer, None when it is one that a caller can use."""
    if ran.exit not in ANSWERS or "Traceback" in ran.out + ran.err:
        return f"exit {ran.exit}: {(ran.out + ran.err)[:500]}"
    return json_fault(ran) if is_json else text_fault(ran)


def json_fault(ran: Ran) -> str | None:
    """Return what is wrong with the one object on stdout."""
    if ran.err:
        return f"stderr has {ran.err[:200]!r}"
    try:
        answer = json.loads(ran.out)
    except ValueError:
        return f"stdout is no JSON object: {ran.out[:200]!r}"
    if answer["ok"]:
        return None if set(answer) == {"ok", "data", "warnings"} else f"the envelope is {sorted(answer)}"
    error = answer.get("error", {})
    if set(answer) != {"ok", "error"} or set(error) != {"code", "kind", "message", "hint", "details"}:
        return f"the envelope is {sorted(answer)} of {sorted(error)}"
    if not (error["code"] and error["message"] and error["hint"]):
        return f"code, message or hint is missing: {error}"
    if EXIT_STATUS[Kind(error["kind"])] != ran.exit:
        return f"exit {ran.exit} for {error['kind']}"
    return None if len(error["message"]) < 2000 else f"the message has {len(error['message'])} characters"


def text_fault(ran: Ran) -> str | None:
    """Return what is wrong with an answer for a person."""
    if any(each in ran.out + ran.err for each in CHANGING):
        return f"control characters reach the terminal: {(ran.out + ran.err)[:300]!r}"
    if ran.exit == 0 or ran.out:
        return None
    errors = [line for line in ran.err.splitlines() if line.startswith("error ")]
    if len(errors) != 1 or "  hint: " not in ran.err:
        return f"not one error with a hint: {ran.err[:500]!r}"
    return None if len(ran.err) < 3000 else f"the error has {len(ran.err)} characters"


def a_busy_repository(folder: Path) -> Path:
    """Make a governed repository with tickets, and a session on the first of them."""
    (repository,) = a_lone_shop(folder, tickets=3).clones
    started = exo_in_process(repository, "session-start", "--ticket-id", "T1", "--json")
    assert started.exit == 0, started.out
    return repository


def listing(folder: Path) -> dict[str, str]:
    """Return what lies beside the repository: names, and the content of files."""
    return {each.name: each.read_text() if each.is_file() else "" for each in sorted(folder.iterdir())}


def assert_sound(repository: Path) -> None:
    """The record verifies, and the mount is as the branch has it."""
    audited = exo_in_process(repository, "audit", "--json")
    assert (audited.exit, audited.data["verdict"]) == (0, "pass"), audited.data["issues"]
    assert git(repository, "-C", ".exo", "status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""


def test_a_parameter_that_is_declared_is_tried() -> None:
    names = {attempt.name.split(",")[0] for attempt in tries(find("ticket-create"), every_value=False)}
    assert {"title", "parent", "scope_allow", "max_files"} <= names


@pytest.mark.parametrize("value", ["", "\x1b[31m", "a\0b", "x" * 5000, "../kept", "-x"])
def test_the_folder_of_a_demonstration_is_made_or_refused(
    tmp_path: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    ran = exo_in_process(tmp_path / "in", "demo", f"--keep={value}", "--json", env={"PATH": "/nonexistent"})
    assert fault_of(ran, is_json=True) is None


@pytest.mark.parametrize("number", range(0, len(VALUES), 7))
def test_a_real_process_answers_as_the_one_in_process(tmp_path: Path, number: int) -> None:
    repository = a_busy_repository(tmp_path)
    value = list(VALUES.values())[number].replace("\0", "")[:100_000]
    ran = exo(repository, "ticket-edit", "T2", f"--note={value}", "--json")
    assert fault_of(ran, is_json=True) is None
    assert_sound(repository)


def test_texts_that_are_too_long_together_are_refused(tmp_path: Path) -> None:
    repository = a_busy_repository(tmp_path)
    long = "\U0001f469" * 16_000
    texts = [f"--{name}={long}" for name in ("brain-dump", "boundary", "success-condition")]
    ran = exo_in_process(repository, "intent-create", "Large", *texts, "--json")
    assert fault_of(ran, is_json=True) is None
    assert ran.exit == 2
    assert_sound(repository)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"exo_sidecar", b"ticket-edit", b"T1", b"--note=\xff\xfe", b"--json"],
        cwd=repository,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "VALUE_INVALID"


@pytest.mark.parametrize("stdin", [b"\xff\xfe\x00\x01" * 100, b"x" * 10_000_000], ids=["binary", "ten megabytes"])
def test_standard_input_that_is_no_sensible_text_is_refused(tmp_path: Path, stdin: bytes) -> None:
    repository = a_busy_repository(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "exo_sidecar", "ticket-create", "x", "--parent", "INTENT-1", "--boundary=-", "--json"],
        cwd=repository,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "VALUE_INVALID"
    assert_sound(repository)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("file", "NOT_A_REPOSITORY"),
        ("missing", "NOT_A_REPOSITORY"),
        ("folder", "NOT_A_REPOSITORY"),
        ("bare", "SIDECAR_MISSING"),
        ("sha256", "REPOSITORY_UNSUPPORTED"),
        ("null", None),
        ("long", None),
        ("empty", None),
    ],
)
@pytest.mark.parametrize("command", [("ticket-list",), ("ticket-edit", "T1", "--note", "x"), ("status",), ("sync",)])
def test_a_repository_that_is_none_is_named(
    tmp_path: Path, kind: str, code: str | None, command: tuple[str, ...]
) -> None:
    place = a_strange_place(tmp_path, kind)
    ran = exo_in_process(tmp_path, *command, f"--repo={place}", "--json")
    assert fault_of(ran, is_json=True) is None
    if code is not None and (command, code) != (("status",), "SIDECAR_MISSING"):
        assert ran.answer["error"]["code"] == code
        assert ran.exit == 8


def a_strange_place(folder: Path, kind: str) -> str:
    """Make something that is no repository to work in and return how it is named."""
    place = folder / "place"
    match kind:
        case "file":
            place.write_text("no repository")
        case "folder":
            place.mkdir()
        case "bare":
            place.mkdir()
            git(place, "init", "-q", "--bare")
        case "sha256":
            place.mkdir()
            git(place, "init", "-q", "--object-format=sha256")
        case "null":
            return "a\0b"
        case "long":
            return "x" * 5000
        case "empty":
            return ""
        case _:
            pass
    return str(place)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_repository_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    os.chown(repository, 12345, 12345)
    os.chown(repository / ".git", 12345, 12345)
    ran = exo_in_process(repository, "init", "--json")
    assert (ran.exit, ran.answer["error"]["code"]) == (8, "OWNER_UNTRUSTED")
    assert not (repository / ".exo").exists()


WHO: Final = ("human:", ":jane", "robot:x", "human:a b", "human:" + "x" * 500, "human:\x1b[1m", "a:b:c", "\udcff")


@pytest.mark.parametrize("value", WHO)
def test_an_actor_that_is_none_is_refused_wherever_it_comes_from(tmp_path: Path, value: str) -> None:
    repository = a_repository(tmp_path)
    git(repository, "branch", "unrelated")
    exo_in_process(repository, "init")
    for argv, env in (((f"--actor={value}",), {}), ((), {"EXO_ACTOR": value})):
        for command in (("intent-create", "x", "--brain-dump", "y"), ("status",)):
            ran = exo_in_process(repository, *command, *argv, "--json", env=env)
            assert fault_of(ran, is_json=True) is None
            assert ran.exit == 2, (command, value, ran.out)


@pytest.mark.parametrize("value", ["SES-1", "nonsense", "ses-0000000000", "TICKET-001", "x" * 5000, "a\x1bb", "\udcff"])
def test_a_session_that_is_none_is_refused_wherever_it_comes_from(tmp_path: Path, value: str) -> None:
    repository = a_repository(tmp_path)
    exo_in_process(repository, "init")
    for argv, env in (((f"--session={value}",), {}), ((), {"EXO_SESSION_ID": value})):
        for command in (("intent-create", "x", "--brain-dump", "y"), ("status",), ("session-finish", "--summary", "s")):
            ran = exo_in_process(repository, *command, *argv, "--json", env=env)
            assert fault_of(ran, is_json=True) is None
    assert_sound(repository)


def test_common_options_without_a_value_are_named(tmp_path: Path) -> None:
    for flag in ("--repo", "--actor", "--session", "--format"):
        for argv in (("--json", flag), ("--json", "ticket-list", flag), ("--json", flag, "", "ticket-list")):
            ran = exo_in_process(tmp_path, *argv)
            assert fault_of(ran, is_json=True) is None
            assert ran.exit != 0
