"""Which events under a lease count (docs/format.md, "The fold", epochs)."""

from exo_sidecar.model.event import Draft, Fields, LeaseAcquired, SessionReserved, SessionStarted, TicketEdited
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, folded, viewed
from tests.support.random_step import COMMIT
from tests.support.stores import a_session, created

T = TicketId("TICKET-1")
ONE, TWO = a_session(1), a_session(2)
NONCE = "c" * 32


def acquired(epoch: int, session: SessionId, *, adopts: str | None = None) -> Draft:
    data = LeaseAcquired(ticket=T, epoch=epoch, session=session, commit=COMMIT, adopts=adopts)
    return Draft(subject=T, data=data, session=session, epoch=epoch)


def held(title: str, epoch: int, session: SessionId) -> Draft:
    return Draft(subject=T, data=TicketEdited(fields=Fields(title=title)), session=session, epoch=epoch)


def title(*writers: Writer) -> str:
    return viewed(*writers).find_ticket(T).ticket.title


def reasons(view: IndexView) -> list[str]:
    return [one.reason.split(":")[0].split(" ")[0] for one in view.quarantined()]


def test_what_the_holder_of_the_epoch_writes_counts() -> None:
    a = Writer("a").write(created(T)).write(acquired(1, ONE)).write(held("mine", 1, ONE))
    assert title(a) == "mine"
    assert viewed(a).quarantined() == ()


def test_an_epoch_without_its_acquisition_does_not_count() -> None:
    a = Writer("a").write(created(T)).write(held("never held", 1, ONE))
    assert title(a) == "A task"
    assert reasons(viewed(a)) == ["session"]


def test_the_epoch_is_bound_to_the_session_that_acquired_it() -> None:
    a = Writer("a").write(created(T)).write(acquired(1, ONE)).write(held("stolen", 1, TWO))
    assert title(a) == "A task"


def test_an_acquisition_that_the_event_did_not_know_does_not_help() -> None:
    a = Writer("a").write(created(T)).write(acquired(1, ONE))
    b = Writer("b").write(held("early", 1, ONE))
    assert title(a, b) == "A task"
    b.write(held("informed", 1, ONE), a)
    assert title(a, b) == "informed"


def test_a_higher_epoch_that_did_not_know_the_event_fences_it() -> None:
    a = Writer("a").write(created(T)).write(acquired(1, ONE))
    b = Writer("b").write(acquired(2, TWO), a)
    a.write(held("too late", 1, ONE))
    view = viewed(a, b)
    assert view.find_ticket(T).ticket.title == "A task"
    assert reasons(view) == ["fenced"]


def test_a_higher_epoch_that_knew_the_event_leaves_it_alone() -> None:
    a = Writer("a").write(created(T)).write(acquired(1, ONE)).write(held("in time", 1, ONE))
    b = Writer("b").write(acquired(2, TWO), a)
    assert title(a, b) == "in time"


def test_a_fence_that_arrives_later_takes_the_session_back() -> None:
    a = Writer("a").write(created(T)).write(acquired(1, ONE))
    b = Writer("b").write(acquired(2, TWO), a)
    a.write(Draft(subject=ONE, data=SessionStarted(ticket=T), session=ONE, epoch=1))
    index = folded(a)
    assert IndexView(index).session(ONE) is not None
    assert viewed(a, b).session(ONE) is None


def test_a_provisional_claim_counts_once_a_lease_adopts_it() -> None:
    a = Writer("a").write(created(T))
    a.write(Draft(subject=ONE, data=SessionReserved(ticket=T, owner="human:jane"), session=ONE, claim=NONCE))
    assert viewed(a).session(ONE) is None
    assert [(each.code, each.subject) for each in viewed(a).findings()] == [("PROVISIONAL_CLAIM", T)]
    offline = viewed(a).offline_session(ONE)
    assert offline is not None
    assert (offline.claim, offline.epoch) == (NONCE, None)
    a.write(acquired(1, ONE, adopts=NONCE))
    found = viewed(a).session(ONE)
    assert found is not None
    assert (found.claim, found.epoch) == (None, 1)
    assert viewed(a).findings() == ()
    assert viewed(a).quarantined() == ()
