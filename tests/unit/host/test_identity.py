"""The actor: named, else an agent, else the git user, else the login name."""

from pathlib import Path

import pytest

from exo_sidecar.host import identity
from exo_sidecar.model.errors import ActorInvalid

AGENT = {"CLAUDECODE": "1"}


def test_the_actor_that_is_named_wins_over_everything() -> None:
    environ = AGENT | {"EXO_ACTOR": "ci:build"}
    assert identity.resolve("agent:zed", environ, git_user="Ann") == "agent:zed"
    assert identity.resolve(None, environ, git_user="Ann") == "ci:build"


def test_a_bare_name_is_a_person() -> None:
    assert identity.resolve("jane", {}, git_user=None) == "human:jane"


def test_a_malformed_actor_is_refused_and_not_replaced_by_a_guess() -> None:
    with pytest.raises(ActorInvalid):
        identity.resolve("robot:x", {}, git_user="Ann")
    with pytest.raises(ActorInvalid):
        identity.resolve(None, {"EXO_ACTOR": "agent:"}, git_user="Ann")


@pytest.mark.parametrize(("variable", "name"), identity.AGENT_VARIABLES)
def test_a_known_agents_variable_names_the_agent(variable: str, name: str) -> None:
    assert identity.resolve(None, {variable: "1"}, git_user="Ann") == f"agent:{name}"
    assert identity.is_agent_environment({variable: "1"})


@pytest.mark.parametrize("value", ["", "0", "false", "FALSE"])
def test_a_variable_that_is_switched_off_names_nobody(value: str) -> None:
    assert not identity.is_agent_environment({"CLAUDECODE": value, "AI_AGENT": value})


def test_an_agent_that_names_itself_is_fitted_into_the_form() -> None:
    assert identity.resolve(None, {"AI_AGENT": "My Agent/2"}, git_user=None) == "agent:my-agent-2"


def test_the_alias_that_several_products_set_says_nothing() -> None:
    assert identity.agent_of({"CLAUDE_PROJECT_DIR": "/x", "CURSOR_TRACE_ID": "1"}) is None


def test_without_an_agent_the_git_user_acts_and_then_the_login_name() -> None:
    assert identity.resolve(None, {}, git_user="Ann Tester") == "human:ann-tester"
    assert identity.resolve(None, {"LOGNAME": "ann"}, git_user=None) == "human:ann"
    assert identity.resolve(None, {}, git_user=None).startswith("human:")


def test_the_repositorys_own_user_wins_over_the_users_own_file(tmp_path: Path) -> None:
    home, common = tmp_path / "home", tmp_path / "common"
    home.mkdir()
    common.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = At Home\n")
    environ = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    assert identity.git_user_name(common, environ) == "At Home"
    (common / "config").write_text("[user]\n\tname = Here\n")
    assert identity.git_user_name(common, environ) == "Here"


def test_without_any_configuration_there_is_no_git_user(tmp_path: Path) -> None:
    assert identity.git_user_name(tmp_path, {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}) is None


def test_a_name_that_stands_in_an_included_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    included = tmp_path / "included"
    included.write_text("[user]\n\tname = Included\n")
    (tmp_path / ".gitconfig").write_text(f"[include]\n\tpath = {included}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    environ = {"GIT_CONFIG_GLOBAL": str(tmp_path / ".gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}
    assert identity.git_user_name(tmp_path, environ) == "Included"
