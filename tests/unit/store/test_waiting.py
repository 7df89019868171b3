"""Lines that wait for one another are each tried when what they wait for has come, not over and over."""

import pytest

from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, folded
from tests.support.stores import created, noted

WRITERS = 40
ROUNDS = 5


def a_relay() -> list[Writer]:
    """Return writers who each saw what the next one wrote, in the order in which that helps least."""
    writers = [Writer("a") for _ in range(WRITERS)]
    for number, writer in enumerate(writers):
        writer.clone = f"relay{number:011}"
    last: Writer | None = None
    for turn in range(ROUNDS):
        for writer in reversed(writers):
            first = turn == 0 and last is None
            writer.write(created("TICKET-1") if first else noted("TICKET-1", f"{turn}"), *([last] if last else ()))
            last = writer
    return writers


def test_a_relay_of_many_costs_two_tries_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0
    take = Ingest._take

    def counted(self: Ingest, writer: str, line: bytes, digest: str) -> bool:
        nonlocal tries
        tries += 1
        return take(self, writer, line, digest)

    monkeypatch.setattr(Ingest, "_take", counted)
    writers = a_relay()
    index = folded({writer.clone: writer.lines for writer in writers})
    assert index.db.execute("SELECT COUNT(*) FROM events").fetchone() == (WRITERS * ROUNDS,)
    assert index.db.execute("SELECT * FROM unresolved").fetchall() == []
    assert IndexView(index).quarantined() == ()
    assert tries <= 2 * WRITERS * ROUNDS
