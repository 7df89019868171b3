"""`resolve` on documents: sections and keys that two clones changed at once are open until a person settles them."""

from pathlib import Path
from typing import Final

import pytest

from tests.support.meeting import AGENT, PERSON, together
from tests.support.repositories import git
from tests.support.working import Shop, a_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Two clones whose documents are as they were made."""
    return a_shop(tmp_path, clones=2, tickets=0)


def write(shop: Shop, number: int, name: str, old: str, new: str) -> None:
    """Edit a document of one clone by hand."""
    path = shop.clones[number] / ".exo" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


UNITS: Final = {
    "CONSTITUTION.md": ("Done", "- Tests and documentation came along with the change.\n", "- {} reviews it.\n"),
    "config.yaml": ("dispatch", "max_attempts: 16", "max_attempts: {}"),
    "features.yaml": ("features", "features: []", "features: [{}]"),
    "requirements.yaml": ("requirements", "requirements: []", "requirements: [{}]"),
}


def clash_document(shop: Shop, name: str) -> list[str]:
    """Let both clones change one unit of a document; return its texts, the one that stands first."""
    _, old, new = UNITS[name]
    write(shop, 0, name, old, new.format(21))
    write(shop, 1, name, old, new.format(22))
    together(shop)
    (found,) = shop.ok(1, "resolve", "--document", name)["open"]
    return [each["value"] for each in found["values"]]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_that_both_changed_is_open_until_a_person_settles_it(shop: Shop, name: str) -> None:
    ours, theirs = clash_document(shop, name)
    unit, _, new = UNITS[name]
    assert {new.format(21) in ours, new.format(22) in ours} == {True, False}
    status = shop.ok(0, "status")
    assert status["unsettled"] == {"tickets": 0, "documents": 1, "quarantined": 0}
    (finding,) = status["findings"]
    assert (finding["subject"], f"exo resolve --document {name}" in finding["hint"]) == (name, True)
    assert shop.fails(0, "resolve", "--document", name, "--take", "theirs", *AGENT)["code"] == "HUMAN_REQUIRED"
    done = shop.ok(0, "resolve", "--document", name, "--take", "theirs", *PERSON)
    assert (done["open"], done["resolved"]) == ([], [{"id": name, "field": unit, "value": theirs}])
    together(shop)
    text = (shop.clones[1] / ".exo" / name).read_text()
    assert (theirs in text, ours in text) == (True, False)
    assert shop.ok(1, "status")["findings"] == []


def test_what_stands_can_be_kept_without_changing_a_word(shop: Shop) -> None:
    clash_document(shop, "CONSTITUTION.md")
    before = (shop.clones[0] / ".exo" / "CONSTITUTION.md").read_bytes()
    shop.ok(0, "resolve", "--document", "CONSTITUTION.md", "--take", "ours", *PERSON)
    together(shop)
    assert (shop.clones[1] / ".exo" / "CONSTITUTION.md").read_bytes() == before
    assert shop.ok(1, "resolve")["open"] == []


def test_a_document_is_settled_by_a_text_of_ones_own(shop: Shop) -> None:
    clash_document(shop, "config.yaml")
    text = (shop.clones[0] / ".exo" / "config.yaml").read_text().replace("max_attempts: 2", "max_attempts: 32 # 2")
    (shop.clones[0] / "wanted.yaml").write_text(text)
    done = shop.ok(0, "resolve", "--document", "config.yaml", "--file", "wanted.yaml", *PERSON)
    assert "max_attempts: 32" in done["resolved"][0]["value"]
    together(shop)
    assert (shop.clones[1] / ".exo" / "config.yaml").read_text() == text


def test_an_edit_by_hand_of_the_place_settles_it(shop: Shop) -> None:
    ours, _ = clash_document(shop, "requirements.yaml")
    write(shop, 1, "requirements.yaml", ours, "requirements: [both]\n")
    assert shop.ok(1, "sync")["open_findings"] == []
    write(shop, 1, "requirements.yaml", "[both]", "[one]")
    assert shop.fails(1, "resolve", "--document", "requirements.yaml", "--take", "ours", *PERSON)["code"] == (
        "NOTHING_TO_RESOLVE"
    )


def test_a_document_that_was_settled_by_hand_since_is_taken_as_it_is(shop: Shop) -> None:
    ours, _ = clash_document(shop, "requirements.yaml")
    write(shop, 0, "requirements.yaml", ours, "requirements: [mine]\n")
    done = shop.ok(0, "resolve", "--document", "requirements.yaml", "--take", "ours", *PERSON)
    assert (done["open"], done["resolved"][0]["value"]) == ([], "requirements: [mine]\n")


@pytest.fixture(scope="module")
def clashed(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Two clones that changed one place of config.yaml."""
    shop = a_shop(tmp_path_factory.mktemp("clashed"), clones=2, tickets=0)
    clash_document(shop, "config.yaml")
    return shop


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("absent.yaml", None),
        ("broken.yaml", b"a: [\n"),
        ("binary.yaml", b"a: \xff\n"),
        ("wrong.yaml", b"dispatch: {max_attempts: none}\n"),
        ("long.yaml", b"# " + b"x" * 70_000),
        ("../outside.yaml", b"version: 1\n"),
        ("link.yaml", b""),
    ],
)
def test_a_file_that_cannot_be_the_document_is_refused(clashed: Shop, file: str, content: bytes | None) -> None:
    place = clashed.clones[0] / file
    if file == "link.yaml":
        outside = clashed.clones[0].parent / "target.yaml"
        outside.write_text("version: 1\n")
        place.symlink_to(outside)
    elif content is not None:
        place.write_bytes(content)
    before = clashed.tip()
    error = clashed.fails(0, "resolve", "--document", "config.yaml", "--file", file, *PERSON)
    assert (error["code"], error["details"]["parameter"]) == ("VALUE_INVALID", "file")
    assert clashed.tip() == before


def test_changes_of_different_units_join(shop: Shop) -> None:
    write(shop, 0, "config.yaml", "max_attempts: 16", "max_attempts: 3")
    write(shop, 1, "config.yaml", "max_tokens: 1500", "max_tokens: 900")
    write(shop, 0, "CONSTITUTION.md", "- Small steps", "- Smaller steps")
    write(shop, 1, "CONSTITUTION.md", "- What was learned", "- Whatever was learned")
    together(shop)
    text = (shop.clones[0] / ".exo" / "config.yaml").read_text()
    assert ("max_attempts: 3" in text, "max_tokens: 900" in text) == (True, True)
    assert shop.ok(0, "resolve")["open"] == []
    assert git(shop.clones[0] / ".exo", "status", "--porcelain") == ""


def test_a_unit_that_one_clone_took_away_can_be_let_go(shop: Shop) -> None:
    write(shop, 0, "config.yaml", "storage:\n  network: false\n", "")
    write(shop, 1, "config.yaml", "network: false", "network: true")
    together(shop)
    (found,) = shop.ok(0, "resolve")["open"]
    gone = [not each["value"].endswith("network: true\n") for each in found["values"]].index(True)
    shop.ok(0, "resolve", "--document", "config.yaml", "--take", ("ours", "theirs")[gone], *PERSON)
    together(shop)
    assert "network:" not in (shop.clones[1] / ".exo" / "config.yaml").read_text()
    assert shop.ok(1, "resolve")["open"] == []
