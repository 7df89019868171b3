"""Loosening: which settings make the fence wider, and which way (docs/trust.md).

A table of keys of `config.yaml` with the direction in which each one loosens. From it follow what a pulled policy may
not change by itself, what a floor of settings holds back, and how two policies differ.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from exo_sidecar.model import duration
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.model.setting import Change

Value: TypeAlias = bool | int | float | str | tuple[str, ...] | None
Way: TypeAlias = Literal["higher", "on", "off", "more", "fewer"] | tuple[str, ...]
"""How a key loosens: a larger number or a longer time (none at all is the largest), on, off, members that join, members
that leave; or its choices from the strictest on."""

_UNBOUNDED: Final = float("inf")


class Key(NamedTuple):
    """A setting that can loosen the fence."""

    name: str
    """As written in config.yaml, its parts joined by dots."""
    way: Way


KEYS: Final = (
    Key("admission.humans", "off"),
    Key("admission.required", ("all", "roots", "off")),
    Key("approvals.allow_self", "on"),
    Key("approvals.grant_hours", "higher"),
    Key("approvals.proposal_hours", "higher"),
    Key("approvals.request_hours", "higher"),
    Key("approvals.trusted", "more"),
    Key("checks_allowlist", "more"),
    Key("ci.fixers", "more"),
    Key("coherence.enabled", "off"),
    Key("coherence.skip_patterns", "more"),
    Key("defaults.ticket_budgets.max_depth", "higher"),
    Key("defaults.ticket_budgets.max_duration_seconds", "higher"),
    Key("defaults.ticket_budgets.max_files_changed", "higher"),
    Key("defaults.ticket_budgets.max_loc_changed", "higher"),
    Key("defaults.ticket_budgets.max_steps", "higher"),
    Key("defaults.ticket_checks", "fewer"),
    Key("do_allowlist", "more"),
    Key("drift.block_above", "higher"),
    Key("drift.threshold", "higher"),
    Key("execution.default_timeout", "higher"),
    Key("execution.executors", "more"),
    Key("flags.execution_gate", "off"),
    Key("flags.operator_approval", "off"),
    Key("flags.quorum", "off"),
    Key("flags.signing", "off"),
    Key("git_controls.ignore_paths", "more"),
    Key("global_checks", "fewer"),
    Key("hooks.enforce", ("block", "warn", "off")),
    Key("hooks.require_session", "off"),
    Key("identity.keys", "more"),
    Key("identity.require_signature", "off"),
    Key("idle.max_hours", "higher"),
    Key("idle.self_wake", "on"),
    Key("leases.guard", ("require", "allow")),
    Key("leases.max_ttl", "higher"),
    Key("leases.offline", ("refuse", "provisional")),
    Key("leases.per_actor", "higher"),
    Key("lifecycle.no_check_types", "more"),
    Key("lifecycle.require_review", "off"),
    Key("loops.max_depth", "higher"),
    Key("loops.pingpong", "higher"),
    Key("loops.repeat", "higher"),
    Key("pr.exempt_authors", "more"),
    Key("pr.scope", ("fail", "warn", "off")),
    Key("privacy.redact_actors", "off"),
    Key("privacy.redact_local_paths", "off"),
    Key("roles.enforce", ("block", "warn", "off")),
    Key("sessions.require_disjoint", "off"),
    Key("storage.network", "on"),
    Key("telemetry.content", "on"),
    Key("telemetry.enabled", "on"),
    Key("tickets.max_tree_depth", "higher"),
    Key("tickets.require_parent", "off"),
)
COMMANDS: Final = (
    "checks_allowlist",
    "ci.fixers",
    "ci.install_command",
    "do_allowlist",
    "escalation.on_blocked",
    "execution.executors",
)
"""Settings that name what is run on the machines of those who have the policy."""
_BY_NAME: Final = {key.name: key for key in KEYS}


class Difference(NamedTuple):
    """How one policy's settings differ from another's."""

    loosened: tuple[Change, ...]
    tightened: tuple[Change, ...]


def effective(config: Config) -> dict[str, Value]:
    """Return the value of every key of the table."""
    return {key.name: _value(_attribute(config, key.name)) for key in KEYS}


def commands(config: Config) -> tuple[str, ...]:
    """Return what the settings name to be run, each with the key that names it."""
    found = []
    for name in COMMANDS:
        value = _value(_attribute(config, name))
        members = value if isinstance(value, tuple) else () if value in {None, ""} else (_text(value),)
        found += [f"{name}: {member}" for member in members]
    return tuple(found)


def difference(before: Mapping[str, Value], after: Mapping[str, Value]) -> Difference:
    """Return the keys of both that differ, each on the side to which it moved; members may go both ways."""
    loosened: list[Change] = []
    tightened: list[Change] = []
    for name in (name for name in after if name in before and name in _BY_NAME):
        old, new = before[name], after[name]
        if old == new:
            continue  # nearly all of them, and this is asked at every look at the settings
        change = Change(key=name, before=_text(old), after=_text(new))
        loosened += [change] if is_looser(name, old, new) else []
        tightened += [change] if is_looser(name, new, old) else []
    return Difference(tuple(loosened), tuple(tightened))


def held(config: Config, floor: Mapping[str, Value]) -> tuple[Change, ...]:
    """Return what the floor holds back of these settings: `before` stays in force, `after` is what they say."""
    found = effective(config)
    return difference({name: floor[name] for name in found if name in floor}, found).loosened


def restrained(config: Config, floor: Mapping[str, Value]) -> Config:
    """Return the settings with what loosens them beyond the floor left out."""
    wanted = {change.key for change in held(config, floor)}
    if not wanted:
        return config
    found = effective(config)
    values = msgspec.to_builtins(config)
    for name in wanted:
        *parts, last = name.split(".")
        part = values
        for step in parts:
            part = part[step]
        stays = stricter(name, floor[name], found[name])
        part[last] = _written(stays, part[last])
    return msgspec.convert(values, Config)


def tightest(floor: Mapping[str, Value], found: Mapping[str, Value]) -> dict[str, Value]:
    """Return a floor that is nowhere wider than either."""
    return {
        **floor,
        **{name: stricter(name, floor[name], value) if name in floor else value for name, value in found.items()},
    }


def changed(before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterable[str]:
    """Return the keys whose values are not the same, whichever way."""
    return tuple(name for name in after if before.get(name, msgspec.UNSET) != after[name])


def is_looser(name: str, before: Value, after: Value) -> bool:
    """Whether `after` allows what `before` did not."""
    way = _BY_NAME[name].way
    if way in {"more", "fewer"}:
        had, has = set(_members(before)), set(_members(after))
        return bool(has - had) if way == "more" else bool(had - has)
    return _rank(way, after) > _rank(way, before)


def stricter(name: str, one: Value, other: Value) -> Value:
    """Return a value that is no looser than either."""
    way = _BY_NAME[name].way
    if way == "more":
        return tuple(member for member in _members(other) if member in _members(one))
    if way == "fewer":
        return tuple(dict.fromkeys((*_members(other), *_members(one))))
    return one if is_looser(name, one, other) else other


def _rank(way: Way, value: Value) -> float:
    """Return how loose a single value is; what cannot be understood counts as the loosest."""
    if isinstance(way, tuple):
        return way.index(value) if isinstance(value, str) and value in way else len(way)
    if way in {"on", "off"}:
        return _UNBOUNDED if not isinstance(value, bool) else float(value is (way == "on"))
    if isinstance(value, str):
        try:
            return duration.parse(value)
        except ValueInvalid:
            return _UNBOUNDED
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else _UNBOUNDED


def _members(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _written(value: Value, before: object) -> object:
    """Return a value as the document would have it: members that were objects are objects again."""
    if not isinstance(value, tuple):
        return value
    known = {_member(member): member for member in before} if isinstance(before, list | tuple) else {}
    return [known.get(member, member) for member in value]


def _attribute(config: Config, name: str) -> object:
    found: object = config
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _value(found: object) -> Value:
    """Return a value of the document in a form that can be compared; members are texts, objects as JSON."""
    if isinstance(found, list | tuple):
        return tuple(map(_member, found))
    if found is None or isinstance(found, bool | int | float | str):
        return found
    return _json(found)


def _member(found: object) -> str:
    return found if isinstance(found, str) else _json(found)


def _json(found: object) -> str:
    return msgspec.json.encode(found, order="deterministic").decode()


def _text(value: Value) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value) or "none"
        case _:
            return str(value)
