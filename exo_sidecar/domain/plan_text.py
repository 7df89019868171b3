"""Plans as people and programs write them, read into what is to be made (docs/guides/tickets.md, "Plans"). Pure.

Markdown: `### EPIC title`, and lines `* title` below it; options stand in brackets behind the title. JSON: a list of
objects with the fields of tickets. Nothing is skipped silently: every line that means to be a ticket and is none is a
fault with its number.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from exo_sidecar.model.errors import Usage
from exo_sidecar.model.ticket import Profile, Scalar

Format = Literal["markdown", "json"]
_EPIC: Final = re.compile(r"^###\s+EPIC\b(?P<rest>.*)$", re.IGNORECASE)
_HEADING: Final = re.compile(r"^#{1,3}\s+(?P<title>.*)$")
_ITEM: Final = re.compile(r"^(?P<indent>\s*)\*(?P<rest>\s.*|)$")
_LABEL: Final = re.compile(r"^(?P<label>T[0-9]{1,4}):\s*(?P<title>.*)$")
_EPIC_LABEL: Final = re.compile(r"^-(?P<number>[0-9]{1,4})\b:?\s*(?P<title>.*)$")
_OPTION: Final = re.compile(r"\s*\((?P<text>[^()]*)\)\s*$")
_PRIORITY: Final = re.compile(r"^p(?P<number>[0-9]+)$", re.IGNORECASE)
_OPTIONS: Final = ("scope", "deny", "blocks", "after", "type", "label")
_FENCE: Final = re.compile(r"^\s*(```|~~~)")
_TITLE_DEFAULT: Final = "Plan"


class PlanFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a plan."""

    line: int
    message: str


class PlanInvalid(Usage):
    """A plan does not hold; every fault is named with its line, and nothing is written."""

    code = "PLAN_INVALID"
    advice = "mend the lines that are named, then give the plan again"

    def __init__(self, faults: tuple[PlanFault, ...]) -> None:
        self.faults = faults
        told = tuple(f"line {fault.line}: {fault.message}" for fault in faults)
        more = f"; and {len(told) - 3} more" if len(told) > 3 else ""  # noqa: PLR2004 - what one can take in at once
        super().__init__(f"{'; '.join(told[:3])}{more}", faults=told, line=faults[0].line)


class Item(NamedTuple):
    """One ticket of a plan."""

    line: int
    kind: Literal["epic", "task"]
    title: str
    label: str
    """What others of the plan may call it, besides its title; empty for nothing else."""
    fields: Mapping[str, Scalar]
    sets: Mapping[str, tuple[str, ...]]
    parent: str | None = None
    """Label or title of an epic of the plan, or an id; None: what the plan as a whole is put below."""
    after: tuple[str, ...] = ()
    """What must be done before it."""
    blocks: tuple[str, ...] = ()
    """What must wait for it."""
    notes: tuple[str, ...] = ()
    status: Literal["backlog", "todo"] = "todo"


class Read(NamedTuple):
    """A plan as it was read."""

    title: str
    items: tuple[Item, ...]
    faults: tuple[PlanFault, ...]


class _Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class _Budgets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    max_files_changed: int | None = None
    max_loc_changed: int | None = None
    max_steps: int | None = None
    max_depth: int | None = None
    max_duration_seconds: int | None = None


class _Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket of a JSON plan."""

    title: Annotated[str, Meta(min_length=1)]
    key: str = ""
    kind: Literal["epic", "task"] = "task"
    parent: str | None = None
    type: str | None = None
    priority: int | None = None
    status: Literal["backlog", "todo"] = "todo"
    scope: _Scope = _Scope()
    budgets: _Budgets = _Budgets()
    blockers: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    boundary: str | None = None
    success_condition: str | None = None
    resource_profile: Profile | None = None
    notes: tuple[str, ...] = ()


def format_of(text: str) -> Format:
    """Return what a text looks like: JSON begins with a bracket."""
    return "json" if text.lstrip().startswith(("[", "{")) else "markdown"


def read(text: str, form: Format) -> Read:
    """Return the tickets of a plan and everything that is wrong with its lines."""
    return _markdown(text) if form == "markdown" else _json(text)


def _markdown(text: str) -> Read:
    items: list[Item] = []
    faults: list[PlanFault] = []
    title, epic, is_code = "", None, False
    for number, line in enumerate(text.splitlines(), start=1):
        is_code ^= bool(_FENCE.match(line))
        if is_code:
            continue
        if found := _EPIC.match(line):
            item = _epic(number, found["rest"], faults)
            items.append(item)
            epic = item.label
        elif found := _HEADING.match(line):
            title = title or found["title"].strip()
            epic = None
        elif found := _ITEM.match(line):
            if found["indent"]:
                faults.append(PlanFault(line=number, message="a ticket's line begins at the margin, with `* `"))
            items.append(_task(number, found["rest"], epic, faults))
    return Read(title or _TITLE_DEFAULT, tuple(items), tuple(faults))


def _epic(number: int, rest: str, faults: list[PlanFault]) -> Item:
    label, title = f"line {number}", rest.strip().removeprefix(":").strip()
    if found := _EPIC_LABEL.match(rest):
        label, title = f"EPIC-{found['number']}", found["title"]
    return _optioned(Item(number, "epic", title, label, {}, {}), faults)


def _task(number: int, rest: str, epic: str | None, faults: list[PlanFault]) -> Item:
    label, title = "", rest.strip()
    if found := _LABEL.match(title):
        label, title = found["label"], found["title"]
    return _optioned(Item(number, "task", title, label, {}, {}, parent=epic), faults)


def _optioned(item: Item, faults: list[PlanFault]) -> Item:
    """Return the item with the options that stand behind its title."""
    title = item.title
    fields: dict[str, Scalar] = {}
    found: dict[str, tuple[str, ...]] = {}
    while match := _OPTION.search(title):
        text = match["text"].strip()
        name, colon, value = text.partition(":")
        name = name.strip().lower()
        if level := _PRIORITY.match(text):
            fields["priority"] = int(level["number"][:6])
        elif not colon or " " in name:
            break
        elif name not in _OPTIONS:
            faults.append(PlanFault(line=item.line, message=_unknown(name)))
        elif name == "type":
            fields["type"] = value.strip()
        else:
            found[name] = (*_members(value), *found.get(name, ()))
        title = title[: match.start()].rstrip()
    if not title:
        faults.append(PlanFault(line=item.line, message=f"the {item.kind} has no title"))
    sets = {field: found[name] for name, field in _SET_OF.items() if name in found}
    return item._replace(
        title=title, fields=fields, sets=sets, after=found.get("after", ()), blocks=found.get("blocks", ())
    )


_SET_OF: Final = {"scope": "scope_allow", "deny": "scope_deny", "label": "labels"}


def _members(value: str) -> tuple[str, ...]:
    """Return what stands between commas; those within braces belong to a glob."""
    found, depth, current = [], 0, ""
    for character in value:
        depth += (character == "{") - (character == "}")
        if character == "," and depth <= 0:
            found.append(current)
            current = ""
        else:
            current += character
    return tuple(each.strip() for each in (*found, current) if each.strip())


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, _OPTIONS, n=1)
    return f"there is no option {name[:40]!r}" + (f"; did you mean {near[0]}?" if near else f": {', '.join(_OPTIONS)}")


def _json(text: str) -> Read:
    items: list[Item] = []
    faults: list[PlanFault] = []
    for line, value in _values(text, faults):
        try:
            items.append(_item(line, msgspec.convert(value, _Object)))
        except msgspec.ValidationError as error:
            faults.append(PlanFault(line=line, message=str(error).replace("`", "")))
    return Read(_TITLE_DEFAULT, tuple(items), tuple(faults))


def _item(line: int, found: _Object) -> Item:
    plain = ("type", "priority", "boundary", "success_condition", "resource_profile")
    given = {name: getattr(found, name) for name in plain}
    given |= {name: getattr(found.budgets, name) for name in found.budgets.__struct_fields__}
    fields: dict[str, Scalar] = {name: value for name, value in given.items() if value is not None}
    if found.checks:
        fields["checks"] = found.checks
    sets = {
        "labels": found.labels,
        "links": found.links,
        "scope_allow": found.scope.allow,
        "scope_deny": found.scope.deny,
    }
    return Item(
        line,
        found.kind,
        found.title,
        found.key,
        fields,
        {name: members for name, members in sets.items() if members},
        parent=found.parent,
        after=found.blockers,
        blocks=found.blocks,
        notes=found.notes,
        status=found.status,
    )


def _values(text: str, faults: list[PlanFault]) -> Iterator[tuple[int, object]]:
    """Yield the members of the list, each with the line that it begins on."""
    decoder = json.JSONDecoder()
    at = _past(text, 0)
    if text[at : at + 1] != "[":
        faults.append(PlanFault(line=_line(text, at), message="a plan in JSON is a list of tickets"))
        return
    at = _past(text, at + 1)
    while text[at : at + 1] != "]":
        try:
            value, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            where = error.pos if isinstance(error, json.JSONDecodeError) else at
            what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            faults.append(PlanFault(line=_line(text, where), message=f"this is no JSON: {what}"))
            return
        yield _line(text, at), value
        at = _past(text, end)
        if text[at : at + 1] == ",":
            at = _past(text, at + 1)
        elif text[at : at + 1] != "]":
            faults.append(PlanFault(line=_line(text, at), message="this is no JSON: a comma or ] is missing"))
            return
    if text[at + 1 :].strip():
        faults.append(PlanFault(line=_line(text, _past(text, at + 1)), message="something follows the list"))


def _past(text: str, at: int) -> int:
    """Return the place of the next character that is no white space."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
