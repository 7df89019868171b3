"""The hub of a soak run: a bare repository whose hook does what goes wrong on servers, and reading what it holds."""

import collections
import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import authority, value
from exo_sidecar.leases.names import REFS
from exo_sidecar.model.lease import Lease
from tests.soak.guard import BRANCHES
from tests.soak.history import Guarded, Link
from tests.soak.plan import AUTHORITY
from tests.support.repositories import a_clone, a_hub, git

HOOK: Final = """#!/bin/sh
# Called by receive-pack around each change of refs; the fault comes from the worker whose push this is.
[ -z "$SOAK_FAULT" ] && exit 0
happens() { echo "${SOAK_FAULT%%:*}" >>soak-faults; }
case "${SOAK_FAULT%%:*}-$1" in
    slow-prepared) happens; sleep 0.3 ;;
    hang-prepared) happens; sleep 5 ;;
    refuse-prepared) happens; exit 1 ;;
    drop-committed) happens; kill -9 "$PPID" ;;
    die-committed) happens; kill -9 "${SOAK_FAULT#*:}" ;;
    orphan-prepared) happens; kill -9 "${SOAK_FAULT#*:}"; sleep 0.7 ;;
esac
exit 0
"""
"""drop: done, and the reply is lost. die: killed between push and reply. orphan: killed, and the push goes on alone.
hang: longer than the client waits, who then kills the connection; a lock may stay behind."""
LOCK_SECONDS: Final = 6.0
"""A lock file of this age was left by a killed server: an administrator removes it."""
QUIET_SECONDS: Final = 15.0


class Backup(NamedTuple):
    """The refs at one moment."""

    refs: dict[str, str]


def make(folder: Path) -> Path:
    """Make the hub, with its authority and its hook."""
    hub = a_hub(folder)
    for name, setting in {"receive.autogc": "false", "gc.auto": "0", "core.fsync": "none"}.items():
        git(hub, "config", name, setting)
    hook = hub / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK)
    hook.chmod(0o755)
    first = a_clone(hub, "first")
    authority.establish(Repository(locate(first)), Remote("origin", str(hub)), AUTHORITY)
    return hub


def backup(hub: Path) -> Backup:
    """Return the refs that are told apart in a restore; they are read one after the other, as any backup does."""
    lines = git(hub, "for-each-ref", "--format=%(refname) %(objectname)", REFS.prefix, BRANCHES).splitlines()
    pairs = (line.split(" ") for line in lines)
    return Backup({pair[0]: pair[1] for pair in pairs})


@contextlib.contextmanager
def away(hub: Path) -> Iterator[Path]:
    """Take the hub out of reach, and put it back; what runs in it goes on meanwhile."""
    aside = hub.with_name(hub.name + ".away")
    hub.rename(aside)
    try:
        yield aside
    finally:
        aside.rename(hub)


def quiet(hub: Path, meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Wait until no process works in `hub`; False when one still does after QUIET_SECONDS.

    `meanwhile` wakes stopped workers: a server waits for the one that it listens to.
    """
    deadline = time.monotonic() + QUIET_SECONDS
    while _works_in(hub):
        if time.monotonic() > deadline:
            return False
        meanwhile()
        time.sleep(0.05)
    return True


def restore(hub: Path, saved: Backup) -> None:
    """Set the refs back to what `saved` has; what came later is gone."""
    unlock(hub, 0)
    now = backup(hub).refs
    lines = [f"update {name} {oid}" for name, oid in saved.refs.items()]
    lines += [f"delete {name}" for name in now.keys() - saved.refs.keys()]
    if lines:
        git(hub, "update-ref", "--stdin", stdin="\n".join(lines) + "\n")


def unlock(hub: Path, seconds: float = LOCK_SECONDS) -> int:
    """Remove lock files older than `seconds`; return how many there were."""
    count = 0
    for path in (*hub.glob("*.lock"), *(hub / "refs").rglob("*.lock")):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= seconds:
                path.unlink()
                count += 1
    return count


def chains(hub: Path) -> dict[str, tuple[Link, ...]]:
    """Return the history of every lease ref, oldest value first."""
    return {ref.removeprefix(REFS.prefix): _chain(hub, ref) for ref in sorted(backup(hub).refs) if REFS.ticket_of(ref)}


def branches(hub: Path) -> dict[str, tuple[Guarded, ...]]:
    """Return the commits of every code branch, oldest first."""
    found = {}
    for ref in sorted(backup(hub).refs):
        if ref.startswith(BRANCHES):
            words = (line.split() for line in git(hub, "log", "--reverse", "--format=%s", ref).splitlines())
            found[ref.removeprefix(BRANCHES)] = tuple(Guarded(line[3], int(line[1])) for line in words)
    return found


def copy(clone: Path, target: Path) -> None:
    """Copy a clone while its worker goes on; files that vanish meanwhile are not in the copy."""
    with contextlib.suppress(shutil.Error):
        shutil.copytree(clone, target, symlinks=True)


def faults(hub: Path) -> dict[str, int]:
    """Return how often each fault of the hook really happened."""
    path = hub / "soak-faults"
    names = path.read_text().split() if path.exists() else []
    return {f"push met {name}": count for name, count in sorted(collections.Counter(names).items())}


def tidy(hub: Path, *words: str) -> None:
    """Run a maintenance command of git; that it loses against a push is no matter."""
    subprocess.run(["git", f"--git-dir={hub}", *words], capture_output=True, timeout=120, check=False)


def _chain(hub: Path, ref: str) -> tuple[Link, ...]:
    text = git(hub, "log", "--first-parent", "--reverse", "--format=%H%x00%B%x01", ref)
    links = []
    for item in text.split("\x01"):
        oid, _, message = item.strip().partition("\x00")
        if oid:
            lease = msgspec.json.decode(message.removeprefix(value.HEADER), type=Lease)
            links.append(Link(oid, lease.nonce, lease.holder.session, lease.epoch, lease.state))
    return tuple(links)


def _works_in(hub: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == hub:
                return True
    return False
