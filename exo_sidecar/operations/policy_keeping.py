"""Policy-keeping: the lock and seal verified at every start and finish, and composed anew where a source has moved on.

What was tampered with is recorded, named and left as it is; only a person goes on from there (docs/trust.md, "Seal").
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from exo_sidecar.base.digest import DIGEST_SHOWN, sha256_hex
from exo_sidecar.domain import loosening_rules, policy_texts
from exo_sidecar.domain.loosening_rules import Governing
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_policy import SUBJECT, CompiledFile, PolicyTampered
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.policy import Seal, Verdict, Verification
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import policy_making, policy_verifying
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.policy_making import Made, SourceInvalid
from exo_sidecar.store import edited_files, hand_edits, rendition


class PolicyShown(msgspec.Struct, frozen=True, kw_only=True):
    """The policy that a session works under."""

    digest: str | None
    """Of the seal in force; None where there is none."""
    verdict: Verdict
    recomposed: bool = False
    """Whether it was compiled or sealed anew by this call."""
    reasons: tuple[str, ...] = ()
    """What is not as it should be."""


def at_start(ctx: Context) -> PolicyShown:
    """Return the policy that a session may begin under, composed anew where that is due.

    Raises:
        PolicyTampered, GovernanceDrift: and nothing begins.
    """
    found, recomposed = _kept(ctx)
    refusal = policy_verifying.refusal_of(ctx.reader.view(), found)
    if refusal is not None:
        raise refusal
    return _shown(ctx, found, recomposed=recomposed)


def at_finish(ctx: Context, *, hands_over: bool) -> PolicyShown:
    """Return the policy at the end of a session; what is wrong with it is a warning.

    Raises:
        PolicyTampered: the work is handed over to review or to done, and nobody can vouch for the rules.
    """
    found, recomposed = _kept(ctx)
    refusal = policy_verifying.refusal_of(ctx.reader.view(), found)
    if refusal is not None and found.verdict == "tampered" and hands_over:
        raise refusal
    if refusal is not None:
        ctx.warn_of(refusal)
    return _shown(ctx, found, recomposed=recomposed)


def in_force(ctx: Context) -> tuple[Verdict, Seal | None]:
    """Return the verdict, and the seal that gates judge by: held-back rules do not count, those before them do."""
    found = policy_verifying.verify(ctx)
    return found.verdict, None if found.verdict == "tampered" else ctx.floor.seal(ctx.reader.view())


def take_in(ctx: Context) -> None:
    """Take in what somebody has edited in the documents of the mount, so that it is judged with the rest."""
    if not ctx.dry_run and edited_files.standing(ctx.governed, DOCUMENTS):
        ctx.transact(lambda _: Outcome())


def refuse_unreadable(ctx: Context, names: Iterable[str] = DOCUMENTS) -> None:
    """Raise SourceInvalid where the mount has a document that cannot be taken in: what it says is not compiled."""
    for edit in edited_files.standing(ctx.governed, names):
        fault = hand_edits.fault_of(edit)
        if fault is not None:
            message = hand_edits.unreadable(edit, fault).message
            raise SourceInvalid(message, hint=hand_edits.mending(edit), document=edit.path)


def _kept(ctx: Context) -> tuple[Verification, bool]:
    """Verify, record what is tampered with, and compose anew what is due; say whether that was done."""
    take_in(ctx)
    found = policy_verifying.verify(ctx)
    if ctx.dry_run:
        return found, False
    if found.verdict == "tampered":
        record_tampering(ctx, found)
        return found, False
    if found.verdict != "stale":
        return found, False
    became = _recomposed(ctx)
    if became == "done":
        return policy_verifying.verify(ctx), True
    return msgspec.structs.replace(found, verdict=became), False


def _recomposed(ctx: Context) -> Literal["done", "held", "stale"]:
    """Compile and seal what stands now: held back where it loosens what holds here, stale where it cannot be."""
    done: list[Literal["done", "held", "stale"]] = []

    def rule(view: View) -> Outcome:
        record = view.policy()
        made = policy_making.made(record, policy_texts.texts_of(view))
        if isinstance(made, ExoError):
            done.append("stale")
            ctx.warn_of(made)
            return Outcome()
        if loosens(ctx, made):
            done.append("held")
            return Outcome()
        drafts = policy_making.drafts(record, made)
        done.append("done" if drafts else "stale")
        return Outcome(events=drafts)

    ctx.transact(rule)
    if done[-1] != "done":
        return done[-1]
    seal = policy_making.standing_seal(ctx.reader.view().policy())
    what = f"sealed anew as {seal.digest[:DIGEST_SHOWN]}" if seal is not None else "compiled anew"
    ctx.warn("POLICY_RECOMPOSED", f"a document of the policy has changed: it is {what}")
    return "done"


def loosens(ctx: Context, made: Made) -> bool:
    """Whether it would let somebody here do more than what holds here."""
    view = ctx.reader.view()
    floor = ctx.floor.governing
    now = Governing(made.lock.rules, made.seal.locked_paths)
    looser = loosening_rules.difference(floor, now).loosened if floor is not None else ()
    return bool(looser or ctx.floor.held_settings(view)) and not ctx.floor.is_named(view)


def record_tampering(ctx: Context, found: Verification) -> None:
    """Write down once for each content what was found in the place of a lock or seal."""
    if rendition.standing(ctx.governed, ctx.governed.tip()) == "newer":
        return  # an older program cannot tell what a newer one has written from what nobody has

    def rule(view: View) -> Outcome:
        record = view.policy()
        return Outcome(events=tuple(_told(record, found)) if record is not None else ())

    ctx.transact(rule)  # edits by hand are taken note of by the transaction itself


def _told(record: PolicyRecord, found: Verification) -> list[Draft]:
    """Return the events that tell of a lock or seal which an event holds and that is not genuine."""
    known = {(each.file, each.found) for each in record.tampered}
    drafts = []
    names: tuple[tuple[CompiledFile, object], ...] = (
        ("governance.lock.json", found.lock),
        ("policy.sealed.json", found.seal),
    )
    for file, genuine in names:
        written = record.file(file)
        if written is None or genuine is not None:
            continue
        digest = sha256_hex(written.data)
        if (file, digest) not in known:
            reason = "; ".join(each for each in found.reasons if file in each) or "it is not genuine"
            drafts.append(Draft(subject=SUBJECT, data=PolicyTampered(file=file, found=digest, reason=reason[:2000])))
    return drafts


def _shown(ctx: Context, found: Verification, *, recomposed: bool) -> PolicyShown:
    seal = ctx.floor.seal(ctx.reader.view())
    return PolicyShown(
        digest=seal.digest if seal is not None else None,
        verdict=found.verdict,
        recomposed=recomposed,
        reasons=found.reasons,
    )
