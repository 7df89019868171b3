"""The form of events: a subject becomes a file's name, so nothing else than an id may be one."""

import msgspec
import pytest

from exo_sidecar.base.digest import NO_DIGEST
from exo_sidecar.model.event import Data, DocumentEdited, Event, Fields, LeaseAcquired, SessionReserved, TicketCreated
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.store import codec, form

A_TICKET = TicketCreated(fields=Fields(title="x"))
A_DOCUMENT = DocumentEdited(base=NO_DIGEST, text="x")


def an_event(subject: str, data: Data) -> Event:
    """Return an event as it may stand on a branch that somebody else wrote."""
    name, raw = codec.raw_data(data)
    return Event(
        v=1,
        clone="0" * 16,
        seq=1,
        prev=NO_DIGEST,
        at="2026-01-01T00:00:00Z",
        actor="human:ann",
        session=None,
        policy=None,
        type=name,
        subject=subject,
        data=raw,
    )


@pytest.mark.parametrize("subject", ["TICKET-1", "EPIC-AB-3"])
def test_an_id_is_a_tickets_subject(subject: str) -> None:
    assert form.data_of(an_event(subject, A_TICKET)) == (A_TICKET, None)


@pytest.mark.parametrize(
    ("subject", "data"),
    [
        ("../../etc/passwd", A_TICKET),
        ("TICKET-1/../../x", A_TICKET),
        ("TICKET-1\n", A_TICKET),
        ("ticket-1", A_TICKET),
        (".git", A_DOCUMENT),
        ("FORMAT", A_DOCUMENT),
        ("ledger/00/x", A_DOCUMENT),
        ("TICKET-1", SessionReserved(ticket=TicketId("TICKET-1"), owner="human:ann")),
        ("TICKET-2", LeaseAcquired(ticket=TicketId("TICKET-1"), epoch=1, session=SessionId("SES-1"), commit="0" * 40)),
    ],
)
def test_any_other_subject_is_quarantined_with_its_reason(subject: str, data: Data) -> None:
    found, fault = form.data_of(an_event(subject, data))
    assert found is None
    assert fault


def test_an_id_in_the_data_is_checked_like_a_subject() -> None:
    raw = msgspec.json.encode({"ticket": "../../x", "owner": "human:ann"})
    event = msgspec.structs.replace(
        an_event("SES-1", SessionReserved(ticket=TicketId("TICKET-1"), owner="human:ann")), data=msgspec.Raw(raw)
    )
    found, fault = form.data_of(event)
    assert found is None
    assert fault is not None
    assert "ticket" in fault
