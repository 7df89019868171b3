"""How much a history weighs, as C git counts it."""

from typing import Final

from exo_sidecar.git import cgit
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import GitRequired, TimedOut

_SECONDS: Final = 60.0


def disk_bytes(repository: Repository, tip: Oid) -> int | None:
    """Return the bytes on disk of all objects that a commit or tree leads to; None without a git that counts them."""
    words = [f"--git-dir={repository.place.common}", "rev-list", "--objects", "--disk-usage", tip]
    try:
        done = cgit.run(words, timeout_seconds=_SECONDS)
    except (GitRequired, TimedOut):
        return None
    text = done.stdout.decode(errors="replace").strip()
    return int(text) if done.status == 0 and text.isdecimal() else None
