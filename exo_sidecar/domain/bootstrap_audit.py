"""What an audit is told in its bootstrap: what it is for, whose work it looks at, the range, the persona. Pure."""

from typing import Final, NamedTuple

from exo_sidecar.base.quoting import name
from exo_sidecar.domain.bootstrap_words import listed, quoted
from exo_sidecar.model.session import SessionRecord, model_of

PERSONA_MAX: Final = 3000
_DIRECTIVES: Final = (
    "- this is an audit: look for what is wrong, and do not sum up what was done",
    "- change no file, commit nothing, move no ticket: somebody else works here",
    "- judge the work by the ticket, the fence and the checks, not by what its writer says of it",
    "- prove each finding: the file and line, and a command or test that shows it",
    "- the most severe finding first; say so when there is none, and what you did not look at",
)


class Range(NamedTuple):
    """A range of commits, counted."""

    base: str
    head: str
    commits: int
    unsigned: int
    """Those that name no session, or one that nobody knows."""
    files: int
    out_of_scope: tuple[str, ...]


class Audited(NamedTuple):
    """What an audit looks at."""

    writer: SessionRecord | None
    """The last session that worked on the ticket."""
    range: Range | None = None
    persona: str | None = None
    """How the reviewer is to look at things, in somebody's words."""


def directives(audited: Audited | None) -> tuple[str, ...]:
    """Return what an audit is for, and whose work it looks at; nothing for a session that works."""
    if audited is None:
        return ()
    writer = audited.writer
    if writer is None:
        return (*_DIRECTIVES, "- nobody has worked on this ticket yet")
    known = model_of(name(writer.model, 64), name(writer.vendor, 64))
    model = f", on {known}" if known else ""
    return (*_DIRECTIVES, f"- written last by {writer.actor} in {writer.id}{model}")


def commits(audited: Audited | None) -> tuple[str, ...]:
    """Return the range of commits to look at."""
    found = audited.range if audited is not None else None
    if found is None:
        return ()
    lines = [
        f"- commits: {found.commits}, files: {found.files}: `git diff {found.base[:12]}...{found.head[:12]}`",
        f"- commits that name no session that the ledger knows: {found.unsigned}",
    ]
    if found.out_of_scope:
        lines.append(f"- outside of the fence: {listed(found.out_of_scope)}")
    return tuple(lines)


def persona(audited: Audited | None) -> tuple[str, ...]:
    """Return how the reviewer is to look at things, as a quotation."""
    text = audited.persona if audited is not None else None
    return (f"- look at it as described here: {quoted(text, PERSONA_MAX)}",) if text else ()
