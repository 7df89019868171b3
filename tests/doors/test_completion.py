"""Completion: what a shell offers, and where its script is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from exo_sidecar.cli.completion import candidates
from tests.support.inprocess import exo_in_process
from tests.support.process import exo

SHELLS = ("bash", "zsh", "fish", "powershell")


def _offered(cwd: Path, before: tuple[str, ...], current: str) -> set[str]:
    return {each.value for each in candidates(before, current, {}, cwd)}


def test_commands_options_and_values_are_offered(tmp_path: Path) -> None:
    assert "ticket-create" in _offered(tmp_path, (), "tick")
    assert _offered(tmp_path, ("ticket",), "cr") == {"create"}
    assert "--parent" in _offered(tmp_path, ("ticket-create",), "--p")
    assert _offered(tmp_path, ("ticket-create", "--kind"), "") == {"task", "epic"}
    assert _offered(tmp_path, ("status", "--format"), "") == {"json", "text"}
    assert "review" in _offered(tmp_path, ("ticket-move", "TICKET-1"), "")
    assert "--dry-run" not in _offered(tmp_path, ("status",), "--")


def test_what_cannot_be_known_is_silence(tmp_path: Path) -> None:
    assert _offered(tmp_path, ("nonsense",), "") == set()
    assert _offered(tmp_path, ("ticket-show",), "") == set()
    assert exo(tmp_path, "_complete").exit == 0


def test_each_shell_gets_its_own_form(tmp_path: Path) -> None:
    lines = {shell: exo(tmp_path, "_complete", shell, "1", "exo", "ticket-cr").out for shell in SHELLS}
    assert lines["bash"] == "ticket-create\n"
    assert lines["zsh"].startswith("ticket-create:")
    assert lines["fish"].startswith("ticket-create\t")


@pytest.mark.parametrize("shell", SHELLS)
def test_installing_twice_changes_nothing_and_keeps_what_was_there(tmp_path: Path, shell: str) -> None:
    (tmp_path / ".zshrc").write_text("mine")
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")}
    preview = exo_in_process(tmp_path, "completion", shell, "--install", "--dry-run", "--json", env=env)
    assert preview.data["state"] in {"created", "updated"}
    assert not Path(preview.data["path"]).exists() or shell == "zsh"
    first = exo_in_process(tmp_path, "completion", shell, "--install", "--json", env=env)
    text = Path(first.data["path"]).read_text()
    second = exo_in_process(tmp_path, "completion", shell, "--install", "--json", env=env)
    assert second.data["state"] == "unchanged"
    assert Path(second.data["path"]).read_text() == text
    assert text.startswith("mine\n") is (shell == "zsh")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_printed_script_is_one_that_bash_reads(tmp_path: Path) -> None:
    script = exo_in_process(tmp_path, "completion", "bash").out
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_shell_that_nobody_has_is_refused(tmp_path: Path) -> None:
    ran = exo_in_process(tmp_path, "completion", "cmd", "--json")
    assert ran.exit == 2
    assert "bash" in ran.answer["error"]["hint"]
