"""trust: what a pulled policy loosens does not hold here until a person has accepted it."""

from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.host import trusted
from exo_sidecar.model.errors import INTERRUPTED
from tests.operations.test_doctor import common, section
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

ANN: Final = ("--actor", "human:ann")
AGENT: Final = ("--actor", "agent:claude")
COMMANDS: Final = "checks_allowlist:\n- pytest -q\n"


def write(shop: Shop, number: int, *pairs: tuple[str, str], actor: tuple[str, str] = ANN) -> None:
    """Edit config.yaml by hand in one clone, and have it taken in by a command of that actor."""
    config = shop.clones[number] / ".exo" / "config.yaml"
    text = config.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    config.write_text(text)
    shop.ok(number, "sidecar-repair", "--journal", *actor)


def share(shop: Shop) -> None:
    """Bring every clone up to date."""
    for number in (*range(len(shop.clones)), 0):
        shop.ok(number, "sync")


def held(shop: Shop, number: int) -> list[str]:
    """Return the settings that status says are held back."""
    found = shop.ok(number, "status")["findings"]
    return [each["message"].split(" ", 1)[0] for each in found if each["code"] == "POLICY_HELD"]


def lets(shop: Shop, number: int, ttl: str) -> bool:
    """Whether a lease may live for so long in a clone."""
    ran = shop.exo(number, "session-start", "--ticket-id", "T1", "--ttl", ttl, "--dry-run")
    assert ran.exit == 0 or "TTL_OUT_OF_RANGE" in ran.out, ran.out
    return ran.exit == 0


def test_a_pulled_policy_that_loosens_is_held_back_until_a_person_accepts_it(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("max_ttl: 24h", "max_ttl: 5h"))
    share(shop)
    assert (lets(shop, 1, "5h"), lets(shop, 1, "6h")) == (True, False)
    write(shop, 0, ("max_ttl: 5h", "max_ttl: 7h"))
    share(shop)
    assert (held(shop, 0), held(shop, 1)) == ([], ["leases.max_ttl"])
    assert (lets(shop, 0, "6h"), lets(shop, 1, "6h")) == (True, False)
    open_findings = shop.ok(1, "sync")["open_findings"]
    assert "POLICY_HELD" in {each["code"] for each in open_findings}
    found = section(shop, "trust", number=1)
    assert (found["verdict"], found["findings"][0]["code"]) == ("warn", "POLICY_HELD")
    accepted = shop.ok(1, "trust", *ANN)
    assert accepted["trusted"]
    assert accepted["diff"]["loosened"] == [{"key": "leases.max_ttl", "before": "5h", "after": "7h"}]
    assert held(shop, 1) == []
    assert lets(shop, 1, "6h")
    assert section(shop, "trust", number=1)["verdict"] == "pass"


def test_what_tightens_holds_at_once(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("max_ttl: 24h", "max_ttl: 5h"), ("offline: provisional", "offline: refuse"))
    share(shop)
    assert held(shop, 1) == []
    assert not lets(shop, 1, "6h")
    assert shop.fails(1, "next", "--offline")["code"] == "OFFLINE"


def test_settings_that_widen_the_fence_are_known(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2, tickets=0)
    stricter = (("offline: provisional", "offline: refuse"), ("review: false", "review: true"), ("ttl: 24h", "ttl: 5h"))
    write(shop, 0, *stricter)
    share(shop)
    assert held(shop, 1) == []
    looser = (
        ("offline: refuse", "offline: provisional"),
        ("review: true", "review: false"),
        ("ttl: 5h", "ttl: 24h"),
        ("require_parent: true", "require_parent: false"),
        ("max_tree_depth: 20", "max_tree_depth: 40"),
        ("network: false", "network: true"),
        ("per_actor: 8", "per_actor: 80"),
    )
    write(shop, 0, *looser)
    share(shop)
    assert held(shop, 0) == []
    assert held(shop, 1) == [
        "leases.max_ttl",
        "leases.offline",
        "leases.per_actor",
        "lifecycle.require_review",
        "storage.network",
        "tickets.max_tree_depth",
        "tickets.require_parent",
    ]


def test_an_agent_cannot_trust_and_may_look(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    for more in ((), ("--revoke",), ("--dry-run",)):
        error = shop.fails(1, "trust", *more, *AGENT)
        assert (error["code"], error["exit"]) == ("HUMAN_REQUIRED", 1)
    assert shop.fails(1, "trust", *ANN, env={"CLAUDECODE": "1"})["code"] == "HUMAN_REQUIRED"
    shown = shop.ok(1, "trust", "--show", *AGENT)
    assert not shown["trusted"]
    assert shown["diff"]["loosened"] == [{"key": "leases.per_actor", "before": "8", "after": "9"}]
    assert not shop.ok(1, "trust", "--dry-run", *ANN)["trusted"]
    assert held(shop, 1) == ["leases.per_actor"]


def test_what_an_agent_edits_here_is_held_back_like_what_was_pulled(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"), actor=AGENT)
    assert held(shop, 0) == ["leases.per_actor"]
    write(shop, 0, ("per_actor: 9", "per_actor: 10"))
    assert held(shop, 0) == []


def test_a_person_s_edit_elsewhere_in_the_document_does_not_accept_what_was_pulled(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    write(shop, 1, ("max_tokens: 1500", "max_tokens: 1600"))
    assert held(shop, 1) == ["leases.per_actor"]
    assert not shop.ok(1, "trust", "--show")["trusted"]


def test_a_fresh_clone_starts_from_what_it_finds_without_running_its_commands(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    write(shop, 0, ("per_actor: 8", "per_actor: 20"), ("# The prompt", f"{COMMANDS}\n# The prompt"))
    shop.ok(0, "sync")
    assert shop.hub is not None
    git(tmp_path, "clone", "-q", str(shop.hub), "fresh")
    fresh = Shop((tmp_path / "fresh",), shop.hub, ())
    fresh.ok(0, "init")
    assert held(fresh, 0) == []
    shown = fresh.ok(0, "trust", "--show")
    assert (shown["trusted"], shown["previous"], shown["diff"]["loosened"]) == (False, None, [])
    assert shown["diff"]["commands"] == ["checks_allowlist: pytest -q"]
    assert [each["code"] for each in section(fresh, "trust")["findings"]] == ["POLICY_UNTRUSTED"]
    fresh.ok(0, "trust", *ANN)
    assert section(fresh, "trust")["findings"] == []


def test_what_is_born_or_edited_here_is_trusted_at_once(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    first = shop.ok(0, "trust", "--show")
    assert (first["trusted"], first["previous"]) == (True, first["digest"])
    write(shop, 0, ("# The prompt", f"{COMMANDS}\n# The prompt"))
    second = shop.ok(0, "trust", "--show")
    assert second["trusted"]
    assert second["digest"] != first["digest"]
    assert section(shop, "trust")["verdict"] == "pass"


def test_commands_that_were_pulled_are_shown_and_not_trusted(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("# The prompt", f"{COMMANDS}\n# The prompt"))
    share(shop)
    shown = shop.ok(1, "trust", "--show")
    assert (shown["trusted"], shown["diff"]["commands"]) == (False, ["checks_allowlist: pytest -q"])
    assert "config.yaml: checks_allowlist" in shown["diff"]["changed"] if shown["previous"] else True
    codes = [each["code"] for each in section(shop, "trust", number=1)["findings"]]
    assert codes == ["POLICY_HELD", "POLICY_UNTRUSTED"]  # neither on the list of checks here, nor run


def test_only_the_policy_that_was_looked_at_is_accepted(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    looked_at = shop.ok(1, "trust", "--show")["digest"]
    write(shop, 0, ("per_actor: 9", "per_actor: 99"))
    share(shop)
    error = shop.fails(1, "trust", looked_at, *ANN)
    assert (error["code"], error["exit"]) == ("DIGEST_UNKNOWN", 4)
    assert held(shop, 1) == ["leases.per_actor"]
    now = shop.ok(1, "trust", "--show")["digest"]
    assert shop.fails(1, "trust", now[:8], *ANN)["code"] == "DIGEST_UNKNOWN"
    assert shop.ok(1, "trust", now[:12], *ANN)["trusted"]


def test_trust_that_is_taken_back_takes_the_loosening_back(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "trust", *ANN)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    shop.ok(1, "trust", *ANN)
    assert held(shop, 1) == []
    found = shop.ok(1, "trust", "--revoke", *ANN)
    assert not found["trusted"]
    assert held(shop, 1) == ["leases.per_actor"]
    assert shop.fails(1, "trust", "--revoke", *ANN)["code"] == "DIGEST_UNKNOWN"
    assert shop.fails(1, "trust", "--revoke", "--show")["exit"] == 2


def test_a_job_names_the_policy_that_it_trusts_in_its_environment(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    digest = shop.ok(1, "trust", "--show")["digest"]
    named = {"EXO_TRUST_DIGEST": digest}
    assert shop.exo(1, "status", env=named).data["findings"] == []
    assert shop.ok(1, "trust", "--show", env=named)["trusted"]
    assert shop.exo(1, "status", env={"EXO_TRUST_DIGEST": "0" * 64}).data["findings"] != []
    shop.ok(1, "ticket-edit", "T1", "--note", "by the job", env=named)
    assert held(shop, 1) == ["leases.per_actor"]


def test_trust_is_never_synced(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    tip = shop.tip(1)
    shop.ok(1, "trust", *ANN)
    assert shop.tip(1) == tip
    assert (common(shop, 1) / "trust.json").exists()
    assert "per_actor" in (common(shop, 1) / "floor").read_text()


@pytest.mark.parametrize("name", ["floor", "trust.json"])
def test_a_damaged_file_is_named_and_loosens_nothing(tmp_path: Path, name: str) -> None:
    shop = a_shop(tmp_path, clones=2)
    shop.ok(1, "trust", *ANN)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    share(shop)
    (common(shop, 1) / name).write_text("{")
    found = section(shop, "trust", number=1)
    assert found["verdict"] == "fail"
    assert "TRUST_UNREADABLE" in {each["code"] for each in found["findings"]}
    assert held(shop, 1) == ["leases.per_actor"]
    shop.ok(1, "trust", *ANN)
    assert section(shop, "trust", number=1)["verdict"] == "pass"


def test_plain_git_brings_no_loosening_either(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    share(shop)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"))
    shop.ok(0, "sync")
    git(shop.clones[1], "-C", ".exo", "pull", "-q")
    assert held(shop, 1) == ["leases.per_actor"]
    shop.ok(1, "ticket-edit", "T1", "--note", "an ordinary write")
    assert held(shop, 1) == ["leases.per_actor"]


def test_an_acceptance_that_was_cut_short_is_made_whole_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = a_shop(tmp_path, clones=2)
    write(shop, 0, ("per_actor: 8", "per_actor: 9"), ("# The prompt", f"{COMMANDS}\n# The prompt"))
    share(shop)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trusted, "write_trust", dies)
        assert shop.exo(1, "trust", *ANN).exit == INTERRUPTED
    assert not shop.ok(1, "trust", "--show")["trusted"]  # what runs commands comes last
    assert shop.ok(1, "trust", *ANN)["trusted"]
    assert section(shop, "trust", number=1)["verdict"] == "pass"
