"""The server as hosts see it: a real process, a real client, both protocol eras, both transports."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Literal

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from exo_sidecar.mcp.catalogue import offered
from tests.support.process import exo
from tests.support.repositories import a_repository
from tests.support.working import a_shop

Mode = Literal["auto", "legacy"]
MODES: tuple[Mode, ...] = ("auto", "legacy")


def _with_client(cwd: Path, mode: Mode, work: Callable[[Client], Awaitable[None]], *argv: str) -> None:
    async def main() -> None:
        words = ["-m", "exo_sidecar", "mcp", *argv]
        server = StdioServerParameters(command=sys.executable, args=words, cwd=cwd, env=dict(os.environ))
        with anyio.fail_after(60):
            async with Client(server, mode=mode) as client:
                await work(client)

    anyio.run(main)


@pytest.mark.parametrize("mode", MODES)
def test_a_client_of_either_era_lists_and_calls(tmp_path: Path, mode: Mode) -> None:
    async def work(client: Client) -> None:
        names = {each.name for each in (await client.list_tools()).tools}
        assert {"exo_status", "exo_ticket_list", "exo_operations", "exo_call"} <= names
        assert "exo_ticket_create" not in names
        found = await client.call_tool("exo_status", {})
        assert not found.is_error
        assert found.structured_content is not None
        assert found.structured_content["initialized"] is False

    _with_client(a_repository(tmp_path), mode, work)


@pytest.mark.parametrize("mode", MODES)
def test_errors_are_answers_with_code_and_hint(tmp_path: Path, mode: Mode) -> None:
    async def work(client: Client) -> None:
        found = await client.call_tool("exo_ticket_list", {})
        assert found.is_error
        error = found.structured_content
        assert error is not None
        assert (error["code"], error["kind"]) == ("SIDECAR_MISSING", "Environment")
        assert "exo init" in error["hint"]
        for tool, arguments, code in (
            ("exo_ticket_show", {}, "VALUE_INVALID"),
            ("exo_ticket_list", {"limit": "many"}, "VALUE_INVALID"),
            ("exo_ticket_list", {"nonsense": 1}, "VALUE_INVALID"),
            ("exo_ticket_list", {"actor": 1}, "VALUE_INVALID"),
            ("exo_nonsense", {}, "USAGE"),
        ):
            refused = await client.call_tool(tool, arguments)
            assert refused.is_error
            assert refused.structured_content is not None
            assert refused.structured_content["code"] == code

    _with_client(a_repository(tmp_path), mode, work)


def test_every_operation_is_found_and_called_through_two_tools(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        found = (await client.call_tool("exo_operations", {"query": "ticket"})).structured_content
        assert found is not None
        assert "ticket-create" in {each["operation"] for each in found["operations"]}
        one = (await client.call_tool("exo_operations", {"query": "ticket-create"})).structured_content
        assert one is not None
        assert "title" in one["input_schema"]["properties"]
        called = await client.call_tool("exo_call", {"operation": "ticket-create", "params": {"title": "x"}})
        assert called.structured_content is not None
        assert called.structured_content["code"] == "SIDECAR_MISSING"

    _with_client(a_repository(tmp_path), "auto", work)


def test_prompts_and_resources_are_there_and_missing_ones_are_refused(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert {each.name for each in (await client.list_prompts()).prompts} == {"start", "finish"}
        message = (await client.get_prompt("start", {"ticket_id": "TICKET-1"})).messages[0].content
        assert "TICKET-1" in str(message)
        assert {str(each.uri) for each in (await client.list_resources()).resources} == {
            "exo://board",
            "exo://constitution",
        }
        for uri in ("exo://nonsense", "exo://tickets/TICKET-1", "exo://constitution"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)

    _with_client(a_repository(tmp_path), "auto", work)


def test_all_shows_every_operation_and_read_only_none_that_writes(tmp_path: Path) -> None:
    async def whole(client: Client) -> None:
        names = {each.name for each in (await client.list_tools()).tools}
        assert names >= {each.tool for each in offered(read_only=False).values()}

    async def reading(client: Client) -> None:
        names = {each.name for each in (await client.list_tools()).tools}
        assert "exo_ticket_list" in names
        assert "exo_session_start" not in names
        refused = await client.call_tool("exo_call", {"operation": "ticket-create", "params": {"title": "x"}})
        assert refused.is_error

    _with_client(a_repository(tmp_path), "auto", whole, "--toolset", "all")
    _with_client(tmp_path / "repo", "auto", reading, "--read-only")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server over HTTP on a free port of loopback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "exo_sidecar", "mcp", "--transport", "http", "--port", "0"],
        cwd=a_repository(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        yield process.stderr.readline().removeprefix("listening on ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_http_on_loopback_serves_both_eras_and_turns_other_origins_away(address: str) -> None:
    async def main() -> None:
        for mode in MODES:
            with anyio.fail_after(60):
                async with Client(address, mode=mode) as client:
                    found = await client.call_tool("exo_status", {})
                    assert not found.is_error

    anyio.run(main)
    headers = {"Origin": "http://example.invalid", "Content-Type": "application/json"}
    request = urllib.request.Request(address, data=b"{}", headers=headers)  # noqa: S310 - loopback
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - loopback
    caught.value.close()
    assert caught.value.code == 403


def test_a_port_that_is_taken_is_said_so(tmp_path: Path, address: str) -> None:
    port = address.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
    ran = exo(tmp_path, "mcp", "--transport", "http", "--port", port)
    assert ran.exit == 8
    assert "PORT_BUSY" in ran.err


def test_a_missing_extra_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "mcp").mkdir()
    (tmp_path / "mcp" / "__init__.py").write_text("raise ModuleNotFoundError(name='mcp')\n")
    ran = exo(tmp_path, "mcp", env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).resolve().parents[2]}"})
    assert ran.exit == 8
    assert "EXTRA_MISSING" in ran.err
    assert "exo-sidecar[mcp]" in ran.err


@pytest.mark.parametrize("argv", [("--nonsense",), ("--toolset", "x"), ("--transport", "x"), ("--port", "x")])
def test_a_malformed_call_of_the_server_exits_2(tmp_path: Path, argv: tuple[str, ...]) -> None:
    ran = exo(tmp_path, "mcp", *argv)
    assert ran.exit == 2
    assert ran.out == ""


@pytest.mark.parametrize("mode", MODES)
def test_a_session_from_start_to_finish_and_who_did_it(tmp_path: Path, mode: Mode) -> None:
    repository = a_repository(tmp_path)
    assert exo(repository, "init").exit == 0

    async def work(client: Client) -> None:
        preview = await client.call_tool(
            "exo_call", {"operation": "ticket-create", "params": {"title": "x", "type": "governance"}, "dry_run": True}
        )
        assert not preview.is_error, preview.content
        chosen = await client.call_tool("exo_next", {})
        assert not chosen.is_error, chosen.content
        started = await client.call_tool("exo_session_start", {})
        assert not started.is_error, started.content
        assert started.structured_content is not None
        assert started.structured_content["session"]["actor"].startswith("agent:")
        ticket = started.structured_content["ticket"]["id"]
        assert ticket in str((await client.read_resource(f"exo://tickets/{ticket}")).contents)
        assert ticket in str((await client.read_resource("exo://board")).contents)
        finished = await client.call_tool("exo_session_finish", {"summary": "done"})
        assert not finished.is_error, finished.content

    _with_client(repository, mode, work)
    assert len(exo(repository, "ticket-list", "--json").data["items"]) == 1


def test_a_call_of_a_session_whose_offline_claim_was_lost_answers_so_and_how_to_go_on(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)

    async def work(client: Client) -> None:
        started = await client.call_tool("exo_session_start", {"ticket_id": "T1", "offline": True})
        assert not started.is_error, started.content
        shop.ok(1, "session-start", "--ticket-id", "T1")
        synced = await client.call_tool("exo_call", {"operation": "sync"})
        assert not synced.is_error, synced.content
        assert "CLAIM_LOST" in str(synced.content) + str(synced.structured_content)
        edit = {"operation": "ticket-edit", "params": {"id": "T1", "add_label": ["x"]}}
        for tool, arguments in (("exo_call", edit), ("exo_call", {"operation": "lease-heartbeat"})):
            refused = await client.call_tool(tool, arguments)
            assert refused.is_error
            assert refused.structured_content is not None, refused.content
            assert refused.structured_content["code"] == "LEASE_LOST", refused.content
            assert "exo session-finish" in refused.structured_content["hint"]
        ended = await client.call_tool("exo_session_finish", {"summary": "for whoever goes on"})
        assert not ended.is_error, ended.content

    _with_client(shop.clones[0], "auto", work)
