"""Transaction: one rule, one commit (docs/architecture.md, "A transaction").

The clone's lock is held by the caller. The index is changed in one SQLite transaction together with the branch: it is
committed after the branch moved and rolled back when it did not, so it is never ahead. Hand edits of the files that the
rule writes are found only after it ran; then they are taken in first and the rule decides again.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from exo_sidecar.git import tree
from exo_sidecar.git.commits import AUTHOR, Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.errors import ExoError, LedgerDamaged
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.event_policy import FILES
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ids import CloneId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.store import (
    canon,
    drafts,
    edited_files,
    foreign,
    hand_edits,
    layout,
    ledger,
    publish,
    redaction,
    refresh,
    rendering,
    rendition,
)
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.edited_files import Edit
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.hand_edits import Absorb, Absorbed
from exo_sidecar.store.index import RENDER, Index
from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.refold import Changed, refold
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.render_number import is_newer, number_of
from exo_sidecar.store.rendering import Files
from exo_sidecar.store.scan import changed_paths
from exo_sidecar.store.scribe import Scribe
from exo_sidecar.store.view import IndexView, Restrain

Rule = Callable[[View], Outcome]
_ROUNDS_MAX: Final = 4
"""Each round takes in the hand edits of the files that the last decision writes; a decision rarely widens."""


class Committed(NamedTuple):
    """What a transaction did."""

    commit: Oid | None
    """None when nothing changed."""
    findings: tuple[Finding, ...]
    refusal: ExoError | None
    documents: Mapping[str, tuple[str, str]] = MappingProxyType({})
    """Authored documents that it wrote: their text before and after, empty where there was none."""
    policy: bool = False
    """Whether it compiled or sealed rules."""


class Judges(NamedTuple):
    """What operations pass in, because the store knows no rule."""

    absorb: Absorb
    restrain: Restrain
    scribe: Scribe


class Attempt:
    """One try at one tip; publish.Moved when somebody else moved the branch meanwhile."""

    def __init__(self, governed: Governed, index: Index, clone: CloneId, judges: Judges, progress: Progress) -> None:
        self._governed = governed
        self._objects = governed.repository.objects
        self._index = index
        self._clone = clone
        self._judges = judges
        self._progress = progress
        self._lines: list[bytes] = []
        self._changed = Changed()
        self._taken = hand_edits.NOTHING
        self._subjects: list[str] = []
        self._documents: dict[str, str] = {}
        """Texts of the documents that are written, as they were before."""
        self._committed: frozenset[str] = frozenset()
        """Files that a commit by hand in this clone has changed."""
        self._rendered_over: Oid | None = None
        """Tree of a tip that came by plain git, or of another number: its files are computed anew, nobody's edits."""
        self._below: Oid | None = None
        """Tree that commits by hand went on from, where files are computed anew."""
        self._lagged: set[str] = set()
        """Files to look at for edits because all are computed anew: what they were edited from is known only now."""
        self._is_older = False
        """Whether a newer program than this one computes the files of the branch: then they are left to it."""
        self._told: tuple[Finding, ...] = ()

    def run(self, rule: Rule, stamp: Stamp, paths: Iterable[str], *, dry_run: bool) -> Committed:
        """Decide, and write unless `dry_run`; `paths` are looked at for hand edits besides the documents."""
        tip = self._governed.tip()
        base, self._committed = self._base(tip, dry_run=dry_run)
        self._check_own_chain()
        self._take_in(self._edits(base, {*DOCUMENTS, *FILES, *paths, *self._committed, *self._lagged}), stamp)
        outcome, files = self._decide(rule, stamp, base)
        committed = Committed(None, self._told + self._taken.findings + outcome.findings, outcome.refusal)
        if dry_run:
            return committed
        documents = {name: (text, self._text_of(name)) for name, text in self._documents.items()}
        commit = self._write(tip, base, files, stamp)
        return committed._replace(commit=commit, documents=documents, policy=self._changed.policy)

    def _base(self, tip: Oid | None, *, dry_run: bool) -> tuple[Oid | None, frozenset[str]]:
        """Return the canonical tree to write on, and paths that a commit by hand in this clone has edited."""
        recorded = publish.recorded_tip(self._governed)
        if tip is None or tip == recorded:
            refresh.to_tip(self._index, self._objects, tip, self._progress)
            standing = rendition.standing(self._governed, tip)
            self._is_older = standing == "newer"
            root = self._governed.tree_of(tip)
            return (self._anew(root) if standing == "stale" and not dry_run else root), frozenset()
        known = recorded if recorded and self._objects.contains(recorded) else None
        ours, theirs = self._governed.tree_of(known), self._governed.tree_of(tip)
        refresh.to_tree(self._index, self._objects, ours, self._progress)
        root = self._united(known, tip)
        below = foreign.below_commits_by_hand(self._governed, tip)
        is_stale = not self._is_older and rendition.standing(self._governed, known) == "stale"
        if below == known and not is_stale:
            return root, frozenset(change.path for change in tree.diff(self._objects, root, theirs))
        self._below = self._governed.tree_of(below)
        self._rendered_over = ours if below == known else theirs
        edited = tree.diff(self._objects, self._below, theirs)
        return root, frozenset(change.path for change in edited)

    def _anew(self, root: Oid | None) -> Oid | None:
        """Return the tree with every computed file as this program makes it: another's number has made them."""
        self._rendered_over = root
        self._lagged = changed_paths(self._governed)
        before = number_of(self._objects, root)
        anew = canon.canonical(self._index, self._objects, root, root, self._progress, whole=True).root
        self._told = (rendition.raised(before),) if anew != root else ()
        return anew

    def _united(self, known: Oid | None, tip: Oid) -> Oid | None:
        """Return the tree of the union of the last tip that exo wrote here, `known`, with one that it did not."""
        ours, theirs = self._governed.tree_of(known), self._governed.tree_of(tip)
        self._is_older = is_newer(self._objects, ours, theirs)
        if self._is_older:
            files_of = rendition.chosen(self._governed, (known, tip) if known else (tip,), heir=tip)
            return canon.beside(self._index, self._objects, ours, theirs, files_of, self._progress)
        whole = rendition.standing(self._governed, known) != "current"
        return canon.canonical(self._index, self._objects, ours, theirs, self._progress, whole=whole).root

    def _check_own_chain(self) -> None:
        row = self._index.db.execute("SELECT seq, broken FROM writers WHERE writer = ?", (self._clone,)).fetchone()
        if row is not None and row[1] is not None:
            message = f"this clone's own chain {self._clone} breaks after event {row[0]}: {row[1]}"
            raise LedgerDamaged(message)

    def _decide(self, rule: Rule, stamp: Stamp, base: Oid | None) -> tuple[Outcome, Files]:
        """Run the rule until the files it writes hold no hand edit that it has not seen."""
        for _ in range(_ROUNDS_MAX):
            self._index.db.execute("SAVEPOINT decision")
            lines, subjects, changed = len(self._lines), len(self._subjects), self._changed
            outcome = rule(IndexView(self._index, self._judges.restrain))
            self._append(outcome.events, stamp)
            files = self._computed(base)
            seen = {*self._taken.overwritten, *(edit.path for edit in self._taken.aside)}
            seen |= {finding.file for finding in self._taken.findings if finding.file}
            edits = [each for each in self._edits(base, [*files, *self._own_segment()]) if each.path not in seen]
            if not edits:
                self._index.db.execute("RELEASE decision")
                return outcome, files
            self._index.db.execute("ROLLBACK TO decision")
            self._index.db.execute("RELEASE decision")
            del self._lines[lines:]
            del self._subjects[subjects:]
            self._changed = changed
            self._take_in(edits, stamp)
        message = "the files of .exo/ keep changing while exo writes them"
        raise publish.Moved(message)

    def _computed(self, base: Oid | None) -> Files:
        """Return the computed files that change; none while they are a newer program's."""
        if self._is_older:
            return {}
        return rendering.differing(self._objects, base, rendering.files_of(self._index, self._changed))

    def _own_segment(self) -> list[str]:
        """Return the segment that this transaction appends to."""
        return [ledger.open_segment(self._index, self._clone)] if self._lines else []

    def _edits(self, base: Oid | None, paths: Iterable[str]) -> list[Edit]:
        edits = edited_files.differing(self._governed, base, paths)
        if self._rendered_over is None:
            return edits
        found = []
        for edit in edits:
            is_committed = edit.path in self._committed
            entry = tree.entry_at(self._objects, self._below if is_committed else self._rendered_over, edit.path)
            if entry is None or entry.mode != tree.FILE_MODE:
                found.append(edit)
            elif is_committed or entry.oid != edit.oid:
                found.append(edit._replace(before=self._objects.read(entry.oid).data))
        return found

    def _take_in(self, edits: list[Edit], stamp: Stamp) -> None:
        taken = (
            hand_edits.leave(edits, committed=self._committed)
            if self._is_older
            else hand_edits.absorb(
                IndexView(self._index, self._judges.restrain), edits, self._judges.absorb, committed=self._committed
            )
        )
        self._append(taken.drafts, stamp)
        self._taken = Absorbed(
            self._taken.drafts + taken.drafts,
            self._taken.overwritten | taken.overwritten,
            self._taken.aside + taken.aside,
            self._taken.findings + taken.findings,
        )

    def _append(self, events: tuple[Draft, ...], stamp: Stamp) -> None:
        """Fold events into the index as this clone's next ones."""
        if not events:
            return
        for draft in events:
            if isinstance(draft.data, DocumentEdited):
                self._documents.setdefault(draft.subject, self._text_of(draft.subject))
        link = self._judges.scribe.link
        lines = drafts.lines(self._index, self._clone, events, stamp, link, is_first=not self._lines)
        changed = refold(self._index, Ingest(self._index, {self._clone: lines}).run())
        self._lines += lines
        self._changed = self._changed.plus(changed)
        self._subjects += [draft.subject for draft in events]

    def _text_of(self, name: str) -> str:
        document = IndexView(self._index).document(name)
        return document.text if document else ""

    def _write(self, tip: Oid | None, base: Oid | None, files: Files, stamp: Stamp) -> Oid | None:
        if self._lines:
            files = {**files, **ledger.append(self._index, self._objects, base, self._clone, self._lines)}
        if redaction.announced(self._lines):
            files = self._redacted(base, files)
        for edit in self._taken.aside:
            edited_files.keep_aside(self._governed, edit)
        overwritten = self._taken.overwritten | {edit.path: edit.oid for edit in self._taken.aside}
        if not files and base == self._governed.tree_of(tip):
            if tip is not None and (overwritten or tip != publish.recorded_tip(self._governed)):
                publish.move(self._governed, tip, tip, overwritten)
            self._index.set_tip(tip)
            return None
        planned = publish.plan(self._governed, base, files, self._commit(tip, stamp))
        number = layout.RENDER_NUMBER if layout.FORMAT in files else number_of(self._objects, base)
        target = publish.publish(self._governed, tip, planned, overwritten)
        self._index.set_meta("tree", planned.commit.tree)
        self._index.set_meta(RENDER, str(number))
        self._index.set_tip(target)
        return target

    def _redacted(self, base: Oid | None, files: Files) -> Files:
        computed = not self._is_older
        return canon.redacted(self._index, self._objects, base, files, self._progress, computed=computed) or files

    def _commit(self, tip: Oid | None, stamp: Stamp) -> Commit:
        planned = self._judges.scribe.plan(stamp.operation, self._subjects, Actor(stamp.actor), stamp.at)
        return Commit(
            tree=EMPTY_TREE,
            parents=(tip,) if tip else (),
            author=planned.author,
            author_time=planned.seconds,
            committer=AUTHOR,
            commit_time=planned.seconds,
            message=planned.message,
        )
