"""An agent that holds a ticket looks for another way to a wider fence: its sort, what lies above it, its boundary."""

from pathlib import Path

import pytest

from tests.support.policies import AGENT, ANN
from tests.support.working import Shop, a_lone_shop

ABOVE = "INTENT-1"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a repository in which an agent works on T1, whose fence is that of the intent above."""
    shop = a_lone_shop(tmp_path_factory.mktemp("shop") / "repo", tickets=3)
    fence = ("--add-scope-allow", "src/**", "--add-scope-deny", "docs/**", "--boundary", "no releases")
    shop.ok(0, "ticket-edit", ABOVE, *fence, *ANN)
    shop.ok(0, "session-start", "--ticket-id", "T1", *AGENT)
    return shop


@pytest.mark.parametrize(
    "edit",
    [
        ("T1", "--type", "docs"),
        ("T1", "--boundary", "be nice"),
        ("T1", "--parent", "none", "--kind", "intent"),
        (ABOVE, "--add-scope-allow", "app/**"),
        (ABOVE, "--remove-scope-deny", "docs/**"),
        (ABOVE, "--boundary", ""),
    ],
)
def test_a_wider_fence_is_for_a_person_whichever_ticket_it_comes_from(shop: Shop, edit: tuple[str, ...]) -> None:
    error = shop.fails(0, "ticket-edit", *edit, *AGENT)
    assert error["code"] in {"HUMAN_REQUIRED", "LEASE_HELD"}
    assert shop.exo(0, "scope-check", "app/x", *AGENT).exit == 1


def test_what_widens_nothing_is_anybody_s_and_nothing_below_another_ticket_is_kept_from_edits(shop: Shop) -> None:
    shop.ok(0, "ticket-edit", "T1", "--boundary", "no releases; no new dependencies", "--type", "bug", *AGENT)
    shop.ok(0, "ticket-edit", ABOVE, "--priority", "2", "--add-scope-deny", "vendor/**", *AGENT)
    shop.ok(0, "ticket-edit", "T2", "--type", "docs", "--add-scope-allow", "docs/**", *AGENT)


def test_a_hand_edit_of_what_lies_above_widens_nothing_either(shop: Shop) -> None:
    file = next(Path(shop.clones[0], ".exo").glob(f"**/{ABOVE}*"))
    file.write_text(file.read_text().replace("src/**", "**"))
    shop.ok(0, "ticket-edit", "T2", "--note", "on the way", *AGENT)
    assert shop.exo(0, "scope-check", "app/x", *AGENT).exit == 1
