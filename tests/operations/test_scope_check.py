"""scope-check: what the caller's session may touch, and which rule says so."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.policies import AGENT, ANN, begin, edit, error_of
from tests.support.working import Shop, a_lone_shop


def asked(shop: Shop, *words: str, actor: tuple[str, str] = AGENT) -> Any:  # noqa: ANN401 - JSON
    """Return what scope-check says, whatever its verdict."""
    ran = shop.exo(0, "scope-check", *words, *actor)
    assert ran.exit == (1 if ran.data["verdict"] == "fail" else 0)
    return ran.data


def decided(shop: Shop, *words: str, actor: tuple[str, str] = AGENT) -> dict[str, tuple[str, str]]:
    """Return layer and rule of each answer."""
    return {each["path"]: (each["layer"], each["rule"]) for each in asked(shop, *words, actor=actor)["items"]}


def test_a_session_writes_within_its_ticket_s_scope_and_the_rules(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(
        0,
        "ticket-edit",
        "T1",
        "--add-scope-allow",
        "src/**",
        "--remove-scope-allow",
        "**",
        "--add-scope-deny",
        "src/gen/**",
        *ANN,
    )
    begun = begin(shop)
    found = decided(shop, "src/app.py", "src/gen/a.py", "README.md", "src/.env", ".git/config", ".exo/config.yaml")
    assert found == {
        "src/app.py": ("allowed", ""),
        "src/gen/a.py": ("scope_deny", "src/gen/**"),
        "README.md": ("scope_allow", "src/**"),
        "src/.env": ("filesystem", "SEC-001"),
        ".git/config": ("mount", ""),
        ".exo/config.yaml": ("mount", ""),
    }
    shown = asked(shop, "src/app.py")
    assert (shown["verdict"], shown["session_id"]) == ("pass", begun.data["session"]["id"])
    assert decided(shop, "src/app.py", "--action", "delete") == {"src/app.py": ("filesystem", "DEL-001")}
    assert decided(shop, "README.md", "--action", "read") == {"README.md": ("allowed", "")}


def test_without_a_session_an_agent_writes_nothing_and_a_person_may(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert decided(shop, "README.md") == {"README.md": ("session", "LOCK-001")}
    assert decided(shop, "README.md", actor=ANN) == {"README.md": ("allowed", "")}
    assert decided(shop, "README.md", "--ticket-id", "T2") == {"README.md": ("session", "LOCK-001")}


def test_a_link_is_judged_by_where_it_leads_and_by_its_name(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    (shop.clones[0] / "inside").symlink_to(tmp_path)
    (shop.clones[0] / "hidden").symlink_to(".git")
    begin(shop)
    found = decided(shop, "inside/x", "hidden/config", "src/../../x", "~/.ssh/id_rsa")
    assert {layer for layer, _ in found.values()} <= {"scope_allow", "mount"}
    assert len(found) == 4


def test_a_command_is_judged_by_the_rules_and_never_run(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    rule = "\n```yaml exo-policy\nid: CMD-001\ntype: command_deny\nargv_prefixes: [[rm, -rf]]\n```\n"
    edit(shop, 0, "CONSTITUTION.md", more=rule)
    shop.ok(0, "build-governance", *ANN)
    assert begin(shop).exit == 0
    assert decided(shop, "--command", "rm -rf src") == {"rm -rf src": ("command", "CMD-001")}
    assert decided(shop, "--command", "ls src") == {"ls src": ("allowed", "")}
    assert decided(shop, "--command", "echo 'unclosed") == {"echo 'unclosed": ("action", "")}


def test_a_role_that_reads_writes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1", "--role", "Reviewer", *AGENT)
    assert decided(shop, "README.md") == {"README.md": ("role", "Reviewer")}


def test_under_a_tampered_policy_nothing_is_allowed(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    begin(shop)
    edit(shop, 0, "policy.sealed.json", ("SEC-001", "SEC-009"))
    assert decided(shop, "README.md", "--action", "read") == {"README.md": ("policy", "")}
    assert decided(shop, "README.md", actor=ANN) == {"README.md": ("policy", "")}


@pytest.mark.parametrize("words", [(), ("--action", "read")])
def test_a_question_about_nothing_is_no_pass(tmp_path: Path, words: tuple[str, ...]) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    assert error_of(shop.exo(0, "scope-check", *words))["code"] == "USAGE"
