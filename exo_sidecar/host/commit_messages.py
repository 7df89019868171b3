"""Messages of commits that are about to be made: read, and their trailers put where git wants them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exo_sidecar.git import cgit
from exo_sidecar.host.checkout import CheckoutUnreadable

MESSAGE_MAX_BYTES: Final = 4 * 1024 * 1024
_MOVING: Final = ("rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD")
_INTERPRET: Final = (
    *("interpret-trailers", "--in-place", "--no-divider", "--where", "end"),
    *("--if-exists", "add", "--if-missing", "add"),
)


def read(path: Path) -> str:
    """Return the message in the file that git names; CheckoutUnreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise CheckoutUnreadable(message) from error
    if len(data) > MESSAGE_MAX_BYTES:
        message = f"{path} has {len(data)} bytes, which is more than a message"
        raise CheckoutUnreadable(message)
    return data.decode(errors="surrogateescape")


def write(path: Path, text: str, trailers: Sequence[str]) -> None:
    """Write the message with these trailers after whatever others it has; CheckoutUnreadable, GitRequired."""
    whole = text if not text or text.endswith("\n") else text + "\n"  # git sets nothing apart from half a line
    try:
        path.write_bytes(whole.encode(errors="surrogateescape"))
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise CheckoutUnreadable(message) from error
    words = [word for trailer in trailers for word in ("--trailer", trailer)]
    said = cgit.run([*_INTERPRET, *words, str(path)], cwd=path.parent)
    if said.status != 0:
        message = f"git interpret-trailers failed: {said.stderr.decode(errors='replace').strip()}"
        raise CheckoutUnreadable(message)


def is_moving(git_dir: Path) -> bool:
    """Whether git is taking commits that there are somewhere else: a rebase, a cherry-pick, a revert."""
    return any((git_dir / name).exists() for name in _MOVING)
