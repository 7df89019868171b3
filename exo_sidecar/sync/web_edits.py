"""Web edits: commits that somebody made on a remote without exo, on a forge's page as a rule.

They hold no event, so their files are computed anew by the merge. What they changed is told, with the command that
would take it in: nothing a person wrote goes without a word.
"""

import difflib
from collections.abc import Iterator
from typing import Final, NamedTuple

from exo_sidecar.base.quoting import one_line
from exo_sidecar.git import commits, tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.objects import ObjectDamaged
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.store import layout
from exo_sidecar.store.governed import Governed

EDITS_MAX: Final = 20
_COMMITS_MAX: Final = 20
_LINES_MAX: Final = 12
_LINE_MAX: Final = 120
_PATH_MAX: Final = 200


class WebEdit(NamedTuple):
    """A file that a commit without an event has changed."""

    path: str
    commit: Oid
    author: str
    diff: str
    """Its lines that went and came, cut short: text of others, made harmless and put in one line."""
    command: str
    """What takes it in, empty when the file is none that people edit."""

    def __str__(self) -> str:  # type: ignore[explicit-override]  # typing has it from 3.12 on
        """Return what a person is told."""
        place = f"in commit {self.commit[:12]}, which holds no event"
        told = f"{one_line(self.path, _PATH_MAX)} was changed by {self.author} {place}: {self.diff}"
        way = f"rendered over. To take it in: {self.command}" if self.command else "computed anew"
        return f"{told}; it is {way}"


def found(governed: Governed, tip: Oid) -> tuple[WebEdit, ...]:
    """Return what the commits at the top of a fetched branch changed that exo did not make, the latest first."""
    edits: list[WebEdit] = []
    try:
        for oid, commit in _commits(governed, tip):
            for change in tree.diff(governed.repository.objects, governed.tree_of(commit.parents[0]), commit.tree):
                if not change.path.startswith(f"{layout.LEDGER}/"):
                    edits.append(_edit(governed, oid, commit, change))
                if len(edits) >= EDITS_MAX:
                    return tuple(edits)
    except ObjectDamaged:  # told as left out already
        return tuple(edits)
    return tuple(edits)


def _commits(governed: Governed, tip: Oid) -> Iterator[tuple[Oid, Commit]]:
    current = tip
    for _ in range(_COMMITS_MAX):
        commit = commits.read(governed.repository.objects, current)
        if len(commit.parents) != 1 or commit.committer == commits.AUTHOR:
            return
        yield current, commit
        current = commit.parents[0]


def _edit(governed: Governed, oid: Oid, commit: Commit, change: tree.Change) -> WebEdit:
    before, after = _lines(governed, change.old), _lines(governed, change.new)
    delta = [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:3] not in {"---", "+++"}]
    shown = [f"{line[0]} {one_line(line[1:], _LINE_MAX)}" for line in delta if line[0] in "+-"]
    more = f" and {len(shown) - _LINES_MAX} lines more" if len(shown) > _LINES_MAX else ""
    is_edited = change.path in DOCUMENTS or layout.parse_ticket(change.path) is not None
    is_plain = change.new is not None and change.new.mode == tree.FILE_MODE
    diff = f"git -C .exo diff {commit.parents[0]} {oid} -- {change.path}"
    return WebEdit(
        path=change.path,
        commit=oid,
        author=one_line(commit.author, _LINE_MAX),
        diff=", ".join(shown[:_LINES_MAX]) + more or "no text",
        command=f"{diff} | git -C .exo apply && exo sync" if is_edited and is_plain else "",
    )


def _lines(governed: Governed, entry: tree.Entry | None) -> list[str]:
    if entry is None or entry.mode != tree.FILE_MODE:
        return []
    data = governed.repository.objects.read(entry.oid).data
    return data.decode(errors="replace").splitlines() if len(data) <= layout.FILE_BYTES_MAX // 16 else []
