"""Repositories with the governance branch mounted, and commits made the way the store makes them, for tests of git/."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.git import checkout, commits, mount, tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.index import Staged
from exo_sidecar.git.locate import default_mount, locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository

BRANCH: Final = "exo-governance"
REF: Final = f"refs/heads/{BRANCH}"
PERSON: Final = "exo <exo@localhost>"
FIRST_FILES: Final[Mapping[str, str]] = {
    ".gitattributes": "* -text -filter -ident\n",
    "index.md": "# Index\n",
    "tickets/0a/TICKET-001.yml": "id: TICKET-001\n",
}


def a_commit(
    repository: Repository, root: Oid, parents: tuple[Oid, ...] = (), *, message: str = "change\n", time: int = 1
) -> Oid:
    """Store a commit and return its id."""
    commit = Commit(root, parents, PERSON, time, PERSON, time, message)
    return repository.objects.write([("commit", commits.serialise(commit))])[0]


def a_tree(repository: Repository, root: Oid | None, changes: Mapping[str, str | None]) -> Oid:
    """Store `root` with files changed (None removes) and return the new tree's id."""
    blobs = {path: None if text is None else _blob(repository, text) for path, text in changes.items()}
    spliced = tree.splice(repository.objects, root, blobs)
    repository.objects.write([("tree", data) for data in spliced.trees])
    return spliced.root


def mounted(start: Path, files: Mapping[str, str] = FIRST_FILES) -> tuple[Repository, Path]:
    """Make the governance branch with `files`, mount it, check it out."""
    place = locate(start)
    repository = Repository(place)
    path = default_mount(place)
    mount.create(place, BRANCH, path)
    root = a_tree(repository, None, files)
    assert repository.refs.swap(REF, old=None, new=a_commit(repository, root))
    checkout.materialise(repository.objects, root, path, repository.mount_git_dir)
    return repository, path


def change(repository: Repository, path: Path, changes: Mapping[str, str | None]) -> Oid:
    """Commit `changes` on top of the branch: objects, ref, files, index, in this order."""
    tip = repository.refs.read(REF)
    assert tip is not None
    root = a_tree(repository, commits.read(repository.objects, tip).tree, changes)
    new = a_commit(repository, root, (tip,))
    assert repository.refs.swap(REF, old=tip, new=new)
    staged: dict[str, Staged | None] = {}
    for name, text in changes.items():
        file = path / name
        if text is None:
            file.unlink()
            staged[name] = None
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            staged[name] = Staged(_blob(repository, text), file.lstat())
    proof = repository.mount_git_dir / "exo-index.tmp"
    checkout.update_index(repository.objects, root, path, staged, proof)
    return new


def _blob(repository: Repository, text: str) -> Oid:
    return repository.objects.write([("blob", text.encode())])[0]
