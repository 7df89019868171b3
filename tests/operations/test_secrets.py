"""What looks like a key never enters the ledger: refused with the field and the kind, never with the text."""

import pytest

from exo_sidecar.base import secret_shapes
from tests.support.working import Shop, a_lone_shop

AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
SECRETS = {
    "an AWS access key": AWS,
    "a GitHub token": GITHUB,
    "a GitLab token": "glpat-" + "x" * 20,
    "a Slack token": "xoxb-" + "1" * 12,
    "a Google API key": "AIza" + "S" * 35,
    "an API key": "sk-" + "proj-" + "a1" * 24,
    "a Stripe key": "sk_" + "live_" + "a" * 24,
    "an npm token": "npm_" + "a" * 36,
    "a PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" + "a" * 60,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE",
}
HARMLESS = [
    "task-management-of-the-risk-assessment-of-the-disk-usage",
    "a1b2c3d4" * 8,
    "sk-learn is a library, and sk-something-with-many-dashes-in-its-name-too",
    "AKIA is how they begin; AKIAIOSFODNN7EXAMPLEX is longer than one",
    "-----BEGIN CERTIFICATE-----",
    "ghp_short and xoxo-kisses",
    "https://example.com/AIza",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return one governed repository, into which no key gets whatever is tried."""
    return a_lone_shop(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize("shape", SECRETS)
@pytest.mark.parametrize("around", ["{}", "the key is {}.", "first line\n{}\nlast", '"{}"', "KEY={}"])
def test_a_key_is_found_wherever_it_stands(shape: str, around: str) -> None:
    text = around.format(SECRETS[shape]).encode()
    found = secret_shapes.find(text)
    assert found is not None
    assert found.shape == shape
    assert text[found.start :].startswith(SECRETS[shape].encode())


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_long_is_none(text: str) -> None:
    assert secret_shapes.find(text.encode()) is None


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("ticket-create", f"use {AWS}", "--parent", "INTENT-1"), "title"),
        (("intent-create", "x", "--brain-dump", f"line\n{AWS}"), "brain_dump"),
        (("ticket-edit", "T1", "--note", f"token:\n\n{AWS}"), "text"),
        (("ticket-edit", "T1", "--add-label", AWS), "labels"),
        (("ticket-move", "T1", "cancelled", "--reason", AWS), "reason"),
    ],
)
def test_a_call_that_would_write_a_key_is_refused_and_writes_nothing(
    shop: Shop, words: tuple[str, ...], field: str
) -> None:
    before = shop.tip()
    error = shop.fails(0, *words)
    assert (error["exit"], error["code"]) == (1, "SECRET_FOUND"), error
    assert error["details"]["field"] == field
    assert "an AWS access key" in error["message"]
    assert AWS not in str(error)
    assert "revoke" in error["hint"]
    assert shop.tip() == before


def test_a_session_that_ends_with_a_key_in_its_summary_goes_on(shop: Shop) -> None:
    shop.ok(0, "session-start", "--ticket-id", "T1")
    error = shop.fails(0, "session-finish", "--summary", f"works with {GITHUB}")
    assert (error["code"], error["details"]["field"]) == ("SECRET_FOUND", "summary")
    assert shop.status(0, "T1") == "active"
    shop.ok(0, "session-finish", "--summary", "works with the key from the vault", "--set-status", "todo")


@pytest.mark.parametrize("name", ["CONSTITUTION.md", "config.yaml", "tickets"])
def test_an_edited_file_with_a_key_is_named_with_its_line_and_left_alone(shop: Shop, name: str) -> None:
    mount = shop.clones[0] / ".exo"
    file = next(mount.glob("tickets/*/TICKET-T1.yaml")) if name == "tickets" else mount / name
    before = file.read_text()
    lines = before.count("\n")
    added = f"boundary: {AWS}\n" if name == "tickets" else f"# {AWS}\n"
    file.write_text(before + added)
    ran = shop.exo(0, "ticket-create", "Another", "--parent", "INTENT-1")
    assert ran.exit == 0, ran.out
    audited = shop.exo(0, "audit")
    (issue,) = [each for each in audited.data["issues"] if each["code"] == "FILE_UNREADABLE"]
    assert (issue["line"], AWS in str(issue)) == (lines + 1, False)
    assert AWS in file.read_text()
    file.write_text(before)
    assert AWS not in "".join(path.read_text() for path in mount.glob("ledger/**/*.jsonl"))
