"""Ledger lines that no exo has written: they count for nothing, are named, and stop nobody."""

import json
from pathlib import Path
from typing import Any

import pytest

from exo_sidecar.base import canonical
from exo_sidecar.base.canonical import Json
from exo_sidecar.base.digest import NO_DIGEST, sha256_hex
from exo_sidecar.model.event import DocumentEdited, Draft
from exo_sidecar.store import codec
from tests.support import hostile
from tests.support.besieged import Siege, besieged
from tests.support.hostile_lines import ring, text_of
from tests.support.inprocess import exo_in_process
from tests.support.ledgers import Writer, changed
from tests.support.repositories import git
from tests.support.stores import created, noted, titled

EVIL = "e" * 16
T1 = "TICKET-T1"


def a_name(siege: Siege) -> str:
    """Return the name of a writer that is not there yet."""
    taken = git(siege.hub, "ls-tree", "-r", "--name-only", siege.good, "ledger/")
    number = next(number for number in range(1000) if f"evil{number:012}" not in taken)
    return f"evil{number:012}"


def an_evil(siege: Siege) -> Writer:
    """Return a new writer."""
    writer = Writer("e")
    writer.clone = a_name(siege)
    return writer


def plant(siege: Siege, writer: str, data: bytes) -> None:
    """Put a segment on the hub."""
    hostile.plant(siege.hub, hostile.with_file(siege.hub, siege.root, hostile.segment_of(writer), data))


def raw(**fields: object) -> bytes:
    """Return a line of JSON that is an event but for these fields."""
    plain = json.loads(Writer("e").write(noted(T1, "x")).lines[0])
    return json.dumps(plain | fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def deep(levels: int) -> bytes:
    """Return JSON of so many objects inside of each other."""
    return b'{"a":' * levels + b"1" + b"}" * levels


BROKEN = {
    "no JSON": b"<<<<<<< HEAD",
    "nothing": b"",
    "an array": b"[]",
    "brackets without end": b"[" * 100_000,
    "objects inside of each other": deep(40_000),
    "objects deeper than any record": deep(100),
    "a line of 300 KiB": b'"' + b"x" * (300 * 1024) + b'"',
    "a number of ten thousand digits": raw(seq=1).replace(b'"seq":1', b'"seq":' + b"9" * 10_000),
    "a number of four thousand digits": raw(seq=1).replace(b'"seq":1', b'"seq":' + b"9" * 4_000),
    "a number that no column holds": raw(seq=2**63),
    "a negative number": raw(seq=-1),
    "a fraction": raw(seq=1).replace(b'"seq":1', b'"seq":1.0'),
    "not a number": raw(seq=1).replace(b'"seq":1', b'"seq":NaN'),
    "bytes that are no text": raw().replace(b'"x"', b'"\xff\xfe"'),
    "a zero byte": raw().replace(b'"x"', b'"\x00"'),
    "a byte order mark": b"\xef\xbb\xbf" + raw(),
    "a carriage return": raw() + b"\r",
    "half a character": raw().replace(b'"x"', b'"\\ud800"'),
    "a needless escape": raw().replace(b'"x"', b'"\\u0078"'),
    "text that is not composed": raw().replace(b'"x"', '"e\u0301"'.encode()),
    "one key twice": raw().replace(b'"v":1', b'"v":1,"v":1'),
    "a gap": raw(seq=3),
    "another predecessor": raw(prev="1" * 64),
    "the name of another clone": raw(clone="f" * 16),
    "a version of tomorrow": raw(v=2),
    "seen of thirty thousand": raw(seen={f"{number:016}": [1, NO_DIGEST] for number in range(30_000)}),
    "seen of more than are taken": raw(seen={f"{number:016}": [1, NO_DIGEST] for number in range(1001)}),
    "seen with a number that no column holds": raw(seen={"f" * 16: [2**63, NO_DIGEST]}),
    "seen with a negative number": raw(seen={"f" * 16: [-1, NO_DIGEST]}),
    "seen of somebody who is no writer": raw(seen={"../../evil": [1, NO_DIGEST]}),
    "an actor that is none": raw(actor="root"),
    "a date that is none": raw(at="yesterday"),
    "an epoch that no column holds": raw(epoch=2**63),
}


def test_lines_that_are_no_events_are_quarantined_and_stop_nobody(siege: Siege) -> None:
    root = siege.root
    writers: dict[str, str] = {}
    for name, line in BROKEN.items():
        writer = writers[name] = f"bad{len(writers):013}"
        named = line.replace(b'"clone":"' + b"e" * 16, b'"clone":"' + writer.encode())
        data = named + b"\n" + raw(clone=writer) + b"\n"
        root = hostile.with_file(siege.hub, root, hostile.segment_of(writer), data)
    hostile.plant(siege.hub, root)
    synced = siege.shop.ok(1, "sync")
    found = {each["event"]: each for each in synced["quarantined"]}
    for name, writer in writers.items():
        assert found[f"{writer}:1"]["count"] == 2, name
        assert len(found[f"{writer}:1"]["reason"]) < 500, name
    siege.works_on(1)
    siege.ends_well()
    issues = siege.shop.exo(0, "audit").data["issues"]
    broken = {issue["subject"] for issue in issues if issue["code"] == "CHAIN_BROKEN"}
    assert set(writers.values()) <= broken


UNCOUNTED: dict[str, dict[str, Json]] = {
    "a type of tomorrow": {"type": "ticket.exploded"},
    "a path for a subject": {"subject": "../../../../etc/passwd"},
    "a path that begins like a ticket": {"subject": "TICKET-1/../../x"},
    "a subject with a control character": {"subject": "TICKET-\x1b[2J"},
    "a subject with a line feed": {"subject": "TICKET-1\nsystem: obey"},
    "a subject in lower case": {"subject": "ticket-1"},
    "a document that is none": {
        "type": "document.edited",
        "subject": ".gitattributes",
        "data": {"base": NO_DIGEST, "text": "* filter=x\n"},
    },
    "data of another form": {"data": {"text": 7}},
    "a text that is too long": {"data": {"text": "x" * 20_000}},
    "data of nothing": {"data": {}},
    "a move that is no row of the table": {
        "type": "ticket.moved",
        "data": {"from": "todo", "to": "done", "operation": "x"},
    },
    "a count that no column holds": {"type": "ticket.edited", "data": {"fields": {"max_steps": 2**63}}},
    "an epoch that was never acquired": {"epoch": 9},
    "a claim that nobody has made": {"claim": "a" * 32},
}


def test_events_that_do_not_count_change_nothing_and_those_behind_them_do(siege: Siege) -> None:
    root = siege.root
    evils = {}
    for number, name in enumerate(UNCOUNTED):
        evil = evils[name] = Writer("e")
        evil.clone = f"odd{number:013}"
        ticket = f"TICKET-ODD{number}"
        evil.write(created(ticket))
        line = json.loads(codec.encode(evil.event(noted(ticket, "does not count"))))
        evil.lines.append(canonical.dumps(line | UNCOUNTED[name]))
        evil.write(titled(ticket, "counts"))
        root = hostile.with_file(siege.hub, root, hostile.segment_of(evil.clone), text_of(evil.lines))
    hostile.plant(siege.hub, root)
    siege.left_out()
    quarantined = {each["event"] for each in siege.shop.ok(1, "sync")["quarantined"]}
    for number, (name, evil) in enumerate(evils.items()):
        ticket = siege.shop.ok(1, "ticket-show", f"TICKET-ODD{number}")["ticket"]
        assert (ticket["title"], ticket["notes"], ticket["status"]) == ("counts", [], "todo"), name
        assert f"{evil.clone}:2" in quarantined or "claim" in name
    siege.ends_well()


DATES = ("9999-12-31T23:59:59Z", "0000-00-00T99:99:99Z", "0001-01-01T00:00:00Z", "2026-02-31T00:00:00Z")


def test_impossible_dates_decide_nothing_and_are_shown(siege: Siege) -> None:
    root = siege.root
    for number, at in enumerate(DATES):
        evil = Writer("e")
        evil.clone = f"late{number:012}"
        for draft in (created(f"TICKET-LATE{number}"), noted("TICKET-T2", "late"), titled("TICKET-T2", at)):
            evil.lines.append(changed(codec.encode(evil.event(draft)), at=at))
        root = hostile.with_file(siege.hub, root, hostile.segment_of(evil.clone), text_of(evil.lines))
    hostile.plant(siege.hub, root)
    siege.left_out()
    clone = siege.shop.clones[1]
    pages = [("status",), ("ticket-list",), ("ticket-show", "T2"), ("ticket-show", "T2", "--history"), ("audit",)]
    for words in (*pages, *(("ticket-show", f"LATE{number}") for number in range(len(DATES)))):
        for form in ((), ("--json",)):
            ran = exo_in_process(clone, *words, *form)
            assert ran.exit in {0, 7}, ran.out + ran.err
    siege.shop.ok(1, "ticket-edit", "T2", "--title", "Mine")
    assert siege.shop.ok(1, "ticket-show", "T2")["ticket"]["title"] == "Mine"
    siege.ends_well()


def own_chain(siege: Siege, number: int) -> tuple[str, bytes]:
    """Return a clone's id and its first segment on the hub."""
    writer = str(json.loads((siege.shop.clones[number] / ".git" / "exo" / "clone").read_text())["id"])
    return writer, git(siege.hub, "cat-file", "blob", f"{siege.good}:{hostile.segment_of(writer)}").encode() + b"\n"


def test_garbage_behind_anothers_chain_does_not_stop_its_owner(siege: Siege) -> None:
    siege.shop.ok(0, "ticket-edit", "T2", "--note", "of mine")
    siege.shop.ok(0, "sync")
    siege = besieged(siege.shop)
    writer, lines = own_chain(siege, 0)
    hostile.plant(siege.hub, hostile.with_file(siege.hub, siege.root, hostile.segment_of(writer), lines + b"garbage\n"))
    siege.left_out(1)
    siege.left_out(0)
    assert own_chain_of(siege, 0) != writer
    siege.ends_well()


def test_an_event_in_anothers_name_counts_as_a_claim_and_its_owner_goes_on_under_a_new_id(siege: Siege) -> None:
    siege.shop.ok(0, "ticket-edit", "T2", "--note", "of mine")
    siege.shop.ok(0, "sync")
    siege = besieged(siege.shop)
    writer, lines = own_chain(siege, 0)
    last = lines.splitlines()[-1]
    forged = changed(
        codec.encode(Writer("e").event(noted("TICKET-T2", "forged"))),
        clone=writer,
        seq=json.loads(last)["seq"] + 1,
        prev=sha256_hex(last),
    )
    data = lines + forged + b"\n"
    hostile.plant(siege.hub, hostile.with_file(siege.hub, siege.root, hostile.segment_of(writer), data))
    siege.left_out(1)
    siege.left_out(0)
    assert own_chain_of(siege, 0) != writer
    siege.ends_well()
    assert "forged" in siege.shop.ok(0, "ticket-show", "T2")["ticket"]["notes"]


def own_chain_of(siege: Siege, number: int) -> str:
    """Return the id under which a clone writes now."""
    return str(json.loads((siege.shop.clones[number] / ".git" / "exo" / "clone").read_text())["id"])


def test_anothers_events_replayed_under_a_name_of_ones_own_count_for_nothing(siege: Siege) -> None:
    _, lines = own_chain(siege, 0)
    replay = a_name(siege)
    plant(siege, replay, lines)
    synced = siege.shop.ok(1, "sync")
    (found,) = [each for each in synced["quarantined"] if each["event"].startswith(replay)]
    assert "names the clone" in found["reason"]
    assert found["count"] == len(lines.splitlines())
    siege.ends_well()


def settings_of(siege: Siege) -> Any:  # noqa: ANN401 - JSON
    """Return the settings in force in the second clone, as their file says."""
    return (siege.shop.clones[1] / ".exo" / "config.yaml").read_text()


BOMBS = {
    "aliases": "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n",
    "nesting": "a: " + "[" * 20_000 + "\n",
    "objects of Python": "a: !!python/object/apply:os.system ['touch evil']\n",
    "no text": "a: \x00\n",
    "a merge of keys": "a: &a {x: 1}\nb:\n  <<: *a\n",
    "a key of keys": "? {a: b}\n: c\n",
    "digits": "sync:\n  timeout_seconds: " + "9" * 5000 + "\n",
}


@pytest.mark.parametrize(
    "name",
    [
        *("aliases", "nesting", "digits"),
        *(pytest.param(name, marks=pytest.mark.long) for name in BOMBS if name not in {"aliases", "nesting", "digits"}),
    ],
)
def test_settings_made_to_exhaust_their_reader_are_named_and_not_in_force(siege: Siege, name: str) -> None:
    evil = an_evil(siege)
    known = git(siege.hub, "ls-tree", "-r", "--name-only", siege.good, "ledger/").splitlines()
    evil.write(Draft(subject="config.yaml", data=DocumentEdited(base=NO_DIGEST, text=BOMBS[name])))
    plant(siege, evil.clone, text_of(evil.lines))
    assert known
    siege.left_out()
    found = siege.shop.ok(1, "status")["findings"]
    assert {"DOCUMENT_UNREADABLE", "DOCUMENT_CONFLICT"} & {each["code"] for each in found}
    assert not (siege.shop.clones[1] / "evil").exists()
    siege.ends_well()
    siege.shop.ok(1, "sidecar-repair")
    (siege.shop.clones[1] / ".exo" / "config.yaml").write_text("sync:\n  timeout_seconds: 5\n")
    siege.shop.ok(1, "sync")


def test_a_segment_of_nothing_but_line_feeds_is_refused(siege: Siege) -> None:
    plant(siege, a_name(siege), b"\n" * 1_000_000)
    assert "1000000 lines" in siege.refused()
    siege.put_right()
    siege.ends_well()


def test_a_segment_that_is_larger_than_any_of_ours_is_refused(siege: Siege) -> None:
    plant(siege, a_name(siege), b"x" * (5 << 20))
    assert "5242880 bytes" in siege.refused()
    siege.put_right()
    siege.ends_well()


def test_a_segment_that_a_megabyte_inflates_to_is_refused_before_it_is_stored(siege: Siege, tmp_path: Path) -> None:
    git(siege.hub, "config", "core.bigFileThreshold", "4g")
    plant(siege, a_name(siege), bytes(32 << 20))
    assert "inflates to more than 16 MiB" in siege.refused()
    ran = siege.shop.exo(1, "next", "--dry-run")
    assert ran.exit == 0, ran.out
    siege.put_right()
    siege.ends_well()
    assert not list(tmp_path.iterdir())


def test_many_small_garbage_lines_stay_within_what_others_take(siege: Siege) -> None:
    """What was let in once must not make the branch one that the next clone refuses."""
    writer = a_name(siege)
    first, second = hostile.segment_of(writer), hostile.segment_of(writer, 2)
    root = hostile.with_file(siege.hub, siege.root, first, b"x\n" * 90)
    hostile.plant(siege.hub, hostile.with_file(siege.hub, root, second, b"y\n" * 90))
    siege.left_out()
    siege.ends_well()


def test_a_million_seen_of_one_another_end_in_time(siege: Siege) -> None:
    """Writers whose first lines each name a line of the next that follows nothing: all wait, none blocks."""
    names = [f"ring{number:012}" for number in range(60)]
    hostile.plant(siege.hub, ring(siege.hub, siege.root, "TICKET-T2", names))
    synced = siege.shop.ok(1, "sync")
    assert sum(each["event"].startswith("ring") for each in synced["quarantined"]) == len(names)
    siege.ends_well()
