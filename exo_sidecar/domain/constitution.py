"""The first constitution: what people read, and below it the rules that are compiled (docs/guides/constitution.md)."""

import json
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.model.rule import (
    ActionRule,
    EvolutionGate,
    FilesystemDeny,
    RequireChecks,
    RequireLock,
    Rule,
)

FENCE: Final = "yaml exo-policy"
"""The info string of a block that holds a rule, or a list of rules."""

_PROSE: Final = """\
# Constitution

How people and agents work together in this repository. Edit it: it is yours, and what stands here holds.

## Purpose

Every change has a ticket that says why. One session works on a ticket at a time, inside of what the ticket allows, and
leaves a record of what was done.

## Work

- Start with `exo next` or `exo session-start`; finish with `exo session-finish`.
- Work belongs to an intent: a wish in somebody's own words. Tasks of type `governance` or `practice` stand alone.
- Only files that the ticket's scope names are changed. A ticket whose scope is too narrow is edited, not ignored.
- Small steps: a ticket that outgrows its budget is split.

## Done

- What the ticket asks for is there, and its checks have passed.
- Tests and documentation came along with the change.
- What was learned and what is left open is written down for the next session.

## People decide

- Whoever forces, overrides or loosens a rule is a person, and says why.
- Agents ask when a decision is not theirs: they block the ticket with a reason.
- Nobody commits secrets. One that got out is replaced, not hidden.

## Rules

Each block below is a rule that exo enforces. After an edit, `exo build-governance` compiles them and `exo compose`
seals them; a rule that is taken away or made weaker needs a person.
"""


class _Part(NamedTuple):
    """Rules under one heading."""

    heading: str
    why: str
    rules: tuple[Rule, ...]


def text(extra: tuple[Rule, ...] = ()) -> str:
    """Return the constitution that a repository starts with; `extra` are the rules that its files ask for."""
    return _PROSE + "".join(map(_shown, _parts(extra)))


def _parts(extra: tuple[Rule, ...]) -> tuple[_Part, ...]:
    found = {rule.id: rule for rule in extra}
    return tuple(part for part in (*_first(), *_of(found), *_last()) if part.rules)


def _first() -> tuple[_Part, ...]:
    return (
        _Part(
            "Secrets stay closed",
            "Nobody reads or writes keys and passwords in the usual places.",
            (
                FilesystemDeny(
                    id="SEC-001",
                    patterns=("~/.aws/**", "~/.ssh/**", "**/.env*"),
                    actions=("read", "write"),
                    message="Keys and passwords are no part of the work.",
                ),
            ),
        ),
        _Part(
            "Git's own files",
            "The repository's insides change through git alone.",
            (FilesystemDeny(id="GIT-001", patterns=(".git/**",), message="Use git to change what git keeps."),),
        ),
        _Part(
            "The governance branch",
            "Agents change tickets, sessions and documents through exo, which leaves a record.",
            (
                FilesystemDeny(
                    id="EXO-001",
                    patterns=(".exo/**",),
                    actions=("write", "delete"),
                    actors=("agent",),
                    message="Use exo to change what exo keeps.",
                ),
            ),
        ),
    )


def _of(found: dict[str, Rule]) -> tuple[_Part, ...]:
    """Return the parts that follow from the files of the repository."""
    headings = (
        ("SEC-002", "Secrets of this repository", "Files of this kind were found here, and hold keys or passwords."),
        ("DEL-001", "Deleting sources", "A deleted file is missed when it is too late: agents do not delete these."),
        ("ARC-001", "The archive", "What was put away is looked at, and stays as it is."),
    )
    return tuple(_Part(heading, why, (found[name],)) for name, heading, why in headings if name in found)


def _last() -> tuple[_Part, ...]:
    return (
        _Part(
            "One at a time",
            "Agents change files only while they hold the lease of a ticket.",
            (RequireLock(id="LOCK-001", actors=("agent",), message="Start with exo next or exo session-start."),),
        ),
        _Part(
            "Checks come before done",
            "Nothing is done whose checks have not passed.",
            (RequireChecks(id="CHECK-001", message="Run exo check, and mend what fails."),),
        ),
        _Part(
            "Changes of the rules",
            "How many say yes before practice, governance and tooling change, and how long it takes.",
            (
                EvolutionGate(id="EVO-001", kind="practice", human=False, cooldown_hours=0),
                EvolutionGate(id="EVO-002", kind="governance"),
                EvolutionGate(id="EVO-003", kind="tooling", cooldown_hours=0),
            ),
        ),
        _Part(
            "Actions",
            "What can be undone is allowed inside the fence; what cannot asks people first. The first that fits holds.",
            (
                ActionRule(id="ACT-001", verdict="allow", classes=("A0", "A1")),
                ActionRule(id="ACT-002", verdict="require_approval", classes=("A2",)),
                ActionRule(id="ACT-003", verdict="require_approval", classes=("A3",), approvals=2),
                ActionRule(id="ACT-004", verdict="deny"),
            ),
        ),
    )


def _shown(part: _Part) -> str:
    return f"\n### {part.heading}\n\n{part.why}\n" + "".join(
        f"\n```{FENCE}\n{_block(rule)}```\n" for rule in part.rules
    )


def _block(rule: Rule) -> str:
    """Return a rule as YAML; what has its usual value is left away, strings are written as JSON where they need it."""
    given = msgspec.to_builtins(rule)
    usual = {field.encode_name: field.default for field in msgspec.structs.fields(rule)}
    kept = {name: value for name, value in given.items() if name not in usual or value != _plain(usual[name])}
    order = dict.fromkeys(("id", "type", *kept))
    return "".join(f"{name}: {_value(kept[name])}\n" for name in order if name in kept)


def _plain(value: object) -> object:
    return msgspec.to_builtins(value) if isinstance(value, tuple) else value


def _value(value: object) -> str:
    match value:
        case str() if value.replace("_", "").replace("-", "").isalnum() and not value.isdigit():
            return value
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)
