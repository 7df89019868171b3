"""Governed: the places of one governed repository, worked out once."""

from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.base import files
from exo_sidecar.git import commits, mount, refnames
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.refs import RefDamaged
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import SidecarMissing

DEFAULT_BRANCH: Final = "exo-governance"
_BRANCH: Final = "branch"


class Governed(NamedTuple):
    """A repository with its governance branch and mount."""

    repository: Repository
    branch: str
    """Short name of the governance branch."""
    mount: Path
    folder: Path
    """`<common>/exo`: what is of this machine only."""

    @property
    def ref(self) -> str:
        """Full name of the governance branch."""
        return f"refs/heads/{self.branch}"

    def tip(self) -> Oid | None:
        """Return the branch's tip, None while it is unborn."""
        return self.repository.refs.read(self.ref)

    def tree_of(self, commit: Oid | None) -> Oid | None:
        """Return the tree of a commit of this repository."""
        return commits.tree_of(self.repository.objects, commit)


def governed(repository: Repository) -> Governed:
    """Return the places of a governed repository; SidecarMissing when it is not, or nothing says which branch."""
    common = repository.place.common
    state = mount.state(common)
    if state is None:
        raise not_mounted(repository)
    branch = _recorded_branch(common / "exo") or state.branch
    if not branch:
        message = f"{state.path} is on no branch: its HEAD is detached"
        raise SidecarMissing(message, hint=f"git -C {state.path} switch exo-governance")
    return Governed(repository, branch, state.path, common / "exo")


def not_mounted(repository: Repository) -> SidecarMissing:
    """Return the refusal where nothing was ever mounted: it tells a repository that is governed elsewhere apart."""
    folder, remote = repository.place.worktree or repository.place.common, known_at(repository)
    if remote is None:
        return SidecarMissing(f"{folder} is not governed yet")
    message = f"{folder} is governed at {remote}, and not mounted here yet"
    return SidecarMissing(message, hint=f"exo sidecar-init --remote {remote} mounts it")


def known_at(repository: Repository) -> str | None:
    """Return the remote whose governance branch was fetched, None when none is known."""
    return next((name for name in repository.settings.remotes() if _is_fetched(repository, name)), None)


def _is_fetched(repository: Repository, remote: str) -> bool:
    """Whether the remote's governance branch is here; one that cannot be named or read is not."""
    name = f"refs/remotes/{remote}/{DEFAULT_BRANCH}"
    if not remote.isprintable() or not refnames.is_valid(name):
        return False
    try:
        return repository.refs.read(name) is not None
    except RefDamaged:
        return False


def record_branch(folder: Path, branch: str) -> None:
    """Remember which branch is governed: whatever somebody checks out in the mount does not become it."""
    if _recorded_branch(folder) != branch:
        folder.mkdir(parents=True, exist_ok=True)
        files.write_atomic(folder / _BRANCH, f"{branch}\n".encode())


def _recorded_branch(folder: Path) -> str | None:
    try:
        return (folder / _BRANCH).read_text().strip() or None
    except FileNotFoundError:
        return None
