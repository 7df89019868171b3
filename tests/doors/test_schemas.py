"""Schemas of results: short, without references, and true of what operations answer."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it comes with the protocol's own package
import msgspec
import pytest

from exo_sidecar.mcp.calls import Caller, run
from exo_sidecar.mcp.catalogue import offered
from exo_sidecar.mcp.schemas import RESULT_MAX, result_schema, schema_of
from exo_sidecar.mcp.server import Serving
from exo_sidecar.operations.registry import Operation, Result
from tests.support.working import a_lone_shop

TOOLS = sorted(offered(read_only=False).values())
WORDS = {"type", "enum", "const", "required", "properties", "items", "prefixItems", "anyOf", "additionalProperties"}


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a part."""

    title: str
    amount: int | None = None


class Branch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part, which may hold parts of its own kind."""

    leaf: Leaf | None
    inner: "Branch | None" = None
    by_name: dict[str, tuple[Leaf, ...]] = {}


class Bough(Result, frozen=True, kw_only=True):
    """What a test asks of."""

    branch: Branch
    either: str | list[int] | None
    sort: str | None = None


class Left(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One of two."""

    many: tuple[str, ...] = ()


class Right(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The other."""


class Wide(Result, frozen=True, kw_only=True):
    """Either of two."""

    either: Left | Right


def schemas_in(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all those inside of it."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("prefixItems", [])]
    inner += [schema[word] for word in ("items", "additionalProperties") if isinstance(schema.get(word), dict)]
    for each in inner:
        yield from schemas_in(each)


@pytest.mark.parametrize("found", TOOLS, ids=lambda each: each.name)
def test_a_result_is_described_shortly_and_by_all_of_its_names(found: Operation) -> None:
    short, whole = result_schema(found.result), schema_of(found.result)
    assert short["type"] == "object"
    assert set(short.get("properties", {})) == set(whole.get("properties", {}))
    assert short.get("required", []) == whole.get("required", [])
    assert {word for each in schemas_in(short) for word in each} <= {*WORDS, "description"}
    assert len(msgspec.json.encode(short)) <= RESULT_MAX + len(str(short.get("description", ""))) + 20
    jsonschema.Draft202012Validator.check_schema(short)


def test_parts_are_written_where_they_are_used_and_nothing_that_a_result_has_is_called_optional() -> None:
    found = result_schema(Bough)["properties"]
    leaf = {
        "type": ["object", "null"],
        "properties": {"title": {"type": "string"}, "amount": {"type": ["integer", "null"]}},
    }
    assert found["branch"]["properties"]["leaf"] == {**leaf, "required": ["title"]}
    assert found["either"] == {"type": ["string", "array", "null"], "items": {"type": "integer"}}


def test_alternatives_of_one_type_stay_alternatives() -> None:
    ways = msgspec.json.schema(Wide)["$defs"]["Wide"]["properties"]["either"]
    assert len(ways["anyOf"]) == 2
    found = result_schema(Wide)["properties"]["either"]["anyOf"]
    assert [each["type"] for each in found] == ["object", "object"]
    assert [each["properties"]["kind"] for each in found] == [{"enum": ["Left"]}, {"enum": ["Right"]}]


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    part, levels = result_schema(Bough)["properties"]["branch"], 1
    while "properties" in part:
        part, levels = part["properties"]["inner"], levels + 1
    assert part == {"type": ["object", "null"]}
    assert levels < 10


@pytest.mark.parametrize("inner", [None, Branch(leaf=None)])
@pytest.mark.parametrize("either", ["text", [1, 2], None])
def test_what_the_whole_schema_allows_the_short_one_allows(
    inner: Branch | None, either: str | list[int] | None
) -> None:
    part = Branch(leaf=Leaf(title="x"), inner=inner, by_name={"a": (Leaf(title="y", amount=2),)})
    said = msgspec.json.decode(msgspec.json.encode(Bough(branch=part, either=either)))
    jsonschema.validate(said, schema_of(Bough))
    jsonschema.validate(said, result_schema(Bough))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"branch": None, "either": None},
        {"branch": {"leaf": {"amount": 1}}, "either": None},
        {"branch": {"leaf": None}, "either": [""]},
    ],
)
def test_what_is_wrong_is_wrong_in_both(wrong: dict[str, object]) -> None:
    for schema in (schema_of(Bough), result_schema(Bough)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_a_day_of_answers_is_as_the_tools_say(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    serving = Serving(
        repo=shop.clones[0], environ=os.environ, toolset="core", read_only=False, transport="stdio", port=0
    )
    tools = offered(read_only=False)
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("status", {}),
        ("next", {}),
        ("session-start", {"task": "first things first"}),
        ("status", {}),
        ("ticket-list", {}),
        ("ticket-show", {"id": "TICKET-T1", "history": True, "tree": True}),
        ("scope-check", {"path": ["src/a.py"]}),
        ("check", {}),
        ("session-suspend", {"reason": "lunch"}),
        ("session-resume", {}),
        ("session-handoff", {"to": "agent:*", "summary": "half of it"}),
        ("session-start", {"ticket_id": "TICKET-T2"}),
        ("session-finish", {"summary": "done", "set_status": "todo"}),
        ("ticket-move", {"id": "TICKET-T2", "status": "blocked", "reason": "later", "tried": "all"}),
        ("reflect", {"pattern": "it loops", "insight": "use a list", "tag": ["parser"]}),
        ("reflections", {}),
        ("doctor", {}),
        ("audit", {}),
    )
    for name, values in calls:
        answer = run(tools[name], values, {"actor": "agent:claude"}, serving, Caller("test", lambda _: None))
        assert not answer.is_error
        jsonschema.validate(answer.structured_content, result_schema(tools[name].result))
