"""Compose: constitution, settings and manifests sealed together; and what was tampered with accepted by a person."""

from typing import Annotated, Final

import msgspec

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.domain import policy_texts
from exo_sidecar.domain.holding import HumanRequired
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_policy import SUBJECT, PolicyAccepted
from exo_sidecar.model.outcome import Outcome, refused
from exo_sidecar.model.policy import CONSTITUTION, GovernanceDrift, Seal, Verdict, Verification
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations import (
    by_person,
    policy_keeping,
    policy_making,
    policy_restoring,
    policy_verifying,
)
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.policy_making import Made
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.store.transaction import Rule

_FOUND_MAX: Final = 100


class Compose(Params, frozen=True, kw_only=True):
    """Parameters of `compose`."""

    accept_tampered: Annotated[bool, param("Compose anew although the present seal or lock was tampered with")] = False
    reason: Annotated[str | None, param("Why what was tampered with is passed over", stdin=True)] = None


class Composed(Result, frozen=True, kw_only=True):
    """The seal over the documents as they stand."""

    digest: str
    sources: dict[str, str]
    """Digest of each document, by its name."""
    verdict_before: Verdict
    changed: tuple[str, ...]
    """Documents that are not what the seal before was made of."""
    accepted: tuple[str, ...] = ()
    """Digests of what was found in the place of a lock or seal, and is passed over now."""


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the last run of the rule made."""

    seal: Seal
    accepted: tuple[str, ...]


@operation(Panel.GOVERNANCE, writes=True, idempotent=True)
def run(ctx: Context, params: Compose) -> Composed:
    """Seal constitution, settings, features and requirements into policy.sealed.json.

    The constitution must be compiled as it stands (exo build-governance); where no lock is there yet, it is compiled,
    too. While a document in .exo cannot be read, nothing is sealed. A lock or seal that was tampered with is refused:
    with --accept-tampered and a reason a person passes it over, the policy is composed anew from its documents, and
    what was found is kept in .exo/cache/rejected.
    """
    reason = _reason(ctx, params)
    policy_keeping.take_in(ctx)
    before = policy_verifying.verify(ctx)
    if before.verdict == "tampered" and reason is None and before.refusal is not None:
        if not ctx.dry_run:
            policy_keeping.record_tampering(ctx, before)
        raise before.refusal
    policy_keeping.refuse_unreadable(ctx)
    if reason is not None and not ctx.dry_run:
        policy_keeping.record_tampering(ctx, before)
        policy_restoring.restore(ctx)
    done: list[_Done] = []
    ctx.transact(_rule(ctx, before, reason, done))
    seal = done[-1].seal
    return Composed(
        digest=seal.digest,
        sources=dict(seal.sources),
        verdict_before=before.verdict,
        changed=before.changed,
        accepted=done[-1].accepted,
    )


def _reason(ctx: Context, params: Compose) -> str | None:
    if not params.accept_tampered:
        return None
    command = "exo compose --accept-tampered --reason"
    by_person.require(ctx, "passes over what was tampered with", command)
    return by_person.reason(params.reason, "passing over what was tampered with")


def _rule(ctx: Context, before: Verification, reason: str | None, done: list[_Done]) -> Rule:
    def rule(view: View) -> Outcome:
        record = view.policy()
        made = policy_making.refuse_unsettled(view) or _made(view, record, before)
        if isinstance(made, ExoError):
            return refused(made)
        denied = _denied(ctx, made, reason)
        if denied is not None:
            return refused(denied)
        found = _found(record, before) if reason is not None else ()
        done.append(_Done(seal=made.seal, accepted=found))
        drafts = policy_making.drafts(record, made)
        return Outcome(events=(*drafts, *_accepted(record, made, found, reason)))

    return rule


def _made(view: View, record: PolicyRecord | None, before: Verification) -> Made | ExoError:
    """Return lock and seal; a lock that is there and is not the constitution's is for `build-governance`."""
    texts = policy_texts.texts_of(view)
    standing = policy_making.standing_lock(record)
    compiled = policy_texts.digests(texts).get(CONSTITUTION)
    is_new = standing is None or before.verdict == "tampered"
    if not is_new and standing is not None and standing.source != compiled and (record is None or record.uncovered):
        message = f"{CONSTITUTION} was changed since it was compiled"
        return GovernanceDrift(message, hint="exo build-governance compiles it")
    return policy_making.made(record, texts)


def _denied(ctx: Context, made: Made, reason: str | None) -> HumanRequired | None:
    """Return why an agent may not seal this: what loosens the fence is for a person."""
    if reason is not None or ctx.is_person or not policy_keeping.loosens(ctx, made):
        return None
    message = "sealing this would let somebody do more than before: that is for a person"
    return HumanRequired(message, hint="ask a person to run exo compose; exo trust --show shows what it loosens")


def _found(record: PolicyRecord | None, before: Verification) -> tuple[str, ...]:
    """Return the digests of everything that was found and is not dealt with."""
    if record is None:
        return ()
    told = {each.found for each in record.tampered}
    for written, genuine in ((record.lock, before.lock), (record.seal, before.seal)):
        if written is not None and genuine is None and before.verdict == "tampered":
            told.add(sha256_hex(written.data))
    return tuple(sorted(told))[:_FOUND_MAX]


def _accepted(record: PolicyRecord | None, made: Made, found: tuple[str, ...], reason: str | None) -> tuple[Draft, ...]:
    if not found or reason is None:
        return ()
    before = record.seal.digest if record is not None and record.seal is not None else None
    data = PolicyAccepted(found=found, before=before, after=made.seal.digest, reason=reason)
    return (Draft(subject=SUBJECT, data=data),)
