"""Reports of our own faults: a file that a person can send, never a traceback on the screen."""

import contextlib
import os
import platform
import secrets
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exo_sidecar import __version__
from exo_sidecar.base.files import write_atomic
from exo_sidecar.model.errors import Internal

_WORD_MAX: Final = 80
"""Longer values on the command line are cut: they are texts, and a report is sent to others."""
_POINTER_BYTES_MAX: Final = 4096


def reported(fault: Exception, argv: Sequence[str], cwd: Path) -> Internal:
    """Write a report on `fault` and return the error that names it; where nothing can be written, it stands alone."""
    text = _text(fault, argv)
    for folder in (_reports(cwd), Path(tempfile.gettempdir())):
        path = folder / f"exo-report-{secrets.token_hex(4)}.txt"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, text.encode(errors="backslashreplace"), durable=False)
            return _error(fault, f"the report {path} says what happened; it was sent nowhere", report=str(path))
    return _error(fault, "no report could be written: there is no room for one", report="")


def _error(fault: Exception, hint: str, *, report: str) -> Internal:
    return Internal(f"something that should not happen: {type(fault).__name__}", hint=hint, report=report)


def _text(fault: Exception, argv: Sequence[str]) -> str:
    words = " ".join(word if len(word) <= _WORD_MAX else f"{word[:_WORD_MAX]}..." for word in argv)
    return "\n".join(
        (
            f"exo {__version__}, Python {platform.python_version()}, {platform.system()}",
            f"command: exo {words}",
            "",
            "".join(traceback.format_exception(fault)),
        )
    )


def _reports(cwd: Path) -> Path:
    """Return the folder for reports of the clone around `cwd`; found by names alone, because anything may be broken."""
    for folder in (cwd, *cwd.parents):
        dot_git = folder / ".git"
        if dot_git.is_dir():
            return _common(dot_git) / "exo" / "reports"
        if dot_git.is_file():
            pointer = os.fsdecode(dot_git.read_bytes()[:_POINTER_BYTES_MAX]).removeprefix("gitdir:").strip()
            return _common(folder / pointer) / "exo" / "reports"
    return Path(tempfile.gettempdir())


def _common(git_folder: Path) -> Path:
    with contextlib.suppress(OSError):
        pointer = (git_folder / "commondir").read_bytes()[:_POINTER_BYTES_MAX]
        return git_folder / os.fsdecode(pointer).strip()
    return git_folder
