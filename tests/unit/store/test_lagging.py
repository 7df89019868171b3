"""An edit of a file that was behind the ledger changes what it touched, and nothing else."""

from msgspec.structs import replace

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.document import Document
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.ticket import Budgets, Scope, Ticket
from exo_sidecar.store import lagging

BEFORE = Ticket(
    id=TicketId("TICKET-1"),
    title="Old",
    priority=3,
    labels=("a", "b"),
    scope=Scope(allow=("**",)),
    budgets=Budgets(max_steps=5),
)


def test_what_the_edit_did_not_touch_stays_as_the_ledger_has_it() -> None:
    now = replace(BEFORE, priority=1, labels=("b", "c"), budgets=Budgets(max_steps=5, max_depth=2))
    edited = replace(BEFORE, title="By hand", labels=("a", "b", "mine"), budgets=Budgets(max_steps=9))
    found = lagging.ticket(edited, BEFORE, now)
    assert (found.title, found.priority, found.labels) == ("By hand", 1, ("b", "c", "mine"))
    assert found.budgets == Budgets(max_steps=9, max_depth=2)
    assert found.scope == now.scope


def test_a_member_that_the_edit_took_out_goes_and_one_that_came_meanwhile_stays() -> None:
    now = replace(BEFORE, labels=("a", "b", "c"))
    assert lagging.ticket(replace(BEFORE, labels=("b",)), BEFORE, now).labels == ("b", "c")


def test_a_file_that_was_not_edited_changes_nothing() -> None:
    now = replace(BEFORE, title="New", labels=())
    assert lagging.ticket(BEFORE, BEFORE, now) == now


def test_of_a_document_only_the_units_that_were_edited_change() -> None:
    before = "a: 1\nb: 2\nc: 3\n"
    now = Document(name="config.yaml", text="a: 1\nb: 20\nc: 3\nd: 4\n", digest=NO_DIGEST, conflicts=())
    assert lagging.document("a: 10\nb: 2\n", before, now) == "a: 10\nb: 20\nd: 4\n"
