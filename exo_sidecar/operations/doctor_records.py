"""What `doctor` looks at among the records: index, ledger, documents, files, hierarchy, conflicts, quarantine."""

import os
from collections.abc import Iterable
from typing import Final

from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.event_policy import FILES
from exo_sidecar.model.finding import Finding, Severity
from exo_sidecar.operations import policy_findings
from exo_sidecar.operations.doctor_exam import Exam, Looked, counted
from exo_sidecar.store import audit, clone, layout
from exo_sidecar.store import index as indexes

_HIERARCHY: Final = frozenset({"PARENT_RING"})
_CONFLICTS: Final = frozenset({"CONFLICT_VALUE", "DOCUMENT_CONFLICT"})
_DOCUMENTS: Final = frozenset({"DOCUMENT_UNREADABLE"})
_LEASES: Final = frozenset({"PROVISIONAL_CLAIM"})
_FORMAT: Final = frozenset({"RENDER_NEWER"})
_ELSEWHERE: Final = _HIERARCHY | _CONFLICTS | _DOCUMENTS | _LEASES | _FORMAT
_SHOWN_MAX: Final = 50
_NAMED_MAX: Final = 3
_INDEX: Final[dict[indexes.State, tuple[str, str]]] = {
    "absent": ("INDEX_ABSENT", "there is no local index yet; the next command builds it"),
    "foreign": ("INDEX_FOREIGN", "another version of exo made the local index; the next command builds it anew"),
    "damaged": ("INDEX_DAMAGED", "the local index is damaged; the next command builds it anew"),
    "busy": ("INDEX_BUSY", "the local index could not be opened: another command may be writing it"),
}


def index(exam: Exam) -> Looked:
    """Look at the local index before anything opens, and thereby mends, it."""
    governed = exam.governed
    state = indexes.state(governed.folder / "index.sqlite", governed.tip())
    if state in {"current", "behind"}:
        return Looked(note="at the tip" if state == "current" else "behind the tip: it is brought up to date when used")
    code, message = _INDEX[state]
    severity: Severity = "warning" if state in {"damaged", "busy"} else "info"
    hint = "exo sidecar-repair --index builds it now"
    return Looked([Finding(code=code, severity=severity, subject="index", message=message, hint=hint)])


def ledger(exam: Exam) -> Looked:
    """Look at the chains as the index knows them; `exo audit` computes them anew."""
    view, governed = exam.view, exam.governed
    chains, anchors = audit.quick(view.index, governed)
    own = clone.read(governed.folder)
    found = [_broken(chain, own) for chain in chains if chain.first_bad is not None]
    found += [
        Finding(
            code="ANCHOR_BROKEN",
            severity="error",
            subject=one.names,
            message=f"{one.event} has seen {one.names}, which is {one.why} now",
            hint="the chain was cut or rewritten; another clone may have it whole: exo sync",
        )
        for one in anchors[:_SHOWN_MAX]
    ]
    found += [each for each in exam.edited if each.file and layout.parse_segment(each.file) is not None]
    return Looked(found, f"{counted(len(view.writers()), 'chain')}, not computed anew: exo audit does")


def _broken(chain: audit.Chain, own: str | None) -> Finding:
    bad = chain.first_bad
    is_own = chain.writer == own
    file, line, reason = (bad.file, bad.line, bad.reason) if bad else (None, None, "")
    return Finding(
        code="LEDGER_DAMAGED" if is_own else "CHAIN_BROKEN",
        severity="error",
        subject=chain.writer,
        message=f"the chain of {'this clone' if is_own else chain.writer} breaks in {file} line {line}: {reason}",
        hint="exo sidecar-repair goes on under a new clone id"
        if is_own
        else "events from there on do not count; another clone may have the chain whole: exo sync",
        file=file,
        line=line,
    )


def documents(exam: Exam) -> Looked:
    """Look at the authored documents: there, readable, and what is edited and not taken in."""
    found = [each for each in exam.noticed if each.code in _DOCUMENTS]
    found += [each for each in exam.edited if each.file in DOCUMENTS]
    found += [
        Finding(
            code="DOCUMENT_MISSING",
            subject=name,
            message=f"nobody has written {name}; what it would say has its usual value",
            hint="exo init writes the documents that are missing",
            file=name,
        )
        for name in DOCUMENTS
        if exam.view.document(name) is None
    ]
    found += policy_findings.of_documents(exam.view)
    return Looked(found, f"{len(DOCUMENTS)} documents")


def files(exam: Exam) -> Looked:
    """Look at the other files of the mount: those that cannot be read, and what is edited and not taken in."""
    found = [
        each
        for each in exam.edited
        if each.file not in {*DOCUMENTS, *FILES} and (each.file is None or layout.parse_segment(each.file) is None)
    ]
    found += [each for each in exam.noticed if each.code not in _ELSEWHERE]
    found += _missing(exam)
    return _capped(found, counted(exam.view.ticket_count(), "ticket"))


def _missing(exam: Exam) -> list[Finding]:
    """Return one finding for all files that somebody has removed from the mount: they are on the branch as before."""
    gone = sorted(path for path in exam.changed if not os.path.lexists(exam.governed.mount / path))
    if not gone:
        return []
    named = f"{', '.join(gone[:_NAMED_MAX])}{' ...' if len(gone) > _NAMED_MAX else ''}"
    message = f"{counted(len(gone), 'file')} of the branch missing in the mount: {named}"
    hint = "exo sidecar-repair --render writes them anew"
    return [Finding(code="FILES_MISSING", subject=gone[0], message=message, hint=hint, file=gone[0])]


def hierarchy(exam: Exam) -> Looked:
    """Look at who is whose parent."""
    return Looked(_of(exam.noticed, _HIERARCHY))


def conflicts(exam: Exam) -> Looked:
    """Look at values and documents that two clones changed at once and nobody has settled."""
    return Looked(_of(exam.noticed, _CONFLICTS))


def quarantine(exam: Exam) -> Looked:
    """Look at events that do not count."""
    chains, _ = audit.quick(exam.view.index, exam.governed)
    broken = {chain.writer for chain in chains}
    found = [
        Finding(
            code="EVENT_QUARANTINED",
            subject=one.event,
            message=f"{one.event} does not count: {one.reason}",
            hint="it is judged again when more events come: exo sync; a newer version may know its type",
        )
        for one in exam.view.quarantined()
        if one.event.rpartition(":")[0] not in broken
    ]
    return _capped(found, "")


def _of(noticed: Iterable[Finding], codes: frozenset[str]) -> list[Finding]:
    return [each for each in noticed if each.code in codes]


def _capped(found: list[Finding], note: str) -> Looked:
    """Return the first findings, and how many more there are."""
    more = len(found) - _SHOWN_MAX
    if more <= 0:
        return Looked(found, note)
    return Looked(found[:_SHOWN_MAX], f"{note}{', ' if note else ''}{more} more are not shown: exo audit")
