"""One declaration, every door: the same operations, the same parameters, the same names."""

import typing

import pytest
from mcp_types import Tool

from exo_sidecar.cli import overview, plain, reference
from exo_sidecar.cli.render import generic
from exo_sidecar.cli.text import page_of
from exo_sidecar.mcp.calls import general_tools
from exo_sidecar.mcp.catalogue import SHARED, of_toolset, offered, tool
from exo_sidecar.operations.parameters import parameters
from exo_sidecar.operations.registry import Operation, Result, every, find

OPERATIONS = sorted(every())
NAMES = [each.name for each in OPERATIONS]


def test_the_room_declares_operations_and_no_name_twice() -> None:
    assert len(NAMES) > 10
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("found", OPERATIONS, ids=NAMES)
def test_an_operation_is_found_by_its_name_alone(found: Operation) -> None:
    assert find(found.name) is found


@pytest.mark.parametrize("found", OPERATIONS, ids=NAMES)
def test_every_parameter_is_described_and_every_flag_its_own(found: Operation) -> None:
    known = parameters(found)
    assert all(each.description for each in known)
    assert not [each.name for each in known if "standard input" in each.description]  # each door says what it reads
    flags = [each.flag for each in known if not each.positional]
    assert len(set(flags)) == len(flags)


@pytest.mark.parametrize("found", OPERATIONS, ids=NAMES)
def test_flags_that_exclude_each_other_do(found: Operation) -> None:
    assert not (found.reads_only and (found.writes or found.checkout or found.destructive))
    assert found.summary.endswith((".", "?"))


@pytest.mark.parametrize("found", [each for each in OPERATIONS if each.mcp], ids=lambda each: each.name)
def test_a_tool_takes_what_the_command_takes(found: Operation) -> None:
    shown: Tool = tool(found)
    own = set(shown.input_schema["properties"]) - set(SHARED)
    assert own == {each.name for each in parameters(found)} - set(SHARED)
    assert all(each.get("description") for each in shown.input_schema["properties"].values())
    assert shown.input_schema["additionalProperties"] is False
    assert set(shown.input_schema.get("required", [])) == {each.name for each in parameters(found) if each.required}
    hints = shown.annotations
    assert hints is not None
    assert hints.read_only_hint is found.reads_only
    assert hints.open_world_hint is False


def test_every_operation_is_in_the_help_and_in_the_reference() -> None:
    help_text = plain.write(overview.page(), color=False, width=200)
    pages = reference.pages()
    for name in NAMES:
        assert f"  {name} " in help_text
        assert f"### `{name}`\n" in pages["operations.md"]


def test_toolsets_grow_and_core_is_small() -> None:
    found = offered(read_only=False)
    sizes = [len(of_toolset(found.values(), each)) for each in ("core", "sessions", "governance", "all")]
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(found)
    core = [*map(tool, of_toolset(found.values(), "core")), *general_tools(read_only=False)]
    assert sum(len(each.model_dump_json(exclude_none=True)) for each in core) < 60_000


def test_read_only_offers_nothing_that_writes() -> None:
    assert all(each.reads_only for each in offered(read_only=True).values())


@pytest.mark.parametrize("found", OPERATIONS, ids=NAMES)
def test_a_page_is_made_from_the_result_of_its_operation(found: Operation) -> None:
    page = page_of(found)
    (taken,) = [kind for name, kind in typing.get_type_hints(page).items() if name != "return"]
    assert issubclass(found.result, taken)
    assert page is not generic.page or taken is Result


def test_every_error_has_a_code_of_its_own_and_a_hint() -> None:
    declared = reference.declared_errors()
    assert len(declared) > 20
    codes = [each.code for each in declared]
    assert len(set(codes)) == len(codes)
    assert all(code == code.upper() for code in codes)
