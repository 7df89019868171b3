"""Checks as people write them: a command split into arguments, never given to a shell (docs/guides/settings.md)."""

import re
import shlex
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from exo_sidecar.model.errors import Usage

TIMEOUT_SECONDS: Final = 600
ARGUMENTS_MAX: Final = 200
_SHELL: Final = re.compile(r"[;|<>`\n]|&&|\$\(")
"""What means something to a shell and nothing to a program that gets it as an argument."""

_Argument = Annotated[str, Meta(max_length=4096)]


class CheckNotArgv(Usage):
    """A command is written for a shell, and none is ever started."""

    code = "CHECK_NOT_ARGV"
    advice = "write one program with its arguments; several steps go into a script of the repository"


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One command that shows whether work is good."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    run: Annotated[tuple[_Argument, ...], Meta(min_length=1, max_length=ARGUMENTS_MAX)]
    timeout_seconds: Annotated[int, Meta(ge=1, le=86_400)] = TIMEOUT_SECONDS
    cwd: Annotated[str, Meta(min_length=1, max_length=1024)] = "."
    """Folder below the worktree."""
    env: dict[Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z", max_length=200)], _Argument] = {}
    """Variables that are set for it."""
    evidence: Annotated[str, Meta(pattern=r"^(auto|exit|junit:.+)\Z", max_length=1024)] = "auto"
    """What shows that it did something: known summaries, the exit status alone, or a report's cases."""
    min_items: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    runs: Annotated[int, Meta(ge=1, le=100)] = 1


def parse(entry: str | Check) -> Check:
    """Return a check as a member of `checks_allowlist` means it; a text is its own id. CheckNotArgv."""
    if isinstance(entry, Check):
        return entry
    text = entry.strip()
    found = _SHELL.search(text)
    if found is not None:
        message = f"{text[:80]!r} holds {found[0]!r}, which only a shell understands"
        raise CheckNotArgv(message)
    try:
        arguments = tuple(shlex.split(text))
    except ValueError as error:
        message = f"{text[:80]!r} cannot be split into arguments: {str(error).lower()}"
        raise CheckNotArgv(message) from error
    if not arguments or not arguments[0]:
        message = f"{text[:80]!r} names no program"
        raise CheckNotArgv(message)
    return Check(id=" ".join(text.split()), run=arguments)
