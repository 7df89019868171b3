"""Runs checks: one program at a time, never through a shell, bounded in time and output (docs/guides/checks.md).

A check gets its argument list, a folder below the session's worktree, and only the environment variables that are named
here or by it. Its process group is gone when it is over; a service that
left that group on purpose, as build servers do, is not. What it wrote is masked before anybody sees it.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from exo_sidecar.base import files, secret_shapes
from exo_sidecar.host import process
from exo_sidecar.model.check import Check
from exo_sidecar.model.check_run import CheckRan
from exo_sidecar.model.errors import Refused

OUTPUT_BYTES: Final = 256 * 1024
"""Of what a check writes so much of the end is looked at for its summary."""
REPORT_MAX_BYTES: Final = 16 * 1024 * 1024
PASSED_ON: Final = frozenset(
    {
        *("CI", "COLORTERM", "HOME", "LANG", "LANGUAGE", "LOGNAME", "NO_COLOR", "PATH", "SHELL", "TMPDIR", "TZ"),
        *("USER", "VIRTUAL_ENV", "CONDA_PREFIX", "JAVA_HOME", "GOPATH", "GOROOT", "GOCACHE", "CARGO_HOME"),
        *("RUSTUP_HOME", "NVM_DIR", "PNPM_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH"),
    }
)
"""Variables that a check gets from its caller: where tools are, whose machine it is, how it writes. No credentials."""
_LOCALE: Final = "LC_"
_JUNIT: Final = "junit:"

Tell = Callable[[str], None]


class CheckOutside(Refused):
    """A check wants to run in a folder outside of the worktree."""

    code = "CHECK_NOT_ALLOWED"
    advice = "its cwd is a folder below the worktree; mend checks_allowlist in .exo/config.yaml"


def run(check: Check, worktree: Path, environ: Mapping[str, str], tell: Tell) -> CheckRan:
    """Run a check once and return the facts; `tell` hears how far it is.

    Raises:
        CheckOutside: its folder lies, links followed, outside of the worktree.
    """
    folder = _folder(check, worktree)
    passed = environment(check, environ)
    if any("\0" in text for text in (*check.run, *check.env.values())):  # no system can hand it on
        return CheckRan(None, "not found", "", 0.0)
    if folder is None or _program(check.run[0], folder, passed) is None:
        return CheckRan(None, "not found", "", 0.0)
    report = check.evidence.removeprefix(_JUNIT) if check.evidence.startswith(_JUNIT) else None
    before = _stamp(folder, report)
    try:
        done = process.supervise(
            process.Command(folder, check.run),
            environ=passed,
            timeout_seconds=check.timeout_seconds,
            keep_bytes=OUTPUT_BYTES,
            tick=lambda seconds: tell(f"check {check.id}: {seconds:.0f} s"),
        )
    except (process.ProgramMissing, OSError):  # the folder is closed to us, or the words are too many for the system
        return CheckRan(None, "not found", "", 0.0)
    text = secret_shapes.mask(done.output).decode(errors="replace")
    if done.status is None:
        return CheckRan(None, "timed out", text, done.seconds)
    written = _report(worktree, folder, report) if report and _stamp(folder, report) != before else None
    return CheckRan(done.status, "exited", text, done.seconds, written)


def environment(check: Check, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a check gets: the named ones of its caller, and its own."""
    kept = {name: value for name, value in environ.items() if name in PASSED_ON or name.startswith(_LOCALE)}
    return {**kept, **check.env}


def _folder(check: Check, worktree: Path) -> Path | None:
    """Return where the check runs, links followed; None when there is no such folder."""
    top = Path(os.path.realpath(worktree))
    if "\0" in check.cwd:
        return None
    folder = Path(os.path.realpath(top / check.cwd))
    if not folder.is_relative_to(top):
        message = f"check {check.id} would run in {check.cwd}, which lies outside of the worktree"
        raise CheckOutside(message, check=check.id)
    return folder if folder.is_dir() else None


def _program(name: str, folder: Path, environ: Mapping[str, str]) -> str | None:
    """Return the program that `name` is, as the system would find it from `folder`; None when there is none."""
    if "/" in name:
        path = str(folder / name)
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None  # noqa: PTH113 - as a text
    return shutil.which(name, path=environ.get("PATH", os.defpath))


def _stamp(folder: Path, report: str | None) -> tuple[int, int, int] | None:
    """Return what changes whenever somebody writes the report: one from an earlier run shows nothing of this one."""
    try:
        found = (folder / report).stat() if report else None
    except (OSError, ValueError):
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None


def _report(worktree: Path, folder: Path, report: str) -> bytes | None:
    top = Path(os.path.realpath(worktree))
    path = Path(os.path.normpath(folder / report))
    if not path.is_relative_to(top):
        return None
    try:
        return files.read_beneath(top, str(path.relative_to(top)), limit_bytes=REPORT_MAX_BYTES)
    except OSError:
        return None
