"""Audit: the record proved, chain by chain, against itself, its rendered files and what this clone knew."""

from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.kernel.seal_result import seal_result
from exo_sidecar.model.errors import NotFound
from exo_sidecar.model.event_policy import FILES
from exo_sidecar.model.view import Quarantined, View
from exo_sidecar.operations import policy_findings, policy_verifying
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.store import audit, edited_files, hand_edits, layout, troubles
from exo_sidecar.store.audit import Chain, Place, Proof
from exo_sidecar.store.redaction import RedactedEvent
from exo_sidecar.store.render_number import is_newer
from exo_sidecar.store.scan import changed_paths
from exo_sidecar.store.view import IndexView

_SESSIONS_MAX: Final = 1_000_000
_LAGS: Final = "; an older exo wrote last here, and left it"


class CloneUnknown(NotFound):
    """No chain is that of the clone that was named: nothing was looked at."""

    code = "CLONE_UNKNOWN"
    advice = "exo audit without --clone names every clone"


class Audit(Params, frozen=True, kw_only=True):
    """Parameters of `audit`."""

    clone: Annotated[tuple[str, ...], param("Only the chains of this clone", metavar="CLONE")] = ()
    fix_hints: Annotated[bool, param("Say with each issue what mends it")] = False


class BadEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The first entry of a chain that does not verify."""

    file: str
    line: int | None
    reason: str


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """One writer's events."""

    clone: str
    events: int
    head: str
    ok: bool
    first_bad: BadEntry | None = None


class Anchors(msgspec.Struct, frozen=True, kw_only=True):
    """What writers said of each other's chains."""

    checked: int
    broken: tuple[str, ...] = ()


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not verify, or that somebody should know."""

    code: str
    severity: Literal["error", "warning"]
    subject: str
    message: str
    hint: str = ""
    file: str | None = None
    line: int | None = None


class Audited(Result, frozen=True, kw_only=True):
    """What the audit found; the verdict is `fail` as soon as one issue is an error."""

    verdict: Literal["pass", "warn", "fail"]
    chains: tuple[ChainReport, ...]
    anchors: Anchors
    quarantined: tuple[Quarantined, ...]
    rendered_mismatch: tuple[str, ...]
    issues: tuple[Issue, ...]
    redacted: tuple[RedactedEvent, ...] = ()
    """Events whose contents a person took out; no fault, but nobody can prove any more what they held."""


@operation(Panel.GOVERNANCE, reads_only=True, idempotent=True, fail_status=7)
def run(ctx: Context, params: Audit) -> Audited:
    """Prove the record: every chain, every anchor, the fold and the files rendered from it.

    Recomputes each writer's chain event by event, compares what writers said of each other, renders every file anew,
    and compares the branch and the mount with what this clone had before. Names the first bad entry of each chain with
    file and line. Exit 7 when something does not verify.
    """
    ctx.progress("verifying the ledger")
    governed = ctx.governed
    proof = audit.prove(governed, ctx.progress)
    try:
        changed = changed_paths(governed)
        issues = [*_of_proof(proof), *of_mount(ctx, changed)]
        quarantined = IndexView(proof.fold).quarantined()
        issues += _of_results(IndexView(proof.fold))
    finally:
        proof.fold.close()
    issues += _of_policy(ctx)
    issues += [_quarantine(one) for one in quarantined if not _is_chain(one, proof)]
    chains = tuple(_chain(chain) for chain in proof.chains if not params.clone or _wanted(chain, params.clone))
    _check_clones(params.clone, chains)
    severities = {issue.severity for issue in issues}
    return Audited(
        verdict="fail" if "error" in severities else "warn" if severities else "pass",
        chains=chains,
        anchors=Anchors(
            checked=proof.anchors_checked,
            broken=tuple(f"{one.event} names {one.names}: {one.why}" for one in proof.anchors),
        ),
        quarantined=quarantined,
        rendered_mismatch=proof.mismatched,
        issues=tuple(issue if params.fix_hints else msgspec.structs.replace(issue, hint="") for issue in issues),
        redacted=proof.redacted,
    )


def _of_proof(proof: Proof) -> list[Issue]:
    found = [_broken(chain.writer, chain.first_bad) for chain in proof.chains if chain.first_bad is not None]
    found += [
        Issue(
            code="ANCHOR_BROKEN",
            severity="error",
            subject=one.names,
            message=f"{one.event} has seen {one.names}, which is {one.why} now",
            hint="the chain was cut or rewritten: get it from another clone with exo sync",
        )
        for one in proof.anchors
    ]
    found += [
        _placed("LEDGER_REWRITTEN", place, "exo sync, or any writing operation, restores it")
        for place in proof.rewritten
    ]
    found += _unchecked(proof)
    found += [
        Issue(
            code="RENDERED_MISMATCH",
            severity="warning" if proof.lagging else "error",
            subject=path,
            message=f"{path} on the branch is not what the ledger says{_LAGS if proof.lagging else ''}",
            hint="exo sidecar-repair --render",
            file=path,
        )
        for path in proof.mismatched
    ]
    found += [
        Issue(
            code="STRAY_FILE",
            severity="warning",
            subject=path,
            message=f"{path} on the branch follows from no event; it counts for nothing",
            file=path,
        )
        for path in proof.strays
    ]
    return found


def _unchecked(proof: Proof) -> list[Issue]:
    """Say that files of another program's number were not compared with the ledger."""
    own = layout.RENDER_NUMBER
    if proof.render in {0, own}:
        return []
    is_ahead = proof.render > own
    by = f"a newer exo (render {proof.render} > {own})" if is_ahead else f"an older exo (render {proof.render} < {own})"
    events = troubles.of_newer_program(proof.fold.db)
    rest = f", nor judge {events} of its events, whose types it does not know" if events else ""
    message = f"the files of the branch were computed by {by}: this one cannot compare them with the ledger{rest}"
    hint = "update exo" if is_ahead else "the next command that writes computes them anew"
    return [Issue(code="RENDERED_UNCHECKED", severity="warning", subject=layout.FORMAT, message=message, hint=hint)]


def _of_policy(ctx: Context) -> list[Issue]:
    """Return what is wrong with lock and seal; what the next start mends by itself is no issue."""
    found = policy_findings.findings(ctx, policy_verifying.verify(ctx))
    return [
        Issue(
            code=each.code,
            severity="error" if each.code == "POLICY_TAMPERED" else "warning",
            subject=each.subject,
            message=each.message,
            hint=each.hint,
            file=each.file,
        )
        for each in found
        if each.severity != "info" and each.code != "POLICY_MISSING"
    ]


def _of_results(view: View) -> list[Issue]:
    """Return the sessions whose end is not what its digest was taken of."""
    return [
        Issue(
            code="RESULT_ALTERED",
            severity="error",
            subject=each.id,
            message=f"the end of {each.id} is not the one that its digest {each.seal[:DIGEST_SHOWN]} was taken of",
            hint="whoever wrote it did so without exo; its memento proves nothing",
        )
        for each in view.sessions(statuses=("finished",), limit=_SESSIONS_MAX)
        if each.seal is not None and each.finish is not None and each.seal != seal_result(each, each.finish)
    ]


def of_mount(ctx: Context, changed: set[str]) -> list[Issue]:
    """Return what is wrong with files of the mount: an edited ledger fails, an edit not taken in yet does not."""
    governed = ctx.governed
    root = governed.tree_of(governed.tip())
    ledger = audit.ledger_files_edited(governed, changed)
    found = [_placed("LEDGER_FILE_EDITED", place, "exo sidecar-repair puts the file back") for place in ledger]
    rest = changed - {place.file for place in ledger}
    takes_in = "update exo: a newer one" if is_newer(governed.repository.objects, root) else "exo sync"
    has_policy = ctx.reader.view().policy() is not None  # of an edited lock or seal more is said, by its verification
    # Without the lock: what a transaction is writing at this moment is nobody's edit.
    for edit in edited_files.standing(governed, rest - set(FILES) if has_policy else rest):
        fault = hand_edits.fault_of(edit)
        found.append(
            Issue(
                code="EDIT_PENDING" if fault is None else "FILE_UNREADABLE",
                severity="warning",
                subject=edit.path,
                message=f"{edit.path} was edited by hand and is not taken in yet"
                if fault is None
                else f"{edit.path}: {fault.message}",
                hint=f"{takes_in} takes it in" if fault is None else hand_edits.mending(edit),
                file=edit.path,
                line=fault.line if fault else None,
            )
        )
    return found


def _chain(chain: Chain) -> ChainReport:
    bad = chain.first_bad
    return ChainReport(
        clone=chain.writer,
        events=chain.events,
        head=chain.head,
        ok=bad is None,
        first_bad=BadEntry(file=bad.file, line=bad.line, reason=bad.reason) if bad else None,
    )


def _broken(writer: str, place: Place) -> Issue:
    return Issue(
        code="CHAIN_BROKEN",
        severity="error",
        subject=writer,
        message=f"the chain of {writer} breaks in {place.file} line {place.line}: {place.reason}",
        hint="events from there on do not count; another clone may have the chain whole: exo sync",
        file=place.file,
        line=place.line,
    )


def _placed(code: str, place: Place, hint: str) -> Issue:
    return Issue(
        code=code,
        severity="error",
        subject=place.file,
        message=f"{place.file}{f' line {place.line}' if place.line else ''}: {place.reason}",
        hint=hint,
        file=place.file,
        line=place.line,
    )


def _quarantine(one: Quarantined) -> Issue:
    return Issue(
        code="EVENT_QUARANTINED",
        severity="warning",
        subject=one.event,
        message=f"{one.event} does not count: {one.reason}",
    )


def _is_chain(one: Quarantined, proof: Proof) -> bool:
    """Whether the quarantine is that of a broken chain, which has an issue of its own."""
    return any(chain.first_bad is not None and one.event.rpartition(":")[0] == chain.writer for chain in proof.chains)


def _check_clones(named: tuple[str, ...], chains: tuple[ChainReport, ...]) -> None:
    """Refuse a name that fits no chain: what looked at nothing is no pass; CloneUnknown."""
    for name in named:
        if not any(chain.clone.startswith(name.lower()) for chain in chains) or not name:
            message = f"there is no chain of a clone {name!r}"
            raise CloneUnknown(message, clone=name)


def _wanted(chain: Chain, clones: tuple[str, ...]) -> bool:
    return any(chain.writer.startswith(clone.lower()) for clone in clones)
