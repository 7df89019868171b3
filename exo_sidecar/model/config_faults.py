"""What is wrong with a read `config.yaml`, and the settings without it (docs/guides/settings.md). Pure.

Every fault is found at once, with the path of the key that it lies in. A part that is faulty is left at its default:
nothing else of the document suffers for it.
"""

import typing
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

import msgspec

from exo_sidecar.model import check, duration
from exo_sidecar.model.config import DURATION, FLAG_NEEDS, Command, Config
from exo_sidecar.model.finding import Severity

Path: TypeAlias = tuple[str, ...]
"""Keys from the top of the document; members of a list by their number from 0."""
EXTENSION: Final = "x-"
"""Keys that begin so belong to whoever wrote them: kept, and ignored."""
_LISTS_OF_COMMANDS: Final[tuple[Path, ...]] = (
    ("checks_allowlist",),
    ("do_allowlist",),
    ("ci", "fixers"),
    ("execution", "executors"),
)
_COMMANDS: Final[tuple[Path, ...]] = (("ci", "install_command"), ("escalation", "on_blocked"))
_EVERY_TYPE: Final = "*"


class Fault(NamedTuple):
    """One thing that is wrong."""

    path: Path
    message: str
    severity: Severity = "error"

    @property
    def name(self) -> str:
        """The key as people write it; the document's own name is left to who tells of it."""
        return ".".join(self.path)


class Checked(NamedTuple):
    """Settings, and what was wrong with the text that they come from."""

    config: Config
    faults: tuple[Fault, ...]


def checked(document: object) -> Checked:
    """Return the settings that a read document says, faulty parts at their defaults."""
    faults: list[Fault] = []
    if document is not None and not isinstance(document, Mapping):
        return Checked(Config(), (Fault((), "it holds no mapping of settings"),))
    values = _section(Config, document or {}, (), faults)
    config = _without_unusable(msgspec.convert(values, Config), faults)
    faults += _contradictions(config, values)
    return Checked(config, tuple(faults))


def leaves(config: Config) -> Iterator[tuple[Path, object]]:
    """Yield every setting with its path, in the order of the sections."""
    yield from _leaves(config, ())


def replaced(config: Config, values: Mapping[Path, object]) -> Config:
    """Return the settings with other values at some paths."""
    found = msgspec.to_builtins(config)
    for path, value in values.items():
        part = found
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value
    return msgspec.convert(msgspec.to_builtins(found), Config)


def _leaves(part: msgspec.Struct, path: Path) -> Iterator[tuple[Path, object]]:
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, msgspec.Struct) and not isinstance(value, check.Check):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _section(
    kind: type[msgspec.Struct], given: Mapping[object, object], path: Path, faults: list[Fault]
) -> dict[str, object]:
    """Return the values of a section that can be read, and add what is wrong with the rest."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found: dict[str, object] = {}
    for key, value in given.items():
        name, here = str(key), (*path, str(key))
        if name.startswith(EXTENSION):
            continue
        if name not in hints:
            faults.append(Fault(here, _unknown(name, tuple(hints))))
            continue
        inner = hints[name]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            if isinstance(value, Mapping):
                found[name] = _section(inner, value, here, faults)
            elif value is not None:
                faults.append(Fault(here, f"it takes a mapping of keys, not {_kind_of(value)}"))
            continue
        fault = _unfit(value, inner, here)
        if fault is None:
            found[name] = value
        else:
            faults.append(fault)
    return found


def _unfit(value: object, kind: object, path: Path) -> Fault | None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        steps = place.rstrip("`").replace("[", ".").replace("]", "").split(".")
        inner = tuple(step for step in steps if step and step != "...")
        if DURATION in message or DURATION.replace("\\", "\\\\") in message:
            message = f"{value!r} is no duration: write a number and a unit, like 90s, 15m, 4h or 2d"
        return Fault((*path, *inner), message)
    return None


def _unknown(name: str, known: tuple[str, ...]) -> str:
    import difflib  # noqa: PLC0415  (only on the way to a fault)

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"there is no such key{f'; did you mean {close[0]}?' if close else f'; keys here are {_listed(known)}'}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(sorted(names)[:40])


def _kind_of(value: object) -> str:
    return "a list" if isinstance(value, list | tuple) else f"{value!r:.40}"


def _without_unusable(config: Config, faults: list[Fault]) -> Config:
    """Return the settings without commands that are none; what is not listed is not run."""
    changed: dict[Path, object] = {}
    for path in _LISTS_OF_COMMANDS:
        members = _at(config, path)
        kept: list[Command] = []
        for number, member in enumerate(members if isinstance(members, tuple) else ()):
            fault = _not_argv(member, (*path, str(number)))
            faults += [fault] if fault else []
            kept += [] if fault else [member]
        if isinstance(members, tuple) and len(kept) < len(members):
            changed[path] = kept
    for path in _COMMANDS:
        member = _at(config, path)
        fault = _not_argv(member, path) if isinstance(member, str | check.Check) else None
        if fault is not None:
            faults.append(fault)
            changed[path] = None
    return replaced(config, changed) if changed else config


def _not_argv(member: Command, path: Path) -> Fault | None:
    try:
        check.parse(member)
    except check.CheckNotArgv as error:
        return Fault(path, f"{error.code}: {error.message}")
    return None


def _at(config: Config, path: Path) -> object:
    found: object = config
    for name in path:
        found = getattr(found, name)
    return found


def _contradictions(config: Config, given: Mapping[str, object]) -> Iterator[Fault]:
    """Yield what is wrong between settings, each of which can be read."""
    yield from _lanes(config)
    yield from _checks(config)
    flags = given.get("flags")
    for flag, needed in FLAG_NEEDS.items():
        said = isinstance(flags, Mapping) and flags.get(flag) is True
        if said and not getattr(config.flags, needed):
            yield Fault(("flags", flag), f"it needs flags.{needed}, which is off, and is off with it", "warning")
    if duration.parse(config.leases.ttl) > duration.parse(config.leases.max_ttl):
        yield Fault(("leases", "ttl"), f"it is longer than leases.max_ttl, {config.leases.max_ttl}", "warning")


def _lanes(config: Config) -> Iterator[Fault]:
    first: dict[str, str] = {}
    names: set[str] = set()
    for number, lane in enumerate(config.scheduler.lanes):
        path = ("scheduler", "lanes", str(number))
        if lane.name in names:
            yield Fault((*path, "name"), f"another lane has the name {lane.name}")
        names.add(lane.name)
        for each in lane.allowed_types:
            if each in first:
                yield Fault((*path, "allowed_types"), f"the lane {first[each]} has {each!r} already: lanes overlap")
            elif _EVERY_TYPE in first:
                yield Fault((*path, "allowed_types"), f"{each!r} never comes here: {first['*']} before it takes '*'")
            first.setdefault(each, lane.name)


def _checks(config: Config) -> Iterator[Fault]:
    ids = [check.parse(member).id for member in config.checks_allowlist]
    for each, count in Counter(ids).items():
        if count > 1:
            yield Fault(("checks_allowlist",), f"two checks have the id {each!r}")
    for path, wanted in (
        (("global_checks",), config.global_checks),
        (("defaults", "ticket_checks"), config.defaults.ticket_checks),
    ):
        for number, each in enumerate(wanted):
            if each not in ids:
                yield Fault((*path, str(number)), f"no check of checks_allowlist has the id {each!r}", "warning")
