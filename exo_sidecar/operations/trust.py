"""Trust: the policy that this clone obeys where it loosens the fence, and whose commands it runs."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.domain import loosening, policy
from exo_sidecar.domain.holding import HumanRequired
from exo_sidecar.domain.policy import Policy
from exo_sidecar.model.errors import NotFound, Usage
from exo_sidecar.model.setting import Change
from exo_sidecar.operations import trusting
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.operations.trusting import Standing
from exo_sidecar.store import fold_document


class DigestUnknown(NotFound):
    """No policy of that digest stands at the tip, or was accepted here."""

    code = "DIGEST_UNKNOWN"
    advice = "exo trust --show names the policy that stands at the tip now"


class Trust(Params, frozen=True, kw_only=True):
    """Parameters of `trust`."""

    digest: Annotated[
        str | None, param("Digest of the policy; the one at the tip when left away", positional=True, metavar="DIGEST")
    ] = None
    show: Annotated[bool, param("Only show what accepting it would change")] = False
    revoke: Annotated[bool, param("Take the acceptance back")] = False


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """How the policy differs from what holds here, and from the one that was accepted last."""

    loosened: tuple[Change, ...] = ()
    """Settings that widen the fence; they do not hold here until the policy is accepted."""
    tightened: tuple[Change, ...] = ()
    """Settings that narrow it; they hold at once."""
    commands: tuple[str, ...] = ()
    """What it names to be run and the accepted one did not, each with the setting that names it."""
    changed: tuple[str, ...] = ()
    """Parts of its documents with another text: sections and top-level keys."""


class Trusted(Result, frozen=True, kw_only=True):
    """A policy, and whether this clone trusts it."""

    digest: str
    previous: str | None
    """The policy that was accepted last."""
    diff: Differences
    trusted: bool


@operation(Panel.LEASES_AND_SYNC, checkout=True, idempotent=True)
def run(ctx: Context, params: Trust) -> Trusted:
    """Accept the policy that stands at the tip.

    For people only. What a pulled policy loosens does not hold in this clone, and the commands that it names do not
    run, until a person here has accepted it; what it tightens holds at once. Kept in this clone and never synced, so
    that no remote can grant itself trust. With --show nothing changes and anybody may look. What a person edits in
    this clone is accepted at once; a job without a person names the digest that it trusts in EXO_TRUST_DIGEST.
    """
    if params.show and params.revoke:
        message = "--show changes nothing, and --revoke takes something back"
        raise Usage(message, hint="give one of them")
    if not params.show:
        _check_person(ctx)
    standing = trusting.standing(ctx)
    if params.revoke:
        return _revoked(ctx, standing, params.digest)
    _check_digest(standing.policy.digest, params.digest)
    found = Trusted(
        digest=standing.policy.digest,
        previous=standing.trust.last.digest if standing.trust.last else None,
        diff=_differences(ctx, standing),
        trusted=standing.is_trusted and not standing.held,
    )
    if params.show or ctx.dry_run:
        return found
    ctx.floor.accept(ctx.reader.view(), actor=ctx.caller.actor, at=ctx.now)
    return msgspec.structs.replace(found, trusted=True)


def _check_person(ctx: Context) -> None:
    if not ctx.is_person:
        message = "only a person says which policy this clone trusts"
        raise HumanRequired(message, hint="exo trust --show shows it; ask a person to run exo trust")


def _check_digest(tip: str, wanted: str | None) -> None:
    """Refuse another policy than the one at the tip: what was looked at is what is accepted; DigestUnknown."""
    if wanted is not None and not _names(wanted, tip):
        message = f"{wanted[:64]!r} is not the policy at the tip, which is {tip[:DIGEST_SHOWN]}"
        raise DigestUnknown(message, digest=tip)


def _names(wanted: str, digest: str) -> bool:
    return len(wanted) >= DIGEST_SHOWN and digest.startswith(wanted.strip().lower())


def _revoked(ctx: Context, standing: Standing, wanted: str | None) -> Trusted:
    text = wanted or standing.policy.digest
    digest = next((each.digest for each in standing.trust.accepted if _names(text, each.digest)), None)
    if digest is None:
        message = f"the policy {text[:DIGEST_SHOWN]} is not accepted here"
        raise DigestUnknown(message)
    if not ctx.dry_run:
        ctx.floor.revoke(digest)
        standing = trusting.standing(ctx)
    last = standing.trust.last
    return Trusted(
        digest=digest,
        previous=last.digest if last else None,
        diff=_differences(ctx, standing),
        trusted=standing.trust.find(digest) is not None,
    )


def _differences(ctx: Context, standing: Standing) -> Differences:
    """Return what the policy at the tip changes against what holds here; without a past, only what it would run."""
    last = standing.trust.last
    accepted = Policy(last.texts) if last else None
    now = trusting.settings_of(standing.policy)
    was = trusting.settings_of(accepted) if accepted else None
    held = {**loosening.effective(now if was is None else was), **(ctx.floor.settings or {})}
    found = loosening.difference(held, loosening.effective(now))
    ran = loosening.commands(was) if was is not None else ()
    rules = ctx.floor.rules(ctx.reader.view())
    return Differences(
        loosened=(*found.loosened, *rules.loosened),
        tightened=(*found.tightened, *rules.tightened),
        commands=tuple(each for each in standing.commands if each not in ran),
        changed=_changed(accepted.texts, standing.policy.texts) if accepted else (),
    )


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the units of the documents whose texts differ."""
    found: list[str] = []
    for name in policy.DOCUMENTS:
        old, new = (fold_document.split(name, texts.get(name, "")) for texts in (before, after))
        units = dict.fromkeys((*new, *old))
        found += [f"{name}: {unit or 'the beginning'}" for unit in units if old.get(unit) != new.get(unit)]
    return tuple(found)
