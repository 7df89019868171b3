"""A repository opened: its place, objects, refs and settings in one value, closed together."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from exo_sidecar.git.locate import MOUNT_ID, Place, locate
from exo_sidecar.git.objects import Objects
from exo_sidecar.git.refs import Refs
from exo_sidecar.git.settings import GitSettings


class Repository:
    """What the rooms above work with; opening it reads nothing yet."""

    def __init__(self, place: Place) -> None:
        self.place: Final = place
        self.objects: Final = Objects(place.common)
        self.refs: Final = Refs(place.common)
        self.settings: Final = GitSettings(place.common)
        self.mount_git_dir: Final = place.common / "worktrees" / MOUNT_ID

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened on the way; the repository can still be used and opens it again."""
        self.objects.close()


def init(path: Path, default_branch: str) -> Place:
    """Make an empty repository at `path`, as `git init` does, and return its place."""
    from dulwich.repo import Repo  # noqa: PLC0415  60 ms for one command

    path.mkdir(parents=True, exist_ok=True)
    with Repo.init(str(path), default_branch=default_branch.encode()):
        pass
    return locate(path)
