"""Settings in force: the latest text of config.yaml that parses (docs/architecture.md, "Errors and exit status").

A text that does not parse never silently becomes the defaults: the last one that did stays, and the fault is a finding.
"""

from collections.abc import Sequence

import msgspec

from exo_sidecar.model.config import Config
from exo_sidecar.store import yamltext


def in_force(texts: Sequence[str]) -> tuple[str, str | None]:
    """Return the settings of the last text that parses, as JSON, and what is wrong with the very last."""
    fault: str | None = None
    for place, text in enumerate(reversed(texts)):
        found = parse(text)
        if isinstance(found, Config):
            return msgspec.json.encode(found).decode(), fault
        if place == 0:
            fault = found
    return msgspec.json.encode(Config()).decode(), fault


def parse(text: str) -> Config | str:
    """Return the settings in a text, or what is wrong with it and in which line."""
    try:
        value = yamltext.load(text)
        return msgspec.convert({} if value is None else value, Config)
    except yamltext.YamlError as error:
        return f"line {error.line}: {error}"
    except msgspec.ValidationError as error:
        return str(error)
