"""What becomes of writes that did not know each other (docs/format.md, "The fold")."""

from exo_sidecar.model.event import Draft, Fields, LeaseAcquired, Sets, TicketEdited, TicketMoved
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lifecycle import Status
from exo_sidecar.model.ticket import Scalar
from tests.support.ledgers import Writer, viewed
from tests.support.random_step import COMMIT
from tests.support.stores import a_session, created, titled

T = TicketId("TICKET-1")


def labels(*, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> Draft:
    return Draft(subject=T, data=TicketEdited(add=Sets(labels=add), remove=Sets(labels=remove)))


def moved(start: Status, end: Status) -> Draft:
    return Draft(subject=T, data=TicketMoved(start=start, end=end, operation="ticket-move"))


def test_a_write_that_knew_the_other_settles_the_field() -> None:
    a = Writer("a").write(created(T))
    b = Writer("b").write(titled(T, "second"), a)
    record = viewed(a, b).find_ticket(T)
    assert record.ticket.title == "second"
    assert record.conflicts == {}


def test_writes_that_did_not_know_each_other_are_a_conflict_value_until_somebody_settles_it() -> None:
    a = Writer("a").write(created(T))
    b = Writer("b").write(titled(T, "from b"), a)
    a.write(titled(T, "from a"))
    record = viewed(a, b).find_ticket(T)
    assert record.ticket.title == "from b"  # of the same depth, and later by the writer's name
    assert [version.value for version in record.conflicts["title"]] == ["from b", "from a"]
    a.write(titled(T, "settled"), b)
    settled = viewed(a, b).find_ticket(T)
    assert (settled.ticket.title, settled.conflicts) == ("settled", {})


def test_equal_values_are_no_conflict() -> None:
    a = Writer("a").write(created(T))
    b = Writer("b").write(titled(T, "same"), a)
    a.write(titled(T, "same"))
    assert viewed(a, b).find_ticket(T).conflicts == {}


def test_the_higher_epoch_stands_first_though_another_write_is_later() -> None:
    a, b = Writer("a").write(created(T)), Writer("b")
    lease = LeaseAcquired(ticket=T, epoch=1, session=a_session(1), commit=COMMIT)
    a.write(Draft(subject=T, data=lease, session=a_session(1), epoch=1))
    b.write(titled(T, "one"), a).write(titled(T, "later, without a lease"))
    a.write(Draft(subject=T, data=TicketEdited(fields=Fields(title="holder's")), session=a_session(1), epoch=1))
    record = viewed(a, b).find_ticket(T)
    assert record.ticket.title == "holder's"
    assert [version.epoch for version in record.conflicts["title"]] == [1, None]


def test_a_remove_takes_away_only_the_adds_that_it_knew() -> None:
    a = Writer("a").write(created(T)).write(labels(add=("x", "y")))
    b = Writer("b").write(labels(add=("x",)), a)
    a.write(labels(remove=("x", "y")))
    assert viewed(a, b).find_ticket(T).ticket.labels == ("x",)
    a.write(labels(remove=("x",)), b)
    assert viewed(a, b).find_ticket(T).ticket.labels == ()


def scoped(*, allow: tuple[str, ...] = (), gone: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> Draft:
    add, remove = Sets(scope_allow=allow, scope_deny=deny), Sets(scope_allow=gone)
    return Draft(subject=T, data=TicketEdited(add=add, remove=remove))


def versions_of(field: str, *writers: Writer) -> list[Scalar]:
    return [version.value for version in viewed(*writers).find_ticket(T).conflicts.get(field, ())]


def test_scopes_that_did_not_know_each_other_are_united_and_in_conflict() -> None:
    a = Writer("a").write(created(T, sets=Sets(scope_allow=("src/**",))))
    b = Writer("b").write(scoped(allow=("docs/**",)), a)
    a.write(scoped(allow=("tests/**",)))
    assert viewed(a, b).find_ticket(T).ticket.scope.allow == ("docs/**", "src/**", "tests/**")
    assert versions_of("scope_allow", a, b) == [("docs/**", "src/**"), ("src/**", "tests/**")]
    a.write(scoped(allow=("src/**",)), b)
    assert versions_of("scope_allow", a, b) == []


def test_taking_away_the_last_globs_at_once_is_a_conflict_and_not_everything() -> None:
    a = Writer("a").write(created(T, sets=Sets(scope_allow=("src/**", "docs/**"))))
    b = Writer("b").write(scoped(gone=("src/**",)), a)
    a.write(scoped(gone=("docs/**",)))
    assert viewed(a, b).find_ticket(T).ticket.scope.allow == ("**",)
    assert versions_of("scope_allow", a, b) == [("docs/**",), ("src/**",)]


def test_scopes_that_no_gate_reads_otherwise_are_in_no_conflict() -> None:
    a = Writer("a").write(created(T, sets=Sets(scope_allow=("src/**",), scope_deny=("x/**",))))
    b = Writer("b").write(scoped(allow=("docs/**",), deny=("y/**",)), a)
    a.write(scoped(allow=("docs/**",), deny=("z/**",)))
    assert viewed(a, b).find_ticket(T).conflicts == {}  # the same allow; and denies add up


def test_a_deny_that_one_clone_took_away_holds_for_the_other_until_it_is_settled() -> None:
    a = Writer("a").write(created(T, sets=Sets(scope_deny=("x/**",))))
    b = Writer("b").write(Draft(subject=T, data=TicketEdited(remove=Sets(scope_deny=("x/**",)))), a)
    a.write(scoped(deny=("y/**",)))
    assert viewed(a, b).find_ticket(T).ticket.scope.deny == ("y/**",)
    assert versions_of("scope_deny", a, b) == [(), ("x/**", "y/**")]


def test_a_move_that_settles_keeps_how_the_ticket_was_closed() -> None:
    a = Writer("a").write(created(T)).write(moved(Status.TODO, Status.ACTIVE))
    dropped = TicketMoved(start=Status.ACTIVE, end=Status.CANCELLED, operation="ticket-move", resolution="dropped")
    b = Writer("b").write(Draft(subject=T, data=dropped), a)
    a.write(moved(Status.ACTIVE, Status.DONE))
    assert viewed(a, b).find_ticket(T).is_satisfied is False
    again = TicketMoved(start=Status.ACTIVE, end=Status.CANCELLED, operation="resolve", settles=True)
    a.write(Draft(subject=T, data=again), b)
    record = viewed(a, b).find_ticket(T)
    assert (record.ticket.status, record.resolution, record.conflicts) == (Status.CANCELLED, "dropped", {})


def test_a_ticket_that_another_clone_knows_otherwise_is_not_done() -> None:
    a = Writer("a").write(created(T)).write(moved(Status.TODO, Status.ACTIVE))
    b = Writer("b").write(moved(Status.ACTIVE, Status.BLOCKED), a)
    a.write(moved(Status.ACTIVE, Status.DONE)).write(moved(Status.DONE, Status.ARCHIVED))
    record = viewed(a, b).find_ticket(T)
    assert sorted(str(version.value) for version in record.conflicts["status"]) == ["archived", "blocked"]
    assert (record.is_satisfied, record.may_be_open) == (False, True)
    a.write(moved(Status.BLOCKED, Status.TODO), b)
    assert viewed(a, b).find_ticket(T).conflicts == {}


def test_how_a_ticket_was_closed_follows_the_status_that_stands() -> None:
    a = Writer("a").write(created(T)).write(moved(Status.TODO, Status.ACTIVE))
    b = Writer("b").write(moved(Status.ACTIVE, Status.CANCELLED), a)
    a.write(moved(Status.ACTIVE, Status.DONE))
    record = viewed(a, b).find_ticket(T)
    assert (record.ticket.status, record.resolution) == (Status.CANCELLED, "cancelled")
    a.write(moved(Status.DONE, Status.ARCHIVED), b)
    archived = viewed(a, b).find_ticket(T)
    assert (archived.ticket.status, archived.resolution, archived.is_satisfied) == (Status.ARCHIVED, "done", True)


def test_a_move_that_is_no_row_of_the_table_is_quarantined() -> None:
    a = Writer("a").write(created(T)).write(moved(Status.TODO, Status.DONE))
    view = viewed(a)
    assert view.find_ticket(T).ticket.status is Status.TODO
    assert [(one.event, "no row" in one.reason) for one in view.quarantined()] == [(f"{a.clone}:2", True)]


def test_of_a_ring_of_parents_the_edge_that_came_last_does_not_count() -> None:
    a = Writer("a")
    for name in ("TICKET-1", "TICKET-2", "TICKET-3"):
        a.write(created(name))
    for child, parent in (("TICKET-1", "TICKET-2"), ("TICKET-2", "TICKET-3"), ("TICKET-3", "TICKET-1")):
        a.write(Draft(subject=child, data=TicketEdited(fields=Fields(parent=parent))))
    view = viewed(a)
    assert view.children(TicketId("TICKET-2")) == ("TICKET-1",)
    assert view.children(TicketId("TICKET-1")) == ()
    assert [finding.subject for finding in view.findings() if finding.code == "PARENT_RING"] == ["TICKET-3"]
    a.write(Draft(subject="TICKET-1", data=TicketEdited(fields=Fields(parent=None))))
    assert viewed(a).children(TicketId("TICKET-1")) == ("TICKET-3",)
