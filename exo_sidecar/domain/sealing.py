"""Sealing: everything that governs, taken out of its documents and put together (docs/kernel.md, "Lock and seal")."""

from collections.abc import Mapping, Sequence

from exo_sidecar.model import check, role
from exo_sidecar.model.config import Config
from exo_sidecar.model.manifest import Features
from exo_sidecar.model.policy import PREVIOUS_MAX, CoUpdate, Lock, LockedPaths, Seal, closed
from exo_sidecar.model.rule import RoleRule
from exo_sidecar.model.ticket import Budgets


def seal(
    lock: Lock, sources: Mapping[str, str], config: Config, features: Features, before: Sequence[Seal] = ()
) -> Seal:
    """Return the seal that follows the seals `before`, the one that stands first; that very one when nothing changed.

    `sources` are the digests of the documents that there are. The same of all after the same seals: the same bytes.
    """
    found = Seal(
        sources=dict(sorted(sources.items())),
        lock=lock.digest,
        rules=lock.rules,
        locked_paths=tuple(_locked(features)),
        budgets=Budgets(**{name: getattr(config.defaults.ticket_budgets, name) for name in Budgets.__struct_fields__}),
        checks=tuple(check.parse(each) for each in config.checks_allowlist),
        co_update=tuple(CoUpdate(label=each.label, files=each.files) for each in config.coherence.co_update_rules),
        roles=role.table(tuple(rule for rule in lock.rules if isinstance(rule, RoleRule))),
        previous=tuple(dict.fromkeys(each.digest for each in before))[:PREVIOUS_MAX],
    )
    if len(before) == 1 and is_same(before[0], found):
        return before[0]
    return closed(found)


def is_same(one: Seal, other: Seal) -> bool:
    """Whether two seals say the same of what governs, whatever came before them."""
    return _content(one) == _content(other)


def _content(value: Seal) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__struct_fields__ if name not in {"digest", "previous"}}


def _locked(features: Features) -> list[LockedPaths]:
    return [
        LockedPaths(feature=each.id, patterns=each.files)
        for each in features.features
        if not each.allow_agent_edit and each.status != "deleted" and each.files
    ]
