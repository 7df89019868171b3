"""Lines that wait for one another are each tried when what they wait for has come, not over and over."""

import pytest

from exo_sidecar.store import ingest
from exo_sidecar.store.causality import Causality
from exo_sidecar.store.entry import Name
from exo_sidecar.store.index import in_memory
from exo_sidecar.store.ingest import Ingest
from exo_sidecar.store.view import IndexView
from tests.support.ledgers import Writer, folded
from tests.support.stores import created, dump, noted

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


def test_what_an_event_says_again_changes_nothing_and_is_looked_up_once() -> None:
    """A writer who names all that it knows, and what nobody has, in each of its events."""
    known, naming = Writer("a").write(created("TICKET-1")), Writer("b")
    lacking = ("c" * 16, (1, "7" * 64))
    for number in range(3):
        naming.write(noted("TICKET-1", f"{number}"), seen={known.clone: known.head, lacking[0]: lacking[1]})
    index = folded({known.clone: known.lines, naming.clone: naming.lines})
    assert index.db.execute("SELECT writer, at, other, seq FROM seen").fetchall() == [(naming.clone, 1, known.clone, 1)]
    assert index.db.execute("SELECT at, other, seq, digest, why FROM unresolved").fetchall() == [
        (1, lacking[0], *lacking[1], "absent")
    ]
    assert [depth for (depth,) in index.db.execute("SELECT depth FROM events ORDER BY depth")] == [1, 2, 3, 4]
    assert all(Causality(index.db)(Name(naming.clone, at), Name(known.clone, 1)) for at in (1, 2, 3))
    portions = dump(folded(known, *({naming.clone: [line]} for line in naming.lines)))
    at_once = dump(index)
    assert {table for table in portions if portions[table] != at_once[table]} == {"unresolved"}  # once per arrival


def test_an_entry_with_another_digest_is_looked_up_anew() -> None:
    known, naming = Writer("a").write(created("TICKET-1")), Writer("b")
    naming.write(noted("TICKET-1", "wrong"), seen={known.clone: (1, "7" * 64)})
    naming.write(noted("TICKET-1", "right"), seen={known.clone: known.head})
    naming.write(noted("TICKET-1", "wrong again"), seen={known.clone: (1, "8" * 64)})
    index = folded({known.clone: known.lines, naming.clone: naming.lines})
    assert index.db.execute("SELECT at, seq FROM seen").fetchall() == [(2, 1)]
    assert index.db.execute("SELECT at, why FROM unresolved ORDER BY at").fetchall() == [
        (1, "different"),
        (3, "different"),
    ]


def test_names_of_nobody_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "NAMES_MAX", 10)
    naming = Writer("b").write(created("TICKET-1"))
    naming.write(noted("TICKET-1", "x"), seen={f"nobody{number:010}": (1, "7" * 64) for number in range(100)})
    index = in_memory()
    run = Ingest(index, {naming.clone: naming.lines})
    run.run()
    assert len(run._highest) == 10
    assert run._highest[naming.clone] == 2
    assert index.db.execute("SELECT COUNT(*) FROM unresolved WHERE why = 'absent'").fetchone() == (100,)
