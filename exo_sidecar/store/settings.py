"""Settings in force: the latest text of config.yaml, read strictly (docs/architecture.md, "Errors and exit status").

A text that does not parse never silently becomes the defaults: the last one that did stays. Of a text that parses, a
part that is faulty has the value that it had in the last text where it was not. The fault is a finding either way.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base.override import override
from exo_sidecar.model import config_faults
from exo_sidecar.model.config import Config
from exo_sidecar.model.config_faults import Fault, Path
from exo_sidecar.store import yamllines, yamltext

_LOOKED_AT_MAX: Final = 50
"""Older texts that are looked at for the value of a part that is faulty now."""
_TOLD_MAX: Final = 3


class Located(NamedTuple):
    """A fault and the line that it stands in."""

    fault: Fault
    line: int

    @override
    def __str__(self) -> str:
        """Return what is said of it."""
        name = f"{self.fault.name}: " if self.fault.path else ""
        return f"line {self.line}: {name}{self.fault.message}"


class Read(NamedTuple):
    """A text of config.yaml as it was read; None where it is no YAML at all."""

    config: Config | None
    faults: tuple[Located, ...]

    @property
    def errors(self) -> tuple[Located, ...]:
        """What must not be so."""
        return tuple(each for each in self.faults if each.fault.severity == "error")


def read(text: str) -> Read:
    """Return what a text says, and everything that is wrong with it."""
    try:
        found = config_faults.checked(yamltext.load(text))
    except yamltext.YamlError as error:
        return Read(None, (Located(Fault((), str(error)), error.line),))
    if not found.faults:
        return Read(found.config, ())
    places = yamllines.places(text)
    located = (Located(fault, _line(places, fault.path)) for fault in found.faults)
    return Read(found.config, tuple(sorted(located, key=lambda each: each.line)))


def parse(text: str) -> Config | str:
    """Return the settings in a text, or what is wrong with it and in which lines."""
    found = read(text)
    return found.config if found.config is not None and not found.errors else told(found.errors)


def told(faults: Sequence[Located]) -> str:
    """Return the first faults in a sentence."""
    more = len(faults) - _TOLD_MAX
    return "; ".join(map(str, faults[:_TOLD_MAX])) + (f"; and {more} more" if more > 0 else "")


def in_force(texts: Sequence[str]) -> tuple[str, str | None]:
    """Return the settings that hold after these texts, as JSON, and what is wrong with the very last."""
    latest = read(texts[-1]) if texts else Read(Config(), ())
    older = (read(text) for text in reversed(texts[:-1][-_LOOKED_AT_MAX:]))
    config = _mended(latest, older) if latest.errors else latest.config
    return msgspec.json.encode(config or Config()).decode(), told(latest.errors) or None


def _mended(latest: Read, older: Iterator[Read]) -> Config | None:
    """Return the settings with each faulty part as the last text had it in which it was none."""
    config = latest.config
    settable = [path for path, _ in config_faults.leaves(Config())]
    missing = {each.fault.path for each in latest.errors}
    missing = {fault for fault in missing if any(_concerns(fault, path) for path in settable)}
    for before in older if missing else ():
        if before.config is None:
            continue
        if config is None:
            return before.config if not before.errors else _mended(before, older)
        values = {
            path: value
            for path, value in config_faults.leaves(before.config)
            if any(_concerns(fault, path) for fault in missing)
            and not any(_concerns(each.fault.path, path) for each in before.errors)
        }
        config = config_faults.replaced(config, values)
        missing = {fault for fault in missing if not any(_concerns(fault, path) for path in values)}
        if not missing:
            break
    return config


def _concerns(fault: Path, path: Path) -> bool:
    """Whether a fault lies in the setting at `path`, or the setting in what is faulty."""
    length = min(len(fault), len(path))
    return fault[:length] == path[:length]


def _line(places: dict[Path, int], path: Path) -> int:
    return next((places[path[:length]] for length in range(len(path), 0, -1) if path[:length] in places), 1)
