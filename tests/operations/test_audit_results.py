"""audit computes the digest of every session's end again."""

from pathlib import Path

from exo_sidecar.model.event import Draft, SessionFinished
from exo_sidecar.model.ids import SessionId, TicketId
from exo_sidecar.model.session import Finish
from tests.support.stores import opened
from tests.support.working import a_lone_shop


def test_the_end_of_a_session_names_its_digest_and_one_that_was_made_up_is_found(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    shop.ok(0, "session-start", "--ticket-id", "T1")
    shop.ok(0, "session-finish", "--summary", "Parsed dates.", "--set-status", "review")
    shop.ok(0, "session-start", "--ticket-id", "T2")
    clone = opened(shop.clones[0])
    ended, living = (clone.store.view().sessions(statuses=(status,)) for status in ("finished", "active"))
    assert [each.seal is not None and len(each.seal) for each in ended] == [64]
    assert shop.ok(0, "audit")["issues"] == []

    session, ticket_id = SessionId(living[0].id), TicketId(living[0].ticket)
    made_up = Finish(summary="All done, nothing to see.", ticket_status="review")
    data = SessionFinished(ticket=ticket_id, finish=made_up, seal=ended[0].seal)
    clone.write(Draft(subject=session, data=data, session=session, epoch=living[0].epoch))
    clone.store.close()
    found = shop.exo(0, "audit")
    assert found.exit == 7
    altered = [each["subject"] for each in found.data["issues"] if each["code"] == "RESULT_ALTERED"]
    assert altered == [session]
