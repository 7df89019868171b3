"""Other spellings of a path that a rule denies: none of them reads what the rule keeps."""

from pathlib import Path

import pytest

from tests.support.policies import AGENT
from tests.support.working import Shop, a_lone_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a repository, in a home whose `.ssh` is a link to somewhere else."""
    root = tmp_path_factory.mktemp("root")
    shop = a_lone_shop(root / "repo")
    (root / "vault").mkdir()
    (root / "home").mkdir()
    (root / "home" / ".ssh").symlink_to(root / "vault")
    return shop


@pytest.mark.parametrize(
    "spelling",
    [
        "{home}/.ssh/id",
        "/{home}/.ssh/id",
        "//{home}/./.ssh//id",
        "~/.ssh/id",
        "{home}/x/../.ssh/id",
        "../../home/.ssh/id",
    ],
)
def test_a_key_is_read_under_none_of_its_names(shop: Shop, spelling: str) -> None:
    home = shop.clones[0].parents[1] / "home"
    path = spelling.format(home=home)
    found = shop.exo(0, "scope-check", path, "--action", "read", *AGENT, env={"HOME": str(home)})
    assert (found.exit, found.data["items"][0]["rule"]) == (1, "SEC-001")


@pytest.mark.parametrize(
    "path", [".git/config", "sub/.git/hooks/x", ".GIT/config", "/{top}/.git/config", "x/../.git/a"]
)
def test_git_s_own_folder_is_written_under_none_of_its_names(shop: Shop, path: str) -> None:
    top: Path = shop.clones[0]
    found = shop.exo(0, "scope-check", path.format(top=top), *AGENT)
    assert (found.exit, found.data["items"][0]["layer"]) == (1, "mount")
