"""A session's id is for all to read: whoever names one that works in another clone is not it."""

from pathlib import Path

import pytest

from tests.support.working import Shop, a_shop

OWNER = ("--actor", "agent:a")
THIEF = ("--actor", "agent:b")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return two clones that know of a session at work in the first."""
    shop = a_shop(tmp_path_factory.mktemp("shop"), clones=2)
    shop.ok(0, "session-start", "--ticket-id", "T1", *OWNER)
    shop.ok(1, "sync")
    return shop


@pytest.mark.parametrize("offline", [(), ("--offline",)])
@pytest.mark.parametrize(
    "words",
    [
        ("session-suspend", "--reason", "r"),
        ("session-suspend", "--reason", "r", "--stash", "--keep-lease"),
        ("session-finish", "--summary", "s", "--set-status", "todo"),
        ("session-handoff", "--to", "agent:b", "--summary", "s"),
    ],
)
def test_no_other_clone_ends_or_interrupts_a_session(
    shop: Shop, words: tuple[str, ...], offline: tuple[str, ...]
) -> None:
    session = shop.ok(0, "status", *OWNER)["session"]["id"]
    (Path(shop.clones[1]) / "work.txt").write_text("not theirs")
    for named in ({}, {"EXO_SESSION_ID": session}):
        option = () if named else ("--session", session)
        error = shop.fails(1, *words, *offline, *option, *THIEF, env=named)
        assert (error["code"], error["exit"]) == ("SESSION_FENCED", 6)
    for number in (1, 0):
        shop.ok(number, "sync")
    assert shop.status(0, "T1") == "active"
    assert (Path(shop.clones[1]) / "work.txt").exists()


def test_no_other_clone_moves_or_edits_a_ticket_in_its_name_and_its_own_clone_does(shop: Shop) -> None:
    session = shop.ok(0, "status", *OWNER)["session"]["id"]
    for words in (("ticket-move", "T1", "review"), ("ticket-edit", "T1", "--note", "theirs")):
        assert shop.fails(1, *words, "--session", session, *THIEF)["code"] == "SESSION_FENCED"
    assert shop.fails(1, "ticket-edit", "T1", "--note", "theirs", *THIEF)["code"] == "LEASE_HELD"
    shop.ok(0, "ticket-edit", "T1", "--note", "mine", "--session", session, *OWNER)
