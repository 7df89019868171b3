"""Loosening of rules: what one set of rules allows that another did not (docs/trust.md, "Rules").

Rules are compared by their ids. What is not plainly as strict as before counts as looser: a rule that somebody renamed
is one taken away and one more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.domain.loosening import Difference
from exo_sidecar.model import glob_overlap
from exo_sidecar.model.policy import Lock, LockedPaths
from exo_sidecar.model.role import ROLES
from exo_sidecar.model.rule import (
    NAMES,
    ActionRule,
    BudgetRule,
    CommandDeny,
    EvolutionGate,
    FilesystemAllow,
    FilesystemDeny,
    PatchFirst,
    RequireChecks,
    RequireLock,
    RoleRule,
    Rule,
)
from exo_sidecar.model.setting import Change

KEY: Final = "rules"
_NONE: Final = "none"
_SEVERITIES: Final = ("error", "warning", "info")
_VERDICTS: Final = ("deny", "require_approval", "defer", "allow")
"""From the strictest on."""
_BUILT_IN: Final = frozenset(role.name for role in ROLES)
_ABROAD: Final = ("~", "/")
"""What patterns begin with that lie outside of the checkout."""
_LIMITS: Final = ("max_files_changed", "max_loc_changed", "max_steps", "max_depth", "max_duration_seconds")


class Governing(NamedTuple):
    """What is compared: the rules, and the files that features lock."""

    rules: tuple[Rule, ...]
    locked: tuple[LockedPaths, ...] = ()


def of_lock(lock: Lock) -> Governing:
    """Return what a lock alone governs by."""
    return Governing(lock.rules)


def difference(before: Governing, after: Governing) -> Difference:
    """Return what is looser and what is stricter; what is neither plainly is both."""
    return Difference(tuple(_looser(before, after)), tuple(_swapped(_looser(after, before))))


def _swapped(changes: Iterable[Change]) -> Iterator[Change]:
    for each in changes:
        yield Change(key=each.key, before=each.after, after=each.before)


def _looser(before: Governing, after: Governing) -> Iterator[Change]:
    old = {rule.id: rule for rule in before.rules if not isinstance(rule, ActionRule)}
    new = {rule.id: rule for rule in after.rules if not isinstance(rule, ActionRule)}
    for name in dict.fromkeys((*old, *new)):
        one, other = old.get(name), new.get(name)
        if _is_looser(one, other):
            yield Change(key=f"{KEY}.{name}", before=_shown(one), after=_shown(other))
    yield from _looser_actions(_actions(before), _actions(after))
    locked = {each.feature: each.patterns for each in after.locked}
    for each in before.locked:
        if not _covered(each.patterns, locked.get(each.feature, ())):
            shown = ", ".join(locked.get(each.feature, ())) or _NONE
            yield Change(key=f"features.{each.feature}", before=", ".join(each.patterns), after=shown)


def _is_looser(one: Rule | None, other: Rule | None) -> bool:
    """Whether `other` in the place of `one` allows more."""
    if one is None:
        return other is not None and _widens(other)
    if other is None:
        return not _widens(one)
    if one == other:
        return False
    if type(one) is not type(other):
        return True
    if isinstance(one, FilesystemAllow) and isinstance(other, FilesystemAllow):
        return not _is_as_strict(other, one)
    return not _is_as_strict(one, other)


def _widens(rule: Rule) -> bool:
    """Whether a rule by itself lets somebody do more: an exception, or a role that there was not."""
    return isinstance(rule, FilesystemAllow) or (isinstance(rule, RoleRule) and rule.name not in _BUILT_IN)


def _is_as_strict(one: Rule, other: Rule) -> bool:
    """Whether `other` binds all that `one` binds: of an exception, whether `other` lifts all that `one` lifts."""
    binds = set(one.actors) <= set(other.actors)
    serious = _SEVERITIES.index(other.severity) <= _SEVERITIES.index(one.severity)
    judge = _JUDGES[type(one)]
    return binds and serious and judge(one, other)


def _denies(one: Rule, other: Rule) -> bool:
    kinds = (FilesystemDeny, RequireLock, FilesystemAllow)
    if not isinstance(one, kinds) or not isinstance(other, kinds):
        return False
    if isinstance(one, FilesystemAllow) and isinstance(other, FilesystemAllow):
        named = set(one.overrides) <= set(other.overrides)
    else:
        named = True
    return named and set(one.actions) <= set(other.actions) and _covered(one.patterns, other.patterns)


def _commands(one: Rule, other: Rule) -> bool:
    if not isinstance(one, CommandDeny) or not isinstance(other, CommandDeny):
        return False
    prefixes = all(any(each[: len(new)] == new for new in other.argv_prefixes) for each in one.argv_prefixes)
    return prefixes and set(one.regexes) <= set(other.regexes)


def _checks(one: Rule, other: Rule) -> bool:
    if not isinstance(one, RequireChecks) or not isinstance(other, RequireChecks):
        return False
    return set(one.steps) <= set(other.steps) and set(one.checks) <= set(other.checks)


def _budgets(one: Rule, other: Rule) -> bool:
    if not isinstance(one, BudgetRule) or not isinstance(other, BudgetRule):
        return False
    for name in _LIMITS:
        before, after = getattr(one, name), getattr(other, name)
        if before is not None and (after is None or after > before):
            return False
    return not other.types or (bool(one.types) and set(one.types) <= set(other.types))


def _roles(one: Rule, other: Rule) -> bool:
    if not isinstance(one, RoleRule) or not isinstance(other, RoleRule) or one.name != other.name:
        return False
    powers = set(other.may) <= set(one.may) if one.may else True
    if one.name not in _BUILT_IN:
        powers = set(other.may) - set(other.forbidden) <= set(one.may) - set(one.forbidden)
    elif one.may and not other.may:
        powers = False
    places = _covered(other.patterns, one.patterns) and bool(other.patterns) if one.patterns else True
    return powers and places and set(one.forbidden) <= set(other.forbidden) and _returns(one, other)


def _returns(one: RoleRule, other: RoleRule) -> bool:
    return set(one.must_return) <= set(other.must_return)


def _gates(one: Rule, other: Rule) -> bool:
    if not isinstance(one, EvolutionGate) or not isinstance(other, EvolutionGate):
        return False
    stays = one.kind == other.kind and other.approvals >= one.approvals and other.cooldown_hours >= one.cooldown_hours
    return stays and (other.human or not one.human)


def _patches(one: Rule, other: Rule) -> bool:
    if not isinstance(one, PatchFirst) or not isinstance(other, PatchFirst):
        return False
    return _covered(one.patterns, other.patterns)


_JUDGES: Final[Mapping[type[Rule], Callable[[Rule, Rule], bool]]] = {
    BudgetRule: _budgets,
    CommandDeny: _commands,
    EvolutionGate: _gates,
    FilesystemAllow: _denies,
    FilesystemDeny: _denies,
    PatchFirst: _patches,
    RequireChecks: _checks,
    RequireLock: _denies,
    RoleRule: _roles,
}


def _covered(patterns: tuple[str, ...], by: tuple[str, ...]) -> bool:
    """Whether each of `patterns` lies plainly within one of `by`."""
    inside = tuple(each for each in by if not each.startswith(_ABROAD))
    return all(each in by or (not each.startswith(_ABROAD) and glob_overlap.covers(inside, each)) for each in patterns)


def _actions(governing: Governing) -> tuple[ActionRule, ...]:
    return tuple(rule for rule in governing.rules if isinstance(rule, ActionRule))


def _looser_actions(before: tuple[ActionRule, ...], after: tuple[ActionRule, ...]) -> Iterator[Change]:
    """Yield the change of the action rules, which hold in their order: another order, or other reach, may be looser."""
    known = {rule.id for rule in before}
    kept = tuple(rule for rule in after if rule.id in known or rule.verdict != "deny")
    pairs = list(zip(before, kept, strict=False))
    if len(kept) == len(before) and all(_is_as_strict_action(one, other) for one, other in pairs):
        return
    if before == after:
        return
    shown = tuple(", ".join(f"{rule.id} {rule.verdict}" for rule in rules) or _NONE for rules in (before, after))
    yield Change(key=f"{KEY}.actions", before=shown[0], after=shown[1])


def _is_as_strict_action(one: ActionRule, other: ActionRule) -> bool:
    reach = ("id", "types", "targets", "classes", "actors")
    if any(getattr(one, name) != getattr(other, name) for name in reach):
        return False
    approvals = other.approvals >= one.approvals and (other.quorum or 0) >= (one.quorum or 0)
    strict = _VERDICTS.index(other.verdict) <= _VERDICTS.index(one.verdict)
    return strict and (approvals or other.verdict == "deny") and other.retry_after == one.retry_after


def _shown(rule: Rule | None) -> str:
    """Return a rule in one line, as somebody who compares two reads it."""
    if rule is None:
        return _NONE
    given = msgspec.to_builtins(rule)
    words = [f"{name} {_words(value)}" for name, value in given.items() if name not in {"id", "type", "message"}]
    return f"{NAMES[type(rule)]}: {'; '.join(words)}"


def _words(value: object) -> str:
    match value:
        case list():
            return ", ".join(map(_words, value)) or _NONE
        case bool():
            return "yes" if value else "no"
        case None:
            return _NONE
        case _:
            return str(value)
