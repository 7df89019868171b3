"""Trusting: how the policy at the tip stands with this clone, for every report that says so."""

from typing import NamedTuple

from exo_sidecar.domain import loosening, policy
from exo_sidecar.domain.policy import Policy
from exo_sidecar.host import trusted
from exo_sidecar.host.trusted import Trust
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.setting import Change
from exo_sidecar.operations.context import Context
from exo_sidecar.store import yamltext


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
    is_trusted = trust.find(found.digest) is not None or ctx.floor.is_named(view)
    return Standing(found, trust, is_trusted, ctx.floor.held(view), loosening.commands(settings_of(found)))


def settings_of(found: Policy) -> dict[str, object]:
    """Return what a policy's settings say, nothing where they cannot be read."""
    try:
        said = yamltext.load(found.texts.get(policy.SETTINGS, ""))
    except yamltext.YamlError:
        return {}
    return dict(said) if isinstance(said, dict) else {}


def held_back(ctx: Context) -> tuple[Finding, ...]:
    """Return a finding per setting that a pulled policy loosens and that does not hold here."""
    return tuple(
        Finding(
            code="POLICY_HELD",
            subject=policy.SETTINGS,
            message=f"{change.key} is {change.after} in {policy.SETTINGS}, and {change.before} holds here:"
            " it came from elsewhere and loosens the fence",
            hint="exo trust --show shows what it changes; exo trust, by a person, accepts it",
            file=policy.SETTINGS,
        )
        for change in ctx.floor.held(ctx.reader.view())
    )
