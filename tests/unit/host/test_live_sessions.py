"""Facts about live sessions: written whole, read with care, never trusted to be well-formed."""

from pathlib import Path

import msgspec
import pytest

from exo_sidecar.host import heartbeats, live_sessions
from exo_sidecar.host.heartbeats import Note
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.ids import SessionId, TicketId

NOW = BootClock("boot", 1000.0)


def a_session(session: str = "SES-AAAA", **changes: object) -> LiveSession:
    plain = LiveSession(
        session=SessionId(session),
        ticket=TicketId("TICKET-1"),
        actor="agent:a",
        state="active",
        worktree="/w",
        boot_id="boot",
        heartbeat=900.0,
        epoch=1,
        ttl_seconds=600,
        held_from=800.0,
    )
    return msgspec.structs.replace(plain, **changes)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    live_sessions.write(tmp_path, a_session(dirty={"a.txt": ""}))
    assert live_sessions.read(tmp_path, SessionId("SES-AAAA")) == a_session(dirty={"a.txt": ""})


def test_a_session_nobody_wrote_is_absent(tmp_path: Path) -> None:
    assert live_sessions.read(tmp_path, SessionId("SES-AAAA")) is None
    assert live_sessions.listed(tmp_path) == ((), ())


def test_sessions_are_listed_in_order_and_forgotten_when_removed(tmp_path: Path) -> None:
    for name in ("SES-BBBB", "SES-AAAA"):
        live_sessions.write(tmp_path, a_session(name))
    assert [item.session for item in live_sessions.listed(tmp_path).sessions] == ["SES-AAAA", "SES-BBBB"]
    live_sessions.remove(tmp_path, SessionId("SES-AAAA"))
    live_sessions.remove(tmp_path, SessionId("SES-AAAA"))
    assert [item.session for item in live_sessions.listed(tmp_path).sessions] == ["SES-BBBB"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"session": 1}', b"\xff\xfe", msgspec.json.encode(a_session("SES-OTHER")), b"[" * 100_000],
)
def test_a_damaged_file_is_a_finding_and_never_a_session(tmp_path: Path, data: bytes) -> None:
    live_sessions.write(tmp_path, a_session("SES-BBBB"))
    (tmp_path / live_sessions.FOLDER / "SES-AAAA.json").write_bytes(data)
    found = live_sessions.listed(tmp_path)
    assert [item.session for item in found.sessions] == ["SES-BBBB"]
    assert [finding.code for finding in found.findings] == ["SESSION_FACTS_UNREADABLE"]
    assert live_sessions.read(tmp_path, SessionId("SES-AAAA")) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(msgspec.json.encode(a_session()))
    live_sessions.write(tmp_path, a_session("SES-BBBB"))
    (tmp_path / live_sessions.FOLDER / "SES-AAAA.json").symlink_to(elsewhere)
    assert live_sessions.read(tmp_path, SessionId("SES-AAAA")) is None


def test_a_heartbeat_moves_the_sign_of_life_and_not_the_lease(tmp_path: Path) -> None:
    live_sessions.write(tmp_path, a_session())
    beaten = live_sessions.beaten(a_session(), NOW)
    live_sessions.write(tmp_path, beaten)
    assert beaten.heartbeat_age(NOW) == 0
    assert beaten.lease_seconds_left(NOW) == 400
    assert live_sessions.read(tmp_path, SessionId("SES-AAAA")) == beaten


def test_after_a_restart_neither_age_nor_deadline_is_known() -> None:
    after = BootClock("next", 5.0)
    assert a_session().heartbeat_age(after) is None
    assert a_session().lease_seconds_left(after) is None
    beaten = live_sessions.beaten(a_session(), after)
    assert beaten.heartbeat_age(after) == 0
    assert beaten.lease_seconds_left(after) is None


@pytest.mark.parametrize(
    ("boot", "alive", "age"), [("boot", 950.0, 50.0), ("boot", 850.0, 100.0), ("another", 950.0, 100.0)]
)
def test_the_last_sign_of_life_is_the_later_one_of_this_boot(
    tmp_path: Path, boot: str, alive: float, age: float
) -> None:
    live_sessions.write(tmp_path, a_session())
    heartbeats.write(tmp_path, SessionId("SES-AAAA"), Note(boot_id=boot, alive=alive))
    found = live_sessions.read(tmp_path, SessionId("SES-AAAA"))
    assert found is not None
    assert found.heartbeat_age(NOW) == age
    assert live_sessions.listed(tmp_path).sessions == (found,)


def test_a_damaged_note_hides_no_session_and_goes_with_it(tmp_path: Path) -> None:
    live_sessions.write(tmp_path, a_session())
    folder = tmp_path / heartbeats.FOLDER
    folder.mkdir(parents=True)
    (folder / "SES-AAAA.json").write_bytes(b"\xff{")
    assert live_sessions.read(tmp_path, SessionId("SES-AAAA")) == a_session()
    live_sessions.remove(tmp_path, SessionId("SES-AAAA"))
    assert list(folder.iterdir()) == []
