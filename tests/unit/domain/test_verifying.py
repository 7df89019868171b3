"""Whether work counts as verified: every verdict, for review and for done, now and later."""

import pytest

from exo_sidecar.domain import verifying
from exo_sidecar.domain.verifying import Shown
from exo_sidecar.model.check_run import CheckResult, Tree, Verified, Verify
from exo_sidecar.model.policy import Seal, closed, text_of
from exo_sidecar.model.policy_record import PolicyRecord, Written
from exo_sidecar.model.rule import RequireChecks
from tests.support.views import FakeView, a_record, a_ticket

HERE = Tree("1" * 40, None)
DIRTY = Tree("1" * 40, "2" * 64)


def a_verdict(verdict: str, tree: Tree = HERE, actor: str = "agent:claude") -> Verified:
    """Return a run as the ledger knows it."""
    checks = (CheckResult(id="c", verdict="passed" if verdict == "pass" else "failed"),)
    return Verified(
        verdict=verdict,  # type: ignore[arg-type]
        commit=tree.commit,
        dirty=tree.dirty,
        checks=checks,
        reason=None,
        actor=actor,
        session=None,
        at="2026-01-01T00:00:00Z",
    )


def codes(shown: Shown, last: Verified | None = None, type_: str = "feature") -> tuple[str | None, str | None]:
    """Return the refusals of a review and of done."""
    record = a_record(a_ticket("TICKET-1", type=type_))
    view = FakeView(record)
    if last is not None:
        view.verified["TICKET-1"] = last
    review = verifying.review_refusal(view, record, shown)
    done = verifying.done_refusal(view, record, shown)
    return (review.code if review else None, done.code if done else None)


FAILED = ("VERIFY_FAILED", "VERIFY_FAILED")
NOTHING = (None, "VERIFY_NOTHING_RAN")
FINE = (None, None)


@pytest.mark.parametrize(
    ("verify", "by_person", "type_", "expected"),
    [
        ("passed", False, "feature", FINE),
        ("failed", False, "feature", FAILED),
        ("failed", False, "docs", FAILED),
        ("none", False, "feature", NOTHING),
        ("none", False, "docs", FINE),
        ("none", False, "governance", FINE),
        ("bypassed", True, "feature", FINE),
        ("bypassed", False, "feature", NOTHING),
    ],
)
def test_a_session_that_finishes_is_judged_by_its_own_checks(
    verify: Verify, type_: str, expected: tuple[str | None, str | None], *, by_person: bool
) -> None:
    assert codes(Shown(verify=verify, by_person=by_person), a_verdict("pass"), type_) == expected


def sealed_with(rules: tuple[RequireChecks, ...]) -> PolicyRecord:
    """Return a policy that asks for checks."""
    seal = closed(Seal(sources={}, lock="0" * 64, rules=rules))
    text = text_of(seal).decode()
    written = Written(event="c:1", at="2026-01-01T00:00:00Z", actor="human:ann", digest=seal.digest, text=text)
    return PolicyRecord(seals=(written,))


RULE = RequireChecks(id="CHECK-001", steps=("review", "done"))
NAMED = RequireChecks(id="CHECK-002", steps=("done",), checks=("unit",))


@pytest.mark.parametrize(
    ("rules", "shown", "type_", "expected"),
    [
        ((RULE,), Shown(verify="passed", passed=("c",)), "feature", FINE),
        ((RULE,), Shown(verify="none"), "feature", ("VERIFY_NOTHING_RAN", "VERIFY_NOTHING_RAN")),
        ((RULE,), Shown(verify="none"), "docs", FINE),
        ((RULE,), Shown(verify="bypassed", by_person=True), "feature", FINE),
        ((RULE,), Shown(verify="bypassed"), "feature", ("VERIFY_NOTHING_RAN", "VERIFY_NOTHING_RAN")),
        ((NAMED,), Shown(verify="passed", passed=("c",)), "feature", NOTHING),
        ((NAMED,), Shown(verify="passed", passed=("c", "unit")), "feature", FINE),
        ((NAMED,), Shown(verify="none"), "docs", NOTHING),
        ((NAMED,), Shown(is_assumed=True), "feature", FINE),
    ],
)
def test_a_rule_may_ask_for_checks_before_a_review_and_for_some_by_name(
    rules: tuple[RequireChecks, ...], shown: Shown, type_: str, expected: tuple[str | None, str | None]
) -> None:
    record = a_record(a_ticket("TICKET-1", type=type_))
    view = FakeView(record)
    view.compiled = sealed_with(rules)
    found = (verifying.review_refusal(view, record, shown), verifying.done_refusal(view, record, shown))
    assert tuple(refusal.code if refusal else None for refusal in found) == expected


@pytest.mark.parametrize(
    ("last", "trees", "type_", "expected"),
    [
        (None, (HERE,), "feature", NOTHING),
        (None, (HERE,), "docs", FINE),
        (a_verdict("pass"), (HERE,), "feature", FINE),
        (a_verdict("pass"), (DIRTY, HERE), "feature", FINE),
        (a_verdict("pass"), (DIRTY,), "feature", NOTHING),
        (a_verdict("pass", DIRTY), (HERE,), "feature", NOTHING),
        (a_verdict("pass"), (), "feature", NOTHING),
        (a_verdict("pass"), (), "docs", FINE),
        (a_verdict("fail"), (HERE,), "feature", FAILED),
        (a_verdict("fail"), (HERE,), "docs", FAILED),
        (a_verdict("fail"), (DIRTY,), "feature", NOTHING),
        (a_verdict("none"), (HERE,), "feature", NOTHING),
        (a_verdict("bypassed", actor="human:ann"), (), "feature", FINE),
        (a_verdict("bypassed"), (HERE,), "feature", NOTHING),
    ],
)
def test_a_later_move_relies_on_a_run_of_the_same_files(
    last: Verified | None, trees: tuple[Tree, ...], type_: str, expected: tuple[str | None, str | None]
) -> None:
    assert codes(Shown(trees=trees), last, type_) == expected


def test_a_run_on_other_files_is_said_to_be_one() -> None:
    record = a_record(a_ticket("TICKET-1", type="feature"))
    view = FakeView(record)
    view.verified["TICKET-1"] = a_verdict("pass")
    refusal = verifying.done_refusal(view, record, Shown(trees=(DIRTY,)))
    assert refusal is not None
    assert "on other files" in refusal.message
    assert "exo check TICKET-1 --record" in (refusal.hint or "")
