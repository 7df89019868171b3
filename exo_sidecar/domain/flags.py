"""Flags: which whole parts of exo are on in a repository (docs/guides/settings.md). Pure."""

from collections.abc import Mapping
from typing import Final

from exo_sidecar.model.config import FLAG_NEEDS, FlagSettings

VARIABLE: Final = "EXO_FLAG_"
"""Begins the name of a variable that switches a flag off; none switches one on."""
_OFF: Final = frozenset({"0", "false", "no", "off"})


def effective(settings: FlagSettings, environ: Mapping[str, str]) -> dict[str, bool]:
    """Return each flag: on when its own value and that of every flag that it needs are, and nothing switches it off."""
    own = {
        name: bool(getattr(settings, name)) and environ.get(f"{VARIABLE}{name.upper()}", "").strip().lower() not in _OFF
        for name in FlagSettings.__struct_fields__
    }
    return {name: all(own[each] for each in _needed(name)) for name in own}


def _needed(name: str) -> tuple[str, ...]:
    """Return the flag and those without which it is off; the table has no ring."""
    found = [name]
    while found[-1] in FLAG_NEEDS:
        found.append(FLAG_NEEDS[found[-1]])
    return tuple(found)
