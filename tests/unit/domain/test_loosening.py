"""loosening: the table of settings that widen the fence, and what follows from it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.domain import loosening, policy
from exo_sidecar.domain.loosening import KEYS, Key, Value
from exo_sidecar.model import config_faults
from exo_sidecar.model.check import Check
from exo_sidecar.model.config import CiSettings, Config, LeaseSettings, LifecycleSettings

NAMES = [key.name for key in KEYS]
GARBAGE = st.one_of(st.none(), st.booleans(), st.integers(0, 50), st.text("ab1h", max_size=4))


def values(key: Key) -> st.SearchStrategy[Value]:
    """Return values that a person may write for a key, sensible ones and others."""
    if isinstance(key.way, tuple):
        return st.one_of(st.sampled_from(key.way), GARBAGE)
    if key.way in {"more", "fewer"}:
        return st.lists(st.sampled_from("abcd"), unique=True, max_size=4).map(tuple)
    if key.way in {"on", "off"}:
        return st.one_of(st.booleans(), GARBAGE)
    return st.one_of(st.integers(0, 100), st.sampled_from(["1h", "90s", "2d"]), GARBAGE)


PAIRS = st.sampled_from(KEYS).flatmap(lambda key: st.tuples(st.just(key.name), values(key), values(key)))


@given(PAIRS)
def test_the_stricter_of_two_is_looser_than_neither(pair: tuple[str, Value, Value]) -> None:
    name, one, other = pair
    for found in (loosening.stricter(name, one, other), loosening.stricter(name, other, one)):
        assert not loosening.is_looser(name, one, found)
        assert not loosening.is_looser(name, other, found)


@given(PAIRS)
def test_nothing_is_looser_than_itself_and_a_single_value_not_both_ways(pair: tuple[str, Value, Value]) -> None:
    name, one, other = pair
    assert not loosening.is_looser(name, one, one)
    if not isinstance(one, tuple):
        assert not (loosening.is_looser(name, one, other) and loosening.is_looser(name, other, one))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("leases.per_actor", 8, 9),
        ("leases.max_ttl", "24h", "2d"),
        ("leases.max_ttl", "24h", "nonsense"),
        ("leases.guard", "require", "allow"),
        ("leases.offline", "refuse", "provisional"),
        ("lifecycle.require_review", True, False),
        ("storage.network", False, True),
        ("admission.required", "all", "off"),
        ("roles.enforce", "block", "none of these"),
        ("drift.block_above", 0.7, None),
        ("checks_allowlist", ("a",), ("a", "b")),
        ("checks_allowlist", ("a",), ("b",)),
        ("global_checks", ("a", "b"), ("a",)),
        ("flags.operator_approval", True, False),
    ],
)
def test_what_loosens_is_held_back_and_the_way_back_is_not(name: str, before: Value, after: Value) -> None:
    assert loosening.is_looser(name, before, after)
    assert not loosening.is_looser(name, before, loosening.stricter(name, before, after))
    found = loosening.difference({name: before}, {name: after})
    assert [change.key for change in found.loosened] == [name]
    back = loosening.difference({name: after}, {name: before})
    assert [change.key for change in back.tightened] == [name]


def test_settings_are_restrained_key_by_key_and_everything_else_is_as_written() -> None:
    floor = loosening.effective(Config(lifecycle=LifecycleSettings(require_review=True)))
    written = Config(leases=LeaseSettings(per_actor=99, ttl="1h", offline="refuse"))
    found = loosening.restrained(written, floor)
    assert (found.leases.per_actor, found.leases.ttl, found.leases.offline) == (8, "1h", "refuse")
    assert found.lifecycle.require_review
    assert [change.key for change in loosening.held(written, floor)] == [
        "leases.per_actor",
        "lifecycle.require_review",
    ]
    assert loosening.restrained(found, floor) is found


def test_a_floor_follows_what_tightens_and_keeps_what_it_does_not_know() -> None:
    floor = {"leases.per_actor": 8, "of.another.version": True}
    found = loosening.tightest(floor, {"leases.per_actor": 4, "leases.guard": "require"})
    assert found == {"leases.per_actor": 4, "leases.guard": "require", "of.another.version": True}
    assert loosening.tightest(found, {"leases.per_actor": 99})["leases.per_actor"] == 4


def test_the_table_is_sorted_names_no_key_twice_and_every_key_is_a_setting() -> None:
    assert sorted(set(NAMES)) == NAMES
    settable = {".".join(path) for path, _ in config_faults.leaves(Config())}
    assert set(NAMES) <= settable
    assert set(loosening.COMMANDS) <= settable
    assert set(loosening.effective(Config())) == set(NAMES)


def test_commands_are_named_with_their_key_and_objects_as_json() -> None:
    said = Config(
        checks_allowlist=("pytest", Check(id="m", run=("make",))), ci=CiSettings(install_command="make install")
    )
    assert loosening.commands(said) == (
        "checks_allowlist: pytest",
        'checks_allowlist: {"id":"m","run":["make"]}',
        "ci.install_command: make install",
    )
    assert loosening.commands(Config()) == ()


def test_a_command_that_the_floor_lets_through_is_the_object_that_was_written() -> None:
    make, lint = Check(id="m", run=("make",)), Check(id="l", run=("lint",), runs=2)
    floor = loosening.effective(Config(checks_allowlist=(make,)))
    assert loosening.restrained(Config(checks_allowlist=(lint, make)), floor).checks_allowlist == (make,)


def test_a_policy_is_named_by_its_documents_and_by_nothing_else() -> None:
    texts = {"CONSTITUTION.md": "a", "config.yaml": "b"}
    digest = policy.digest_of(texts)
    assert policy.digest_of({**texts, "features.yaml": "c"}) == digest
    assert len({digest, policy.digest_of({**texts, "config.yaml": ""}), policy.digest_of({"config.yaml": "b"})}) == 3
    assert msgspec.convert(digest, str) == digest
