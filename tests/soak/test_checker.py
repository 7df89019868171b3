"""The checker itself: a history that is right passes, and one wrong step breaks the rule that it should break."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.soak.checker import check
from tests.soak.history import (
    ABSENT,
    Era,
    Guarded,
    History,
    Invoked,
    Link,
    Op,
    Read,
    Result,
    Returned,
    joined,
    read,
)
from tests.soak.schedule import events

T = "TICKET-S0"
HOLD = 1.0


def an_op(number: int, name: str, begin: float, end: float = math.inf, **more: object) -> Op:
    """Return an operation of session S1, worker w1; its value is `v<number>`."""
    result: Result = "unknown" if end == math.inf else "ok"
    made = Op(op_id(number), "w1", "S1", name, T, begin, end, result, f"v{number}" if result == "ok" else ABSENT, 1)
    return made._replace(**more)  # type: ignore[arg-type]


def op_id(number: int) -> str:
    return f"{number:024x}"


def a_link(number: int, session: str = "S1", epoch: int = 1, state: str = "held") -> Link:
    return Link(f"v{number}", f"{op_id(number)}00000001", session, epoch, state)


def a_history(
    ops: Sequence[Op], chain: Sequence[Link], branch: Sequence[Guarded] = (), base: Mapping[str, str] | None = None
) -> History:
    era = Era(-math.inf, math.inf, {T: tuple(chain)}, {T: tuple(branch)}, base or {})
    return History({op.id: op for op in ops}, (era,), HOLD)


def rules(history: History) -> set[str]:
    return {violation.rule for violation in check(history)}


S2: Any = {"session": "S2", "worker": "w2", "epoch": 2}
CLAIM, RELEASE = an_op(1, "claim", 0, 1), an_op(2, "release", 2, 3)
CLAIM_2 = an_op(3, "claim", 4, 5, **S2)
CHAIN = [a_link(1), a_link(2, state="released"), a_link(3, "S2", 2)]


def test_claim_release_claim_is_a_history_of_a_lease() -> None:
    seen = (Read(T, "v2"),)
    assert check(a_history([CLAIM, RELEASE, CLAIM_2._replace(reads=seen)], CHAIN)) == []


def test_a_value_that_nobody_sent_is_found() -> None:
    assert rules(a_history([CLAIM, RELEASE], CHAIN)) == {"sent"}


def test_an_unknown_outcome_may_have_landed_or_not() -> None:
    lost = an_op(3, "claim", 4, **S2)
    assert check(a_history([CLAIM, RELEASE, lost], CHAIN)) == []
    assert check(a_history([CLAIM, RELEASE, lost], CHAIN[:2])) == []


def test_a_confirmed_value_that_is_gone_is_found() -> None:
    assert rules(a_history([CLAIM, RELEASE, CLAIM_2], CHAIN[:2])) == {"kept"}


def test_a_refused_move_that_took_effect_is_found_unless_it_was_superseded_before_the_answer() -> None:
    refused = CLAIM_2._replace(result="refused", value=ABSENT)
    assert rules(a_history([CLAIM, RELEASE, refused], CHAIN)) == {"sent"}
    later = an_op(4, "claim", 4.5, 6, session="S3", worker="w3", epoch=3)
    longer = [*CHAIN, a_link(4, "S3", 3)]
    # (it is taken over at once, which breaks another rule, but "refused" was the truth when it was said)
    assert "sent" not in rules(a_history([CLAIM, RELEASE, refused, later], longer))


def test_a_refused_move_that_a_restored_hub_had_lost_when_its_sender_asked_is_no_lie() -> None:
    refused = CLAIM_2._replace(result="refused", value=ABSENT)
    [era] = a_history([], CHAIN).eras
    for end, broken in ((4.5, set()), (6.0, {"sent"})):
        second = era._replace(start=end, chains={T: tuple(CHAIN[:2])}, base={T: "v2"})
        eras = (era._replace(end=end), second)
        assert rules(History({op.id: op for op in (CLAIM, RELEASE, refused)}, eras, HOLD)) == broken


def test_a_write_that_ended_before_what_it_follows_began_is_found() -> None:
    assert "order" in rules(a_history([CLAIM, RELEASE._replace(invoked=6, returned=7), CLAIM_2], CHAIN))


def test_a_read_of_the_future_and_a_read_of_the_past_are_found() -> None:
    future = an_op(9, "claim", 1, 1.5, result="refused", value=ABSENT, reads=(Read(T, "v2"),))
    past = an_op(9, "claim", 6, 7, result="refused", value=ABSENT, reads=(Read(T, "v1"),))
    fair = past._replace(invoked=2.5)
    base = [CLAIM, RELEASE, CLAIM_2]
    assert rules(a_history([*base, future], CHAIN)) == {"order"}
    assert rules(a_history([*base, past], CHAIN)) == {"order"}
    assert check(a_history([*base, fair], CHAIN)) == []


def test_absent_can_be_read_before_the_first_value_only() -> None:
    early = an_op(9, "claim", -1, 0.5, result="refused", value=ABSENT, reads=(Read(T, ABSENT),))
    assert check(a_history([CLAIM, early], CHAIN[:1])) == []
    assert rules(a_history([CLAIM, early._replace(invoked=1.5, returned=2)], CHAIN[:1])) == {"order"}


def test_a_new_holder_without_a_higher_epoch_is_found() -> None:
    same = CLAIM_2._replace(epoch=1)
    assert rules(a_history([CLAIM, RELEASE, same], [*CHAIN[:2], a_link(3, "S2", 1)])) == {"epoch", "holder"}


def test_two_sessions_that_were_both_given_an_epoch_are_found() -> None:
    beat = an_op(5, "heartbeat", 6, 7, session="S9", epoch=2, value="v3")
    assert rules(a_history([CLAIM, RELEASE, CLAIM_2, beat], CHAIN)) == {"holder"}


def test_an_acquisition_below_one_that_was_complete_is_found_across_a_restore() -> None:
    again = an_op(4, "claim", 12, 13, session="S4", worker="w4", epoch=2)
    first = Era(-math.inf, 10, {T: tuple(CHAIN)}, {})
    second = Era(10, math.inf, {T: (*CHAIN[:2], a_link(4, "S4", 2))}, {}, {T: "v2"})
    ops = {op.id: op for op in (CLAIM, RELEASE, CLAIM_2, again)}
    assert rules(History(ops, (first, second), HOLD)) == {"holder"}
    ops[again.id] = again._replace(epoch=3)
    risen = second._replace(chains={T: (*CHAIN[:2], a_link(4, "S4", 3))})
    assert check(History(ops, (first, risen), HOLD)) == []


def test_a_take_over_before_the_ttl_is_over_is_found() -> None:
    chain = [a_link(1), a_link(3, "S2", 2)]
    assert check(a_history([CLAIM, CLAIM_2], chain)) == []
    assert rules(a_history([CLAIM, CLAIM_2._replace(invoked=0.5, returned=0.9)], chain)) == {"early"}


def test_of_two_copies_only_the_one_that_wrote_last_may_go_on() -> None:
    beats = [an_op(number, "heartbeat", number, number + 0.5) for number in (2, 3)]
    chain = [a_link(1), a_link(2), a_link(3)]
    copied = [CLAIM, beats[0]._replace(worker="copy"), beats[1]._replace(worker="copy")]
    assert check(a_history(copied, chain)) == []
    assert rules(a_history([CLAIM, beats[0]._replace(worker="copy"), beats[1]], chain)) == {"copy"}


def test_a_guarded_write_of_a_lower_epoch_after_a_higher_one_is_found() -> None:
    low = an_op(4, "guard", 5.5, 6)
    high = an_op(5, "guard", 6, 7, **S2)
    chain = [a_link(1), a_link(4), a_link(3, "S2", 2), a_link(5, "S2", 2)]
    ops = [CLAIM, low._replace(invoked=2, returned=2.5), CLAIM_2, high]
    assert check(a_history(ops, chain, [Guarded(op_id(4), 1), Guarded(op_id(5), 2)])) == []
    assert rules(a_history(ops, chain, [Guarded(op_id(5), 2), Guarded(op_id(4), 1)])) == {"guard"}


def test_half_a_guarded_write_is_found() -> None:
    write = an_op(4, "guard", 2, 2.5)
    assert check(a_history([CLAIM, write], [a_link(1), a_link(4)], [Guarded(op_id(4), 1)])) == []
    assert rules(a_history([CLAIM, write], [a_link(1), a_link(4)])) == {"guard", "atomic"}


def test_a_line_that_a_kill_cut_short_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "w1.jsonl").write_bytes(
        b'{"type":"invoked","op":"a","worker":"w1","session":"S1","name":"claim","ticket":"","at":1.0}\n{"type":"ret'
    )
    lines = read(tmp_path)
    assert lines == [Invoked(op="a", worker="w1", session="S1", name="claim", ticket="", at=1.0)]
    assert joined(lines)["a"].returned == math.inf
    whole = joined([*lines, Returned(op="a", at=2.0, result="ok", ticket=T, value="v1", epoch=3)])
    assert (whole["a"].returned, whole["a"].ticket, whole["a"].epoch) == (2.0, T, 3)


def test_a_seed_gives_the_same_faults_again_and_another_seed_others() -> None:
    assert events(7, 100, 8) == events(7, 100, 8)
    assert events(7, 100, 8) != events(8, 100, 8)
    assert {event.kind for event in events(7, 600, 8)} >= {"kill", "stop", "reboot", "gc", "restore", "copy-unnoticed"}
