"""Supposing: records as they would be if a claim made offline were confirmed, for the session that made it."""

from msgspec.structs import replace

from exo_sidecar.model.handoff import HandoffRecord
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.session import OfflineClaim, SessionRecord
from exo_sidecar.model.ticket import TicketRecord
from exo_sidecar.store.causality import Causality
from exo_sidecar.store.fold_handoff import fold_handoff
from exo_sidecar.store.fold_session import fold_session
from exo_sidecar.store.fold_ticket import fold_ticket
from exo_sidecar.store.index import Index
from exo_sidecar.store.refold import entries_of


def ticket(index: Index, claim: OfflineClaim) -> TicketRecord | None:
    """Return the claim's ticket with what was written under the claim."""
    return fold_ticket(claim.ticket, entries_of(index, "ticket", claim.ticket, claim.nonce), Causality(index.db))


def handoff_taken(index: Index, claim: OfflineClaim) -> HandoffRecord | None:
    """Return what the claim's session took up under the claim, None when it took up nothing."""
    row = index.db.execute(
        "SELECT subject FROM events WHERE ticket = ? AND claim = ? AND type = 'handoff.consumed' AND form IS NULL"
        " LIMIT 1",
        (claim.ticket, claim.nonce),
    ).fetchone()
    return fold_handoff(row[0], entries_of(index, "handoff", row[0], claim.nonce)) if row else None


def offline_session(index: Index, session_id: SessionId) -> SessionRecord | None:
    """Return a session whose claim no lease has adopted, None when there is none of that kind."""
    row = index.db.execute(
        "SELECT claim FROM events WHERE subject = ? AND claim IS NOT NULL AND token IS NOT NULL AND form IS NULL"
        " LIMIT 1",
        (session_id,),
    ).fetchone()
    if row is None:
        return None
    record = fold_session(session_id, entries_of(index, "session", session_id, row[0]))
    return replace(record, claim=row[0]) if record is not None and record.epoch is None else None
