"""Rules as people write them, read strictly: each rule by its type's Struct, each field by itself.

Reading field by field finds every fault in one pass; what refers to other rules is judged when all are read.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT

from exo_sidecar.base import canonical
from exo_sidecar.base.canonical import Json, NotCanonicalError
from exo_sidecar.kernel import _regex
from exo_sidecar.model import glob
from exo_sidecar.model.errors import ScopeInvalid
from exo_sidecar.model.policy import Constitution, RuleFault, RuleSource
from exo_sidecar.model.rule import (
    ID_MAX,
    NAMES,
    RULE_ID,
    TYPES,
    BudgetRule,
    CommandDeny,
    FilesystemAllow,
    FilesystemDeny,
    RequireChecks,
    Rule,
)
from exo_sidecar.model.ticket import BUDGET_FIELDS

RULES_MAX: Final = 1000
_NEAR: Final = 0.5
_ABROAD: Final = (FilesystemDeny, FilesystemAllow)
"""Rules whose patterns may lie outside of the checkout."""


class Compiled(NamedTuple):
    """Rules, or what is wrong with them."""

    rules: tuple[Rule, ...]
    faults: tuple[RuleFault, ...]


class _Read(NamedTuple):
    """One rule that was read, and where it stands."""

    rule: Rule
    source: RuleSource


def rules(constitution: Constitution) -> Compiled:
    """Return the rules in their order, or every fault in the order of lines."""
    if len(constitution.rules) > RULES_MAX:
        line = constitution.rules[RULES_MAX].line
        return Compiled((), (RuleFault(line=line, rule="", message=f"more than {RULES_MAX} rules"),))
    faults: list[RuleFault] = []
    found: list[_Read] = []
    for source in constitution.rules:
        rule = _rule(source, faults)
        if rule is not None:
            found.append(_Read(rule, source))
    faults += _together(constitution, found)
    if faults:
        return Compiled((), tuple(sorted(faults, key=lambda fault: fault.line)))
    return Compiled(tuple(each.rule for each in found), ())


def _rule(source: RuleSource, faults: list[RuleFault]) -> Rule | None:
    """Return one rule, None when something is wrong with it, which is then added to the faults."""
    value = source.value
    if not isinstance(value, dict):
        faults.append(RuleFault(line=source.line, rule="", message="a rule is a mapping with `id` and `type`"))
        return None
    said = _Sayer(source, value, faults)
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        message = "has no `type`" if kind is None else f"the type {str(kind)[:60]!r} is not known"
        said.fault("type", message, nearest(str(kind or ""), TYPES))
        said.identity()
        return None
    before = len(faults)
    fields = _fields(TYPES[kind], value, said)
    if len(faults) > before:
        return None
    return msgspec.convert({**fields, "type": kind}, TYPES[kind])


class _Sayer:
    """Names faults of one rule at their lines."""

    def __init__(self, source: RuleSource, value: Mapping[str, Json], faults: list[RuleFault]) -> None:
        self.source = source
        self.value = value
        self._faults = faults

    def fault(self, field: str, message: str, near: str = "") -> None:
        """Add a fault at a field's line."""
        given = self.value.get("id")
        rule = given[:64] if isinstance(given, str) else ""
        line = self.source.lines.get(field, self.source.line)
        self._faults.append(RuleFault(line=line, rule=rule, message=message, nearest=near))

    @property
    def count(self) -> int:
        """How many faults there are so far."""
        return len(self._faults)

    def identity(self) -> None:
        """Judge the id of a rule of which nothing else can be read."""
        given = self.value.get("id")
        if given is None:
            self.fault("id", "has no `id`")
        elif not isinstance(given, str) or len(given) > ID_MAX or not re.search(RULE_ID, given):
            self.fault("id", f"the id {str(given)[:60]!r} is not like SEC-001")


def _fields(kind: type[Rule], value: Mapping[str, Json], said: _Sayer) -> dict[str, Json]:
    """Return the fields of a rule that its Struct takes, ready to be converted; faults are told to `said`."""
    found: dict[str, Json] = {}
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    types = get_type_hints(kind, include_extras=True)
    for name in value:
        if name not in known and name != "type":
            said.fault(name, f"{NAMES[kind]} has no field {name[:60]!r}", nearest(name, known))
    for name, field in known.items():
        if name in value:
            before = said.count
            given = _split(name, _composed(name, value[name], said), said)
            if said.count == before and _is_fit(name, given, types[field.name], said):
                found[name] = given
                _judge_texts(kind, name, given, said)
        elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
            said.fault("type", f"has no `{name}`, which {NAMES[kind]} needs")
    _judge_presence(kind, value, said)
    return found


def _judge_presence(kind: type[Rule], value: Mapping[str, Json], said: _Sayer) -> None:
    """Judge whether a rule that may say one of several things says one at all."""
    if kind is CommandDeny and not {"argv_prefixes", "regexes"} & value.keys():
        said.fault("type", "needs `argv_prefixes` or `regexes`")
    if kind is BudgetRule and not {*BUDGET_FIELDS} & value.keys():
        said.fault("type", f"needs one of {', '.join(f'`{name}`' for name in BUDGET_FIELDS)}")


def _judge_texts(kind: type[Rule], name: str, given: Json, said: _Sayer) -> None:
    """Judge the globs and the regular expressions of a field."""
    for text in given if isinstance(given, list) else ():
        why = ""
        if name == "patterns":
            why = _glob_fault(str(text), abroad=kind in _ABROAD)
        elif name == "regexes":
            why = _regex.fault(str(text))
            why = why and f"{str(text)[:60]!r} {why}"
        if why:
            said.fault(name, f"`{name}`: {why}")


def _is_fit(name: str, given: Json, kind: object, said: _Sayer) -> bool:
    before = said.count
    if name == "id":
        said.identity()
        return said.count == before
    if given in ([], ""):
        said.fault(name, f"`{name}` is empty; leave it away, or say something")
        return False
    for word, choices in _wrong_words(given, kind):
        said.fault(name, f"`{name}`: {word[:60]!r} is none of {', '.join(choices)}", nearest(word, choices))
    if said.count > before:
        return False
    try:
        msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        said.fault(name, f"`{name}`: {_plain(str(error))}")
        return False
    if isinstance(given, list) and any(each in given[:place] for place, each in enumerate(given)):
        said.fault(name, f"`{name}` says one thing twice")
        return False
    return True


def _plain(error: str) -> str:
    """Return what a validation found without the path of a value that has one level."""
    return error.replace(" - at `$`", "").replace("`$[", "`[")


def _composed(name: str, given: Json, said: _Sayer) -> Json:
    """Return a value as a lock will hold it: its texts in one unicode form."""
    try:
        return canonical.loads(canonical.dumps(given))
    except NotCanonicalError as error:
        said.fault(name, f"`{name}` cannot be written down: {str(error)[:100]}")
        return given


def _split(name: str, given: Json, said: _Sayer) -> Json:
    """Return the first arguments of commands, each as a list; a text is split as a shell splits words."""
    if name != "argv_prefixes" or not isinstance(given, list):
        return given
    found: list[Json] = []
    for each in given:
        if not isinstance(each, str):
            found.append(each)
            continue
        try:
            words: list[Json] = [*shlex.split(each)]
        except ValueError as error:
            said.fault(name, f"`{name}`: {each[:60]!r} cannot be split into words: {str(error).lower()}")
            continue
        found.append(words)
    if [] in found:
        said.fault(name, f"`{name}` has a command without a word")
    return found


def _wrong_words(given: Json, kind: object) -> list[tuple[str, tuple[str, ...]]]:
    """Return the words that a closed list does not have, each with the list."""
    choices = _choices(kind)
    given = given if isinstance(given, list) else [given]
    return [(each, choices) for each in given if choices and isinstance(each, str) and each not in choices]


def _choices(kind: object) -> tuple[str, ...]:
    """Return the words that a field takes, none where it takes any."""
    if get_origin(kind) is Literal:
        return tuple(str(each) for each in get_args(kind))
    inner = (each for each in get_args(kind) if not isinstance(each, msgspec.Meta))
    return next((found for each in inner if (found := _choices(each))), ())


def _glob_fault(pattern: str, *, abroad: bool) -> str:
    """Return what is wrong with a pattern, empty when nothing is."""
    inner = pattern.removeprefix("~/") if pattern.startswith("~/") else pattern.removeprefix("/")
    if inner != pattern and not abroad:
        return f"{pattern[:60]!r} lies outside of the checkout, which this rule does not reach"
    try:
        glob.parse(inner)
    except ScopeInvalid as error:
        return error.message
    return ""


def _together(constitution: Constitution, found: Sequence[_Read]) -> Iterator[RuleFault]:
    """Yield what is wrong between rules: an id used twice, a reference to what is not there."""
    written = _identities(constitution)
    denies = {each.rule.id: None for each in found if isinstance(each.rule, FilesystemDeny)}
    places: dict[str, int] = {}
    for name, source in written:
        if name in places:
            line = source.lines.get("id", source.line)
            yield RuleFault(line=line, rule=name, message=f"the id stands at line {places[name]} already")
        places.setdefault(name, source.line)
    for rule, source in found:
        if isinstance(rule, FilesystemAllow):
            for name in rule.overrides:
                if name not in denies:
                    message = f"`overrides`: {name} is no filesystem_deny"
                    message = message if name in places else f"`overrides`: there is no rule {name}"
                    line = source.lines.get("overrides", source.line)
                    yield RuleFault(line=line, rule=rule.id, message=message, nearest=nearest(name, denies))
        if isinstance(rule, RequireChecks) and constitution.checks is not None:
            for name in rule.checks:
                if name not in constitution.checks:
                    message, near = f"`checks`: there is no check {name[:60]!r}", nearest(name, constitution.checks)
                    line = source.lines.get("checks", source.line)
                    yield RuleFault(line=line, rule=rule.id, message=message, nearest=near)


def _identities(constitution: Constitution) -> list[tuple[str, RuleSource]]:
    """Return the ids of all rules, also of those that could not be read."""
    given = ((source.value.get("id"), source) for source in constitution.rules if isinstance(source.value, dict))
    return [(name[:64], source) for name, source in given if isinstance(name, str)]


def nearest(word: str, choices: Sequence[str] | Mapping[str, object] | frozenset[str]) -> str:
    """Return the choice that a word was most likely meant to be, empty when none is near."""
    return next(iter(get_close_matches(word[:100], sorted(choices), n=1, cutoff=_NEAR)), "")
