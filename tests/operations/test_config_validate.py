"""config-validate: every fault of the settings with its line, and where each value comes from."""

import json
from pathlib import Path
from typing import Any

import pytest

from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.operations.context import Context
from exo_sidecar.store import settings
from tests.operations.test_doctor import section
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop

FAULTY = """\
version: 1
x-ours: {anything: goes}
leases:
  tll: 4h
  max_ttl: soon
  per_actor: 0
checks_allowlist: ["pytest -q", "make && make install", {id: "pytest -q", run: [pytest]}]
scheduler:
  lanes:
  - {name: one, allowed_types: [feature, bug], count: 2}
  - {name: two, allowed_types: [bug], count: 2}
flags: {execution_gate: false, operator_approval: true}
schedler: {}
drift: {threshold: 7}
"""


def validate(shop: Shop, *words: str) -> Any:  # noqa: ANN401 - JSON
    """Return what config-validate says, whatever its verdict."""
    ran = shop.exo(0, "config-validate", *words)
    assert ran.exit == (1 if ran.data["verdict"] == "fail" else 0)
    return ran.data


def test_the_first_settings_have_no_fault_and_every_setting_is_shown_with_its_source(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert validate(shop)["verdict"] == "pass"
    found = {each["path"]: each for each in validate(shop, "--effective")["effective"]}
    assert found["leases.ttl"]["value"] == '"4h"'
    assert found["leases.ttl"]["source"].startswith("config.yaml:")
    assert found["drift.threshold"] == {"path": "drift.threshold", "value": "0.7", "source": "default"}


def test_every_fault_has_its_line_and_the_nearest_valid_key(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    (shop.clones[0] / "new.yaml").write_text(FAULTY)
    found = validate(shop, "--file", "new.yaml")
    assert found["verdict"] == "fail"
    issues = {(each["path"], each["line"]): each for each in found["issues"]}
    assert sorted(issues) == [
        ("checks_allowlist", 7),
        ("checks_allowlist.1", 7),
        ("drift.threshold", 14),
        ("flags.operator_approval", 12),
        ("leases.max_ttl", 5),
        ("leases.per_actor", 6),
        ("leases.tll", 4),
        ("schedler", 13),
        ("scheduler.lanes.1.allowed_types", 11),
    ]
    assert "did you mean ttl?" in issues["leases.tll", 4]["message"]
    assert "did you mean scheduler?" in issues["schedler", 13]["message"]
    assert "CHECK_NOT_ARGV" in issues["checks_allowlist.1", 7]["message"]
    assert issues["flags.operator_approval", 12]["severity"] == "warning"


@pytest.mark.parametrize("text", ["leases: ]", "- a list", "leases: 4h", "version: 2"])
def test_a_text_that_is_no_mapping_of_settings_fails_with_a_line(tmp_path: Path, text: str) -> None:
    shop = a_lone_shop(tmp_path, tickets=0)
    (shop.clones[0] / "new.yaml").write_text(text)
    found = validate(shop, "--file", "new.yaml", "--effective")
    assert (found["verdict"], found["issues"][0]["line"]) == ("fail", 1)
    assert found["effective"]


def test_a_faulty_edit_is_left_alone_and_named_and_what_stood_before_holds(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    config = shop.clones[0] / ".exo" / "config.yaml"
    config.write_text(config.read_text().replace("per_actor: 8", "per_actr: 9"))
    assert validate(shop)["issues"][0]["path"] == "leases.per_actr"
    ran = shop.exo(0, "ticket-edit", "T1", "--note", "goes on")
    assert (ran.exit, "FILE_UNREADABLE" in ran.out) == (0, True)
    assert "per_actr" in config.read_text()


def test_a_synced_text_with_a_fault_bricks_nobody_and_its_sound_parts_hold(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    before = (shop.clones[1] / ".exo" / "config.yaml").read_text()
    text = before.replace("per_actor: 8", "per_actor: none").replace("max_tokens: 1500", "max_tokens: 1600")
    with Context.open(shop.clones[1], environ={"HOME": "/"}, actor="human:old") as ctx:
        ctx.begin("forged", {})
        document = ctx.view().document("config.yaml")
        assert document is not None
        data = DocumentEdited(base=document.digest, text=text)
        ctx.store.transact(lambda _: Outcome(events=(Draft(subject="config.yaml", data=data),)), ctx.stamp())
    shop.ok(1, "sync")
    shop.ok(0, "sync")
    found = section(shop, "documents")
    assert (found["verdict"], [each["code"] for each in found["findings"]]) == ("fail", ["DOCUMENT_UNREADABLE"])
    shown = {each["path"]: each["value"] for each in validate(shop, "--effective")["effective"]}
    assert shown["bootstrap.max_tokens"] == "1600"
    with Context.open(shop.clones[0], environ={"HOME": "/"}, actor="human:ann") as ctx:
        config = ctx.view().config()
        assert (config.leases.per_actor, config.bootstrap.max_tokens) == (8, 1600)
    assert shop.ok(0, "session-start", "--ticket-id", "T1")["policy"]["verdict"] == "stale"


def test_of_a_faulty_part_the_last_sound_value_stays_and_not_the_default() -> None:
    strict = "leases: {per_actor: 2, offline: refuse}\ndrift: {threshold: 0.5}"
    broken = "leases: {per_actor: many, offline: perhaps}\ndrift: {threshold: 0.4}"
    value, fault = settings.in_force([strict, "not: [yaml", broken])
    config = json.loads(value)
    assert (config["leases"]["per_actor"], config["leases"]["offline"], config["drift"]["threshold"]) == (
        2,
        "refuse",
        0.4,
    )
    assert fault is not None
    assert "line 1" in fault
    value, fault = settings.in_force([strict, "not: [yaml"])
    assert json.loads(value)["leases"]["per_actor"] == 2
    assert fault is not None


def test_what_is_held_back_here_is_told_as_such(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    config = shop.clones[1] / ".exo" / "config.yaml"
    shop.ok(0, "ticket-edit", "T1", "--note", "the floor follows")
    config.write_text(config.read_text().replace("per_actor: 8", "per_actor: 80"))
    shop.ok(1, "sync")
    shop.ok(0, "sync")
    found = {each["path"]: each for each in validate(shop, "--effective")["effective"]}
    assert found["leases.per_actor"] == {"path": "leases.per_actor", "value": "8", "source": "held back here"}
    assert git(shop.clones[0] / ".exo", "status", "--porcelain") == ""
