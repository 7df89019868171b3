"""Code pushed by C git: one branch, and with it, atomically, any refs that must still have the value they had.

C git, because code brings hooks, large-file filters, signing and the user's credentials along. A refusal is told in
git's words and never taken for an outcome: the caller reads the refs again.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exo_sidecar.git import cgit
from exo_sidecar.git.oid import Oid

PUSH_SECONDS: Final = 900.0
"""Code may be large, and hooks may run tests."""
WORDS_MAX: Final = 600
_NO_ATOMIC: Final = "does not support --atomic"
_TURNED_AWAY: Final = ("[rejected]", "[remote rejected]")
_BROKEN: Final = ("[remote failure]", "hung up", "early EOF", "disconnect", "RPC failed", "timed out", "Broken pipe")
"""What git says when the server did not say what became of a push."""
_SUMMARY: Final = "error: failed to push some refs"
_UP_TO_DATE: Final = "="
_NEW: Final = "*"
_REFUSED: Final = "!"
_NOTHING: Final = "git pushed nothing, and gave no error: git config push.recurseSubmodules may say `only`"
_FIELDS: Final = 3


class CodeUpdate(NamedTuple):
    """A branch that is to be pushed."""

    branch: str
    """The whole ref name."""
    commit: Oid
    expected: Oid | None = None
    """The value that may be overwritten by what does not descend from it; None: fast-forward only."""


class LeaseUpdate(NamedTuple):
    """A ref that goes along, and the value that it must still have."""

    ref: str
    new: Oid
    expected: Oid


class Said(NamedTuple):
    """What git said of a push."""

    done: bool
    """Whether everything was updated, as far as the server told; not where git left a ref out without a word."""
    lacks_atomic: bool
    """The server cannot update several refs at once; nothing was sent."""
    may_arrive: bool
    """Nobody said no: the connection broke or the time was up, and the server may still be at work on it."""
    start: Oid | None
    """The branch there before, when git told; None also where there was none."""
    words: str


def push(worktree: Path, remote: str, code: CodeUpdate, lease: LeaseUpdate | None) -> Said:
    """Push `code` to the remote of that name, with `lease` in the same atomic push when it is given.

    Raises:
        TimedOut: the outcome is unknown.
        GitRequired: there is no C git.
    """
    options = ["--porcelain", "--no-follow-tags"]
    specs = [f"{code.commit}:{code.branch}"]
    if code.expected is not None:
        options.append(f"--force-with-lease={code.branch}:{code.expected}")
    if lease is not None:
        options += ["--atomic", f"--force-with-lease={lease.ref}:{lease.expected}"]
        specs.append(f"{lease.new}:{lease.ref}")
    done = cgit.push([*options, "--", remote, *specs], cwd=worktree, timeout_seconds=PUSH_SECONDS)
    words = done.stderr.decode(errors="replace").strip()
    told = _told(done.stdout.decode(errors="replace").splitlines())
    flag, summary = told.get(code.branch, ("", ""))
    refusals = [text for mark, text in told.values() if mark == _REFUSED]
    wanted = {code.branch, *([lease.ref] if lease else [])}
    is_whole = all(told.get(ref, (_REFUSED, ""))[0] != _REFUSED for ref in wanted)
    if done.status == 0 and not is_whole:
        refusals.append(_NOTHING)
    return Said(
        done=done.status == 0 and is_whole,
        lacks_atomic=done.status != 0 and _NO_ATOMIC in words,
        may_arrive=not any(text.startswith(_TURNED_AWAY) for text in refusals)
        and any(mark in text for mark in _BROKEN for text in (words, *refusals)),
        start=_start(flag, summary, code.commit),
        words=_shortened("; ".join([*refusals, *_complaints(words)])),
    )


def _told(lines: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Return flag and summary by ref, from lines of flag, `<from>:<to>` and summary with tabs between them."""
    found = {}
    for line in lines:
        fields = line.split("\t")
        if len(fields) >= _FIELDS:
            found[fields[1].rpartition(":")[2]] = (fields[0].strip(), fields[2])
    return found


def _start(flag: str, summary: str, commit: Oid) -> Oid | None:
    if flag == _UP_TO_DATE:
        return commit
    if flag in {_NEW, _REFUSED}:
        return None
    before = summary.split(" ", maxsplit=1)[0].split(".", maxsplit=1)[0]
    return Oid(before) if len(before) == len(commit) else None


def _complaints(words: str) -> list[str]:
    """Return what a server or a hook said, and git's own errors; not its advice."""
    lines = (line.strip() for line in words.splitlines())
    told = [line for line in lines if line.startswith(("remote:", "fatal:", "error", "exo"))]
    return [line for line in told if not line.startswith(_SUMMARY)] or told


def _shortened(words: str) -> str:
    return words if len(words) <= WORDS_MAX else words[: WORDS_MAX - 1] + "…"
