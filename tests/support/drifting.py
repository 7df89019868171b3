"""A session at work in a real repository; the fence is `src/**` without `src/secret/**`, its boundary `docs/**`."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.domain import drift
from exo_sidecar.domain.drift import Changed, Fence
from exo_sidecar.git.locate import locate
from exo_sidecar.host import checkout, session_changes
from exo_sidecar.host.session_changes import Apart, Changes, Session
from exo_sidecar.model.drift import Drift
from exo_sidecar.model.ticket import Budgets, Scope
from tests.support.repositories import a_repository, commit_files, git, write_files

APART: Final = Apart("main", ("origin",), (".exo",))
FILES: Final = {
    "README.md": "one\ntwo\n",
    "src/app.py": "one\ntwo\nthree\n",
    "src/util.py": "one\ntwo\nthree\n",
    "docs/guide.md": "guide\n",
    ".gitignore": "build/\n",
}
EDIT: Final = {"src/app.py": "one\n2\nthree\n"}


class Case:
    """A session at work: where, since when, and what was dirty when it began."""

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.base: str | None = None
        self.dirty: Mapping[str, str] = {}
        self.begins()

    def begins(self) -> None:
        """Let the session begin here and now."""
        self.base = checkout.head(locate(self.repo)).commit
        self.dirty = checkout.contents_of(self.repo, checkout.waiting(self.repo))

    def git(self, *words: str) -> str:
        """Run git in the session's worktree."""
        return git(self.repo, *words)

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        """Commit files on what is checked out."""
        return commit_files(self.repo, files, message)

    def on_main(self, files: Mapping[str, str], message: str = "of others") -> None:
        """Commit files on main, and come back."""
        self.git("switch", "-q", "main")
        self.commit(files, message)
        self.git("switch", "-q", "-")

    def changes(self) -> Changes:
        """Return what the session changed."""
        return session_changes.of_session(locate(self.repo), Session("SES-A", self.base, self.dirty), APART)

    def drift(self, max_files: int = 4) -> Drift:
        """Return how far that is from the fence."""
        found = self.changes()
        scope = Scope(allow=("src/**",), deny=("src/secret/**",))
        fence = Fence(scope, Budgets(max_files_changed=max_files), "keep out of docs/**, please")
        return drift.measure(Changed(found.committed, found.uncommitted, found.lines, self.base), fence)

    def all_at_once(self) -> None:
        """Leave work in the scope and out of it, committed and not."""
        self.commit({"src/app.py": "x\n", "docs/guide.md": "x\n"})
        write_files(self.repo, {"README.md": "x\n", "src/new.py": "x\n", "src/app.py": "y\n"})


def a_ground(folder: Path) -> Path:
    """Make the repository that cases begin in: on a branch of a ticket, with a binary file."""
    repo = a_repository(folder, files=FILES)
    (repo / "data.bin").write_bytes(bytes(range(256)))
    git(repo, "add", "data.bin")
    git(repo, "commit", "-q", "-m", "binary")
    git(repo, "switch", "-q", "-c", "exo/TICKET-1")
    return repo


def a_case(ground: Path, folder: Path) -> Case:
    """Let a session begin in a copy of the ground."""
    return Case(Path(shutil.copytree(ground, folder / "repo", symlinks=True)))
