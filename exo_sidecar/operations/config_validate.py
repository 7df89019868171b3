"""Config-validate: a text of `config.yaml` held against its schema, and every setting with where it comes from."""

from typing import Annotated, Final, Literal

import msgspec

from exo_sidecar.domain import policy
from exo_sidecar.model import config_faults
from exo_sidecar.model.config import Config
from exo_sidecar.model.document import TEXT_MAX_BYTES
from exo_sidecar.model.finding import Severity
from exo_sidecar.operations import document_text
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.store import settings, yamllines

_DEFAULT: Final = "default"
_HELD: Final = "held back here"


class ConfigValidate(Params, frozen=True, kw_only=True):
    """Parameters of `config-validate`."""

    file: Annotated[
        str | None,
        param("Another file of the checkout to check in its place", metavar="PATH", completes="path"),
    ] = None
    effective: Annotated[bool, param("Show every setting and where its value comes from")] = False


class ConfigIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with the text."""

    severity: Severity
    path: str
    """The key, its parts joined by dots; empty for the text as a whole."""
    line: int
    message: str


class SettingShown(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as it is in force."""

    path: str
    value: str
    """As JSON."""
    source: str
    """`default`, `config.yaml:<line>`, or `held back here` where the document loosens what holds in this clone."""


class ConfigValidated(Result, frozen=True, kw_only=True):
    """What is wrong with the settings."""

    verdict: Literal["pass", "warn", "fail"]
    file: str
    issues: tuple[ConfigIssue, ...] = ()
    effective: tuple[SettingShown, ...] = ()


@operation(Panel.MAINTENANCE, reads_only=True, idempotent=True)
def run(ctx: Context, params: ConfigValidate) -> ConfigValidated:
    """Check config.yaml: unknown keys, wrong types, values out of range, lanes that overlap, commands for a shell.

    Each fault has its line. Looked at is .exo/config.yaml as it lies there, edits that are not taken in yet included;
    or the file that is named. --effective shows every setting with where its value comes from. Exit 1 on errors.
    """
    name = params.file or policy.SETTINGS
    text = _text(ctx, params.file)
    read = settings.read(text)
    issues = tuple(_issue(each) for each in read.faults)
    verdict: Literal["pass", "warn", "fail"] = "fail" if read.errors else "warn" if issues else "pass"
    shown = _effective(ctx, read.config or Config(), text, name, is_own=params.file is None) if params.effective else ()
    return ConfigValidated(verdict=verdict, file=name, issues=issues, effective=shown)


def _text(ctx: Context, path: str | None) -> str:
    """Return the text of the file that is named, else of the settings as they lie in the mount."""
    if path is not None:
        return document_text.content(ctx, policy.SETTINGS, path).decode(errors="replace")
    lying = document_text.lying(ctx, policy.SETTINGS, limit_bytes=TEXT_MAX_BYTES)
    if lying is not None:
        return lying.decode(errors="replace")
    document = ctx.view().document(policy.SETTINGS)
    return document.text if document is not None else ""


def _issue(each: settings.Located) -> ConfigIssue:
    fault = each.fault
    return ConfigIssue(severity=fault.severity, path=fault.name, line=each.line, message=fault.message)


def _effective(ctx: Context, config: Config, text: str, name: str, *, is_own: bool) -> tuple[SettingShown, ...]:
    places = yamllines.places(text)
    held = {change.key for change in ctx.floor.held(ctx.reader.view())} if is_own else set()
    here = dict(config_faults.leaves(ctx.view().config())) if held else {}
    found = []
    for path, value in config_faults.leaves(config):
        key = ".".join(path)
        line = places.get(path)
        source = _HELD if key in held else f"{name}:{line}" if line is not None else _DEFAULT
        shown = msgspec.json.encode(here.get(path, value) if key in held else value).decode()
        found.append(SettingShown(path=key, value=shown, source=source))
    return tuple(found)
