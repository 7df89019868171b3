"""Operations from Python: the page about it is run as it stands, and contexts hold what it promises."""

import contextlib
import io
import re
from pathlib import Path
from typing import Final

import pytest

from exo_sidecar.model.errors import NotARepository, ValueInvalid
from exo_sidecar.operations import redact, status, ticket
from exo_sidecar.operations.calling import call
from exo_sidecar.operations.context import Context, ContextClosed
from exo_sidecar.operations.registry import ConfirmationMissing, OperationUnknown, Params
from exo_sidecar.operations.status import StatusShown
from tests.support.environment import ROOT
from tests.support.repositories import a_repository, git
from tests.support.working import Shop, a_lone_shop

BLOCK: Final = re.compile(r"^```(?P<kind>python|text)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
ANN: Final = "human:ann"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """One governed repository with one ticket."""
    return a_lone_shop(tmp_path, tickets=1)


def test_the_examples_of_the_page_run_and_print_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "guides" / "library.md").read_text()
    monkeypatch.chdir(a_repository(tmp_path))
    out = io.StringIO()
    names: dict[str, object] = {}
    compared = 0
    for block in BLOCK.finditer(page):
        if block["kind"] == "python":
            with contextlib.redirect_stdout(out):
                exec(compile(block["text"], "library.md", "exec"), names)  # noqa: S102 - our own page
        else:
            compared += 1
            assert out.getvalue() == block["text"]
            out.seek(0)
            out.truncate()
    assert compared == 3
    assert out.getvalue() == ""


def test_a_context_serves_one_call_after_the_other(shop: Shop) -> None:
    with Context.open(str(shop.clones[0]), actor=ANN) as ctx:
        made = call(ctx, ticket.create, ticket.TicketCreate(title="new", parent="INTENT-1"))
        call(ctx, ticket.edit, ticket.TicketEdit(id=made.id, title="newer"))
        shown = call(ctx, ticket.show, ticket.TicketShow(id=made.id, history=True))
        assert shown.ticket.title == "newer"
    said = git(shop.clones[0], "log", "-2", "--format=%s", "exo-governance").splitlines()
    assert [line.split()[1] for line in said] == ["ticket-edit", "ticket-create"]


def test_a_call_is_told_of_the_session_that_the_call_before_has_started(shop: Shop) -> None:
    with Context.open(shop.clones[0], actor="agent:claude") as ctx:
        before = call(ctx, status.run, status.Status())
        shop.ok(0, "session-start", "--ticket-id", "TICKET-T1", "--actor", "agent:claude")
        after = call(ctx, status.run, status.Status())
    assert before.session is None
    assert after.session is not None
    assert after.session.ticket_id == "TICKET-T1"


def test_a_result_has_the_type_that_its_operation_declares(shop: Shop) -> None:
    with Context.open(shop.clones[0], environ={}) as ctx:
        shown: StatusShown = call(ctx, status.run, status.Status())
    assert shown.initialized


def test_parameters_are_checked_as_by_every_door(shop: Shop) -> None:
    with Context.open(shop.clones[0], actor=ANN) as ctx, pytest.raises(ValueInvalid) as caught:
        call(ctx, ticket.list_, ticket.TicketList(limit="many"))  # type: ignore[arg-type]  # what is refused
    assert (caught.value.code, caught.value.details["parameter"]) == ("VALUE_INVALID", "limit")
    assert "limit" in caught.value.message


def test_what_may_lose_something_wants_to_be_confirmed(shop: Shop) -> None:
    event = str(shop.ok(0, "ticket-show", "TICKET-T1", "--history")["history"][0]["event"])
    wanted = redact.Redact(event=event, reason="a secret")
    tip = shop.tip()
    with Context.open(shop.clones[0], actor=ANN) as ctx, pytest.raises(ConfirmationMissing):
        call(ctx, redact.run, wanted)
    assert shop.tip() == tip


def test_a_dry_run_answers_and_writes_nothing(shop: Shop) -> None:
    tip = shop.tip()
    with Context.open(shop.clones[0], actor=ANN, dry_run=True) as ctx:
        for reason in ("one reason", "another"):
            wanted = ticket.TicketMove(id="TICKET-T1", status="cancelled", reason=reason)
            assert call(ctx, ticket.move, wanted).end == "cancelled"
    assert shop.tip() == tip


def test_a_function_that_is_no_operation_is_refused(shop: Shop) -> None:
    def own(ctx: Context, params: Params) -> StatusShown:
        raise AssertionError((ctx, params))

    with Context.open(shop.clones[0]) as ctx, pytest.raises(OperationUnknown):
        call(ctx, own, status.Status())


def test_a_closed_context_says_so_whatever_it_is_asked_for(shop: Shop) -> None:
    with Context.open(shop.clones[0], actor=ANN) as ctx:
        call(ctx, status.run, status.Status())
    with pytest.raises(ContextClosed) as caught:
        ctx.view()
    assert "with block" in caught.value.hint
    with pytest.raises(ContextClosed):
        call(ctx, ticket.create, ticket.TicketCreate(title="late", parent="INTENT-1"))
    ctx.close()


def test_a_folder_that_is_no_repository_is_named_when_first_asked_for(tmp_path: Path) -> None:
    with Context.open(tmp_path / "nothing") as ctx, pytest.raises(NotARepository):
        ctx.view()
