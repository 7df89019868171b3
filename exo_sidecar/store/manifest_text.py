"""Manifests read strictly: `features.yaml` and `requirements.yaml`, every fault at once with its line."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec

from exo_sidecar.model import glob
from exo_sidecar.model.errors import ScopeInvalid
from exo_sidecar.model.manifest import ITEMS_MAX, Feature, Features, ManifestInvalid, Requirement, Requirements
from exo_sidecar.store import yamllines, yamltext

_TOLD_MAX: Final = 5
_Item = TypeVar("_Item", Feature, Requirement)


class ManifestFault(NamedTuple):
    """One thing that is wrong."""

    line: int
    message: str


class _Read(NamedTuple):
    """What could be read, and what could not."""

    value: object
    places: dict[tuple[str, ...], int]
    faults: tuple[ManifestFault, ...]

    def line(self, *path: str) -> int:
        """Return the line of a value, of what is around it where it has none."""
        lengths = range(len(path), 0, -1)
        return next((self.places[path[:length]] for length in lengths if path[:length] in self.places), 1)


def features(text: str) -> Features | ManifestInvalid:
    """Return the features of a text, or everything that is wrong with it."""
    items, faults = _items(text, "features", Feature)
    for number, item in enumerate(items):
        for pattern in item.files:
            try:
                glob.parse(pattern)
            except ScopeInvalid as error:
                faults.append(ManifestFault(_load(text).line("features", str(number), "files"), error.message))
    return _invalid("features.yaml", faults) if faults else Features(features=tuple(items))


def requirements(text: str) -> Requirements | ManifestInvalid:
    """Return the requirements of a text, or everything that is wrong with it."""
    items, faults = _items(text, "requirements", Requirement)
    acceptance = Counter(each for item in items for each in item.acceptance)
    faults += [
        ManifestFault(_load(text).line("requirements"), f"the acceptance id {each!r} stands there twice")
        for each, count in acceptance.items()
        if count > 1
    ]
    return _invalid("requirements.yaml", faults) if faults else Requirements(requirements=tuple(items))


def _items(text: str, name: str, kind: type[_Item]) -> tuple[list[_Item], list[ManifestFault]]:
    read: _Read = _load(text)
    faults: list[ManifestFault] = list(read.faults)
    if faults or read.value is None:
        return [], faults
    if not isinstance(read.value, dict):
        return [], [ManifestFault(1, f"it holds no mapping with the key {name}")]
    faults += [
        ManifestFault(read.line(key), f"there is no key {key!r}; keys are {name} and version")
        for key in read.value
        if key not in {name, "version"} and not str(key).startswith("x-")
    ]
    if read.value.get("version", 1) != 1:
        faults.append(ManifestFault(read.line("version"), "version is 1"))
    listed = read.value.get(name)
    if listed is not None and not isinstance(listed, list):
        faults.append(ManifestFault(read.line(name), f"{name} takes a list"))
        listed = None
    if listed is not None and len(listed) > ITEMS_MAX:
        return [], [*faults, ManifestFault(read.line(name), f"more than {ITEMS_MAX} items")]
    found: list[_Item] = []
    for number, item in enumerate(listed or ()):
        one = _item(item, kind, read, (name, str(number)))
        if isinstance(one, ManifestFault):
            faults.append(one)
        else:
            found.append(one)
    return found, [*faults, *_twice(found, read, name)]


def _item(item: object, kind: type[_Item], read: _Read, path: tuple[str, ...]) -> _Item | ManifestFault:
    try:
        return msgspec.convert(item, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        key = place.strip("`.").partition("[")[0]
        named = f"{key}: {message}" if key else message
        unknown = message.partition("unknown field `")[2].rstrip("`")
        return ManifestFault(read.line(*path, unknown or key), named)


def _twice(found: list[_Item], read: _Read, name: str) -> Iterator[ManifestFault]:
    for each, count in Counter(item.id for item in found).items():
        if count > 1:
            yield ManifestFault(read.line(name), f"the id {each!r} stands there twice")


def _load(text: str) -> _Read:
    try:
        return _Read(yamltext.load(text), yamllines.places(text), ())
    except yamltext.YamlError as error:
        return _Read(None, {}, (ManifestFault(error.line, str(error)),))


def _invalid(name: str, faults: list[ManifestFault]) -> ManifestInvalid:
    told = [f"line {each.line}: {each.message}" for each in sorted(faults)]
    more = f"; and {len(told) - _TOLD_MAX} more" if len(told) > _TOLD_MAX else ""
    return ManifestInvalid(f"{name}: {'; '.join(told[:_TOLD_MAX])}{more}", document=name, faults=tuple(told[:100]))
