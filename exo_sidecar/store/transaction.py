"""Transaction: one rule, one commit (docs/architecture.md, "A transaction").

The clone's lock is held by the caller. The index is changed in one SQLite transaction together with the branch: it is
committed after the branch moved and rolled back when it did not, so it is never ahead. Hand edits of the files that the
rule writes are found only after it ran; then they are taken in first and the rule decides again.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from exo_sidecar.git import tree
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.model import instant
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.errors import ExoError, LedgerDamaged
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ids import CloneId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.store import canon, drafts, foreign, hand_edits, ledger, publish, redaction, refresh, rendering
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.hand_edits import Absorb, Absorbed, Edit
from exo_sidecar.store.index import Index
from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.refold import Changed, refold
from exo_sidecar.store.refresh import Progress
from exo_sidecar.store.rendering import Files
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


class Judges(NamedTuple):
    """What operations pass in, because the store knows no rule."""

    absorb: Absorb
    restrain: Restrain


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
        """Tree of a tip that came by plain git: its files are computed anew, they are nobody's edits."""

    def run(self, rule: Rule, stamp: Stamp, paths: Iterable[str], *, dry_run: bool) -> Committed:
        """Decide, and write unless `dry_run`; `paths` are looked at for hand edits besides the documents."""
        tip = self._governed.tip()
        base, self._committed = self._base(tip)
        self._check_own_chain()
        self._take_in(self._edits(base, {*DOCUMENTS, *paths, *self._committed}), stamp)
        outcome, files = self._decide(rule, stamp, base)
        committed = Committed(None, self._taken.findings + outcome.findings, outcome.refusal)
        if dry_run:
            return committed
        documents = {name: (text, self._text_of(name)) for name, text in self._documents.items()}
        return committed._replace(commit=self._write(tip, base, files, stamp), documents=documents)

    def _base(self, tip: Oid | None) -> tuple[Oid | None, frozenset[str]]:
        """Return the canonical tree to write on, and paths that a commit by hand in this clone has edited."""
        recorded = publish.recorded_tip(self._governed)
        if tip is None or tip == recorded:
            refresh.to_tip(self._index, self._objects, tip, self._progress)
            return self._governed.tree_of(tip), frozenset()
        known = recorded if recorded and self._objects.contains(recorded) else None
        ours, theirs = self._governed.tree_of(known), self._governed.tree_of(tip)
        refresh.to_tree(self._index, self._objects, ours, self._progress)
        root = canon.canonical(self._index, self._objects, ours, theirs, self._progress).root
        below = foreign.below_commits_by_hand(self._governed, tip)
        if below == known:
            return root, frozenset(change.path for change in tree.diff(self._objects, root, theirs))
        self._rendered_over = theirs
        edited = tree.diff(self._objects, self._governed.tree_of(below), theirs)
        return root, frozenset(change.path for change in edited)

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
            files = rendering.differing(self._objects, base, rendering.files_of(self._index, self._changed))
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

    def _own_segment(self) -> list[str]:
        """Return the segment that this transaction appends to."""
        return [ledger.open_segment(self._index, self._clone)] if self._lines else []

    def _edits(self, base: Oid | None, paths: Iterable[str]) -> list[Edit]:
        edits = hand_edits.differing(self._governed, base, paths)
        if self._rendered_over is None:
            return edits
        over = {edit.path: tree.entry_at(self._objects, self._rendered_over, edit.path) for edit in edits}
        return [
            edit
            for edit in edits
            if edit.path in self._committed or (entry := over[edit.path]) is None or entry.oid != edit.oid
        ]

    def _take_in(self, edits: list[Edit], stamp: Stamp) -> None:
        taken = hand_edits.absorb(
            IndexView(self._index, self._judges.restrain), edits, self._judges.absorb, committed=self._committed
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
        lines = drafts.lines(self._index, self._clone, events, stamp, is_first=not self._lines)
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
            files = canon.redacted(self._index, self._objects, base, files, self._progress) or files
        for edit in self._taken.aside:
            hand_edits.keep_aside(self._governed, edit)
        overwritten = self._taken.overwritten | {edit.path: edit.oid for edit in self._taken.aside}
        if not files and base == self._governed.tree_of(tip):
            if tip is not None and (overwritten or tip != publish.recorded_tip(self._governed)):
                publish.move(self._governed, tip, tip, overwritten)
            self._index.set_tip(tip)
            return None
        planned = publish.plan(self._governed, base, files, self._commit(tip, stamp))
        target = publish.publish(self._governed, tip, planned, overwritten)
        self._index.set_meta("tree", planned.commit.tree)
        self._index.set_tip(target)
        return target

    def _commit(self, tip: Oid | None, stamp: Stamp) -> Commit:
        subjects = list(dict.fromkeys(self._subjects))
        named = [*subjects[:1], *(f"[{subject}]" for subject in subjects[1:2])]
        seconds = instant.epoch_seconds(stamp.at)
        return Commit(
            tree=EMPTY_TREE,
            parents=(tip,) if tip else (),
            author=f"{stamp.actor} <{stamp.actor.replace(':', '.')}@exo.invalid>",
            author_time=seconds,
            committer=publish.AUTHOR,
            commit_time=seconds,
            message=" ".join(["exo:", stamp.operation, *named]) + "\n",
        )
