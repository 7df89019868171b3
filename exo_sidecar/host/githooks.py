"""Git's hooks of this clone: exo's own script in the place where git looks, the user's kept and still run before it.

Only files that carry our mark are ever replaced or removed. A user's hook is moved aside once, by its name with
`.before-exo`, and comes back when ours is removed.
"""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from exo_sidecar.base.files import write_atomic
from exo_sidecar.git import cgit
from exo_sidecar.model.errors import Environment

MARK: Final = "# exo: made by exo hook-install"
_ASIDE: Final = ".before-exo"
_EXECUTABLE: Final = 0o755
_HEAD: Final = """\
#!/bin/sh
{mark}; take it away with: exo hook-install --remove
"""
_PRE_PUSH: Final = """\
# Checks a push: is the lease still this session's, are the changes inside the fence. It pushes nothing itself.
pushed=$(cat)
[ -n "$pushed" ] || exit 0
before="$0{aside}"
if [ -x "$before" ]; then
    printf '%s\\n' "$pushed" | "$before" "$@" || exit
fi
printf '%s\\n' "$pushed" | {exo} hook --agent git --event {event} --remote "$1" --input -  >&2
"""
_USERS_FIRST: Final = """\
before="$0{aside}"
if [ -x "$before" ]; then
    "$before" "$@" || exit
fi
common=$(git rev-parse --git-common-dir) || exit 0
for session in "$common"/exo/sessions/*.json; do
    [ -e "$session" ] || exit 0
    break
done
"""
_PREPARE: Final = (
    """\
# Names the session that works here in the message of its commits. It never stops a commit.
"""
    + _USERS_FIRST
    + """\
{exo} hook --agent git --event {event} --message "$1" --source "$2" >/dev/null || :
"""
)
_COMMIT_MSG: Final = (
    """\
# Names the session that works here in a message that was written in an editor. It never stops a commit.
"""
    + _USERS_FIRST
    + """\
if grep -q '^Exo-Session: ' "$1"; then
    # Somebody who takes every word away wants no commit, and git makes none of an empty message.
    grep -v -e '^#' -e '^Exo-[A-Z]' "$1" | grep -q '[^[:space:]]' || : > "$1"
    exit 0
fi
{exo} hook --agent git --event {event} --message "$1" >/dev/null || :
"""
)
SCRIPTS: Final = {"pre-push": _PRE_PUSH, "prepare-commit-msg": _PREPARE, "commit-msg": _COMMIT_MSG}
"""By git's name of the event; shell alone where there is nothing to do."""

State: TypeAlias = Literal["created", "updated", "unchanged", "removed", "absent"]


class HooksPathUnwritable(Environment):
    """Git's hooks folder cannot be found or written."""

    code = "HOOKS_PATH_UNWRITABLE"
    advice = "git config core.hooksPath names the folder"


class Hook(NamedTuple):
    """A hook as it is now."""

    path: Path
    state: State


class Look(NamedTuple):
    """Whose hook is in the place where git looks."""

    path: Path
    owner: Literal["absent", "user", "exo"]
    runs: bool
    """Whether git would run it: it passes over what is not executable."""


def install(worktree: Path, event: str, exo: Sequence[str], *, dry_run: bool = False) -> Hook:
    """Write the hook of `event`, which calls `exo`; a user's hook goes aside and is run first."""
    path = _folder(worktree) / event
    script = (_HEAD + SCRIPTS[event]).format(mark=MARK, aside=_ASIDE, exo=shlex.join(exo), event=event)
    now = _read(path)
    if now == script:
        return Hook(path, "unchanged")
    state: State = "updated" if now is not None and MARK in now else "created"
    if not dry_run:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if now is not None and MARK not in now:
                _set_aside(path)
            write_atomic(path, script.encode())
            path.chmod(_EXECUTABLE)
        except OSError as error:
            raise _unwritable(path, error) from error
    return Hook(path, state)


def remove(worktree: Path, event: str, *, dry_run: bool = False) -> Hook:
    """Take exo's hook away and bring the user's back; a hook without our mark stays."""
    path = _folder(worktree) / event
    now = _read(path)
    if now is None or MARK not in now:
        return Hook(path, "absent")
    aside = path.with_name(path.name + _ASIDE)
    if not dry_run:
        try:
            if aside.exists():
                aside.replace(path)
            else:
                path.unlink()
        except OSError as error:
            raise _unwritable(path, error) from error
    return Hook(path, "removed")


def look(worktree: Path, event: str) -> Look:
    """Return whose hook git runs at `event`; nothing is changed. HooksPathUnwritable."""
    path = _folder(worktree) / event
    text = _read(path)
    if text is None:
        return Look(path, "absent", runs=False)
    return Look(path, "exo" if MARK in text else "user", runs=os.access(path, os.X_OK))


def _set_aside(path: Path) -> None:
    aside = path.with_name(path.name + _ASIDE)
    if aside.exists() and aside.samefile(path):  # a call that was killed set it aside already
        return
    if aside.exists():
        message = f"{path} and {aside.name} are both the user's"
        raise HooksPathUnwritable(message, hint="keep one of them")
    os.link(path, aside)  # the hook stays in force until ours takes its place


def _folder(worktree: Path) -> Path:
    said = cgit.run(["rev-parse", "--git-path", "hooks"], cwd=worktree, hooks=True)
    text = said.stdout.decode(errors="surrogateescape").rstrip("\n")
    if said.status != 0 or not text:
        message = f"git does not say where hooks of {worktree} are"
        raise HooksPathUnwritable(message)
    return worktree / Path(text).expanduser()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> HooksPathUnwritable:
    message = f"{path}: {error.strerror or error}"
    return HooksPathUnwritable(message)
