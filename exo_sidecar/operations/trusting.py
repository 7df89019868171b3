"""Trusting: how the policy at the tip stands with this clone, for every report that says so."""

from typing import NamedTuple

from exo_sidecar.domain import loosening, policy
from exo_sidecar.domain.policy import Policy
from exo_sidecar.host import trusted
from exo_sidecar.host.trusted import Trust
from exo_sidecar.model.config import Config
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.policy import CONSTITUTION
from exo_sidecar.model.setting import Change
from exo_sidecar.operations.context import Context
from exo_sidecar.store import settings


class Standing(NamedTuple):
    """The policy at the tip, and what this clone thinks of it."""

    policy: Policy
    trust: Trust
    is_trusted: bool
    """Whether what it names may run here."""
    held: tuple[Change, ...]
    """What loosens the fence and does not hold here."""
    commands: tuple[str, ...]


def standing(ctx: Context) -> Standing:
    """Return how the policy at the tip stands with this clone."""
    view = ctx.reader.view()
    found = policy.standing(view)
    trust = trusted.read_trust(ctx.place.common)
    is_trusted = trust.covers(found.digest, found.texts) or ctx.floor.is_named(view)
    return Standing(found, trust, is_trusted, ctx.floor.held(view), loosening.commands(settings_of(found)))


def settings_of(found: Policy) -> Config:
    """Return what a policy's settings say; what cannot be read of them has its usual value."""
    return settings.read(found.texts.get(policy.SETTINGS, "")).config or Config()


def held_back(ctx: Context) -> tuple[Finding, ...]:
    """Return a finding per setting that a pulled policy loosens and that does not hold here."""
    return tuple(
        Finding(
            code="POLICY_HELD",
            subject=_document_of(change),
            message=_held(change),
            hint="exo trust --show shows what it changes; exo trust, by a person, accepts it",
            file=_document_of(change),
        )
        for change in ctx.floor.held(ctx.reader.view())
    )


def _held(change: Change) -> str:
    where = _document_of(change)
    said = f"is {change.after} in {where}" if change.after != "none" else f"is gone from {where}"
    return f"{change.key} {said}, and {change.before} holds here: it came from elsewhere and loosens the fence"


def _document_of(change: Change) -> str:
    """Return the document that a change was made in."""
    return {"rules": CONSTITUTION, "features": "features.yaml"}.get(change.key.partition(".")[0], policy.SETTINGS)
