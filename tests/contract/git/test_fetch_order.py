"""The order in which fetched objects are stored: a process that is killed in between leaves no commit with a gap."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from exo_sidecar.base.override import override
from exo_sidecar.git import fetch as fetching
from exo_sidecar.git.locate import locate
from exo_sidecar.git.objects import Kind, Objects, object_id
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from tests.support.repositories import a_hub, a_repository, commit_files, git


class Noting(Objects):
    """Objects that note the order in which they are stored."""

    def __init__(self, common: Path) -> None:
        super().__init__(common)
        self.stored: list[Oid] = []

    @override
    def write(self, items: Sequence[tuple[Kind, bytes]], *, durable: bool = True) -> list[Oid]:
        """Store and note."""
        self.stored += [object_id(kind, data) for kind, data in items]
        return super().write(items, durable=durable)


def test_a_commit_is_stored_after_everything_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, top = a_hub(tmp_path), a_repository(tmp_path, "top", {})
    source = tmp_path / "hub.git.source"
    for number in range(5):
        commit_files(source, {f"folder/{number}/file": f"{number}\n"})
    git(source, "push", "-q", str(hub), "main")
    with Repository(locate(top)) as repository:
        noting = Noting(repository.place.common)
        monkeypatch.setattr(repository, "objects", noting)
        remote = Remote("origin", str(hub))
        fetching.fetch(repository, remote, lambda refs: [refs["refs/heads/main"]], ["refs/heads/main"])
    commits = git(source, "rev-list", "--reverse", "--topo-order", "main").splitlines()
    assert noting.stored[-len(commits) :] == commits
    everything = git(source, "rev-list", "--objects", "--no-object-names", "main").splitlines()
    assert set(noting.stored) == set(everything)
