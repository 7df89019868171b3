"""Two clones that wrote the same thing at once: let them meet, and see what is open."""

from typing import Any, Final

from tests.support.clones import BRANCH
from tests.support.repositories import git
from tests.support.working import Shop

PERSON: Final = ("--actor", "human:ann")
AGENT: Final = ("--actor", "agent:claude")


def together(shop: Shop) -> None:
    """Sync two clones until both have everything, and assert that they are equal to the byte."""
    for number in (0, 1, 0):
        shop.ok(number, "sync")
    assert len({git(clone, "rev-parse", f"{BRANCH}^{{tree}}") for clone in shop.clones}) == 1
    files = [
        {path.name: path.read_bytes() for path in (clone / ".exo" / "tickets").glob("*/*")} for clone in shop.clones
    ]
    assert files[0] == files[1]
    assert all(git(clone / ".exo", "status", "--porcelain") == "" for clone in shop.clones)


def clash(shop: Shop, left: tuple[str, ...], right: tuple[str, ...]) -> None:
    """Let each of two clones run a command, and sync."""
    shop.ok(0, *left)
    shop.ok(1, *right)
    together(shop)


def shown(shop: Shop, number: int, ticket: str) -> Any:  # noqa: ANN401 - JSON
    """Return what one clone shows of a ticket."""
    return shop.ok(number, "ticket-show", ticket)


def open_values(shop: Shop, ticket: str, number: int = 0) -> dict[str, list[Any]]:
    """Return the fields of a ticket that are in conflict with their values, the one that stands first."""
    found = shown(shop, number, ticket)["conflict_values"]
    return {each["field"]: [version["value"] for version in each["values"]] for each in found}
