"""The score of a session's changes against its fence, worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.domain import drift
from exo_sidecar.domain.drift import Changed, Fence
from exo_sidecar.model.drift import PATH_MAX, SHOWN_MAX
from exo_sidecar.model.ticket import Budgets, Scope

FENCE = Fence(Scope(allow=("src/**",)), Budgets(max_files_changed=12, max_loc_changed=400), "", "INTENT-1")


@pytest.mark.parametrize(
    ("in_scope", "changed", "max_files", "hit", "thousandths"),
    [
        (0, 0, 12, False, 0),
        (1, 1, 12, False, 29),  # 0.35 / 12 = 0.02917
        (3, 3, 12, False, 88),  # 0.35 x 3 / 12 = 0.0875: half is rounded up
        (12, 12, 12, False, 350),
        (40, 40, 12, False, 350),
        (0, 12, 12, False, 850),
        (0, 12, 12, True, 1000),
        (2, 3, 12, False, 254),  # 0.5 / 3 + 0.0875 = 0.25417
        (1, 1, 0, False, 350),
        (1, 1, 12, True, 179),
    ],
)
def test_the_score_is_half_scope_a_third_size_and_the_boundary(
    in_scope: int, changed: int, max_files: int, thousandths: int, *, hit: bool
) -> None:
    assert drift.score(in_scope, changed, max_files, hit=hit) == thousandths


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 60), st.booleans())
def test_a_score_lies_between_nothing_and_all_and_grows_with_what_leaves_the_scope(
    one: int,
    other: int,
    max_files: int,
    hit: bool,  # noqa: FBT001 - what hypothesis draws comes in order
) -> None:
    in_scope, changed = sorted((one, other))
    found = drift.score(in_scope, changed, max_files, hit=hit)
    assert 0 <= found <= 1000
    if in_scope:
        assert drift.score(in_scope - 1, changed, max_files, hit=hit) >= found


@pytest.mark.parametrize(
    ("boundary", "words"),
    [
        ("", ()),
        ("stay calm", ()),
        ("keep out of docs/** and *.sql, please", ("docs/**", "*.sql")),
        ('not "src/core/**", nor (lib/x.py).', ("src/core/**", "lib/x.py")),
        ("never .github/**; ./scripts/a", (".github/**", "scripts/a")),
        ("see https://example.org/a and /etc/passwd ../up", ()),
    ],
)
def test_the_words_of_a_boundary_with_a_slash_or_a_star_are_patterns(boundary: str, words: tuple[str, ...]) -> None:
    assert drift.patterns(boundary) == words


def test_a_report_says_what_was_used_and_names_the_first_that_went_outside() -> None:
    outside = tuple(f"lib/{number:03}" for number in range(60))
    found = drift.measure(Changed((*outside, "src/a"), ("src/a", "x" * 400), 17, "a" * 40), FENCE)
    assert (found.files, found.files_max, found.lines, found.lines_max) == (62, 12, 17, 400)
    assert (found.committed, found.uncommitted) == (61, 2)
    assert (found.out_of_scope_count, len(found.out_of_scope)) == (61, SHOWN_MAX)
    assert found.out_of_scope[0] == "lib/000"
    assert all(len(path) <= PATH_MAX for path in found.out_of_scope)
    assert (found.base, found.intent_root) == ("a" * 40, "INTENT-1")


def test_files_that_are_left_out_by_the_settings_count_nowhere() -> None:
    fence = FENCE._replace(ignored=("gen/**",))
    found = drift.measure(Changed(("gen/a", "src/a"), ("gen/b",), 0), fence)
    assert (found.files, found.committed, found.uncommitted, found.score) == (1, 1, 0, 29)


def test_no_scope_at_all_means_that_everything_is_outside() -> None:
    found = drift.measure(Changed(("src/a",), (), 1), FENCE._replace(scope=Scope(allow=())))
    assert (found.scope_compliance, found.score) == (0, 529)


@pytest.mark.parametrize(
    ("status", "limit", "is_blocked"),
    [
        ("review", 0.5, True),
        ("done", 0.5, True),
        ("todo", 0.5, False),
        ("keep", 0.5, False),
        ("done", 0.529, False),
        ("done", None, False),
    ],
)
def test_above_the_limit_a_session_ends_neither_in_review_nor_done(
    status: str, limit: float | None, *, is_blocked: bool
) -> None:
    found = drift.measure(Changed(("lib/a",), (), 1), FENCE)
    refusal = drift.blocked(found, status, limit)
    assert (refusal is not None) is is_blocked
    if refusal is not None:
        assert refusal.message.startswith("the session drifted by 0.529")


def test_a_drift_that_cannot_be_told_is_no_pass() -> None:
    found = drift.unknown("its base is gone", FENCE, "a" * 40)
    assert (found.score, found.error) == (None, "its base is gone")
    refusal = drift.blocked(found, "done", 0.9)
    assert refusal is not None
    assert "its base is gone" in refusal.message
    assert drift.blocked(found, "done", None) is None
    assert not drift.is_above(found, 0.0)
