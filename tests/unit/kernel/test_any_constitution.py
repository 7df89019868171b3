"""Whatever somebody writes as a rule, there is an answer: a lock that can be read back, or faults with their lines."""

from hypothesis import given, settings
from hypothesis import strategies as st

from exo_sidecar.base.canonical import Json
from exo_sidecar.kernel.load_governance import load_governance
from exo_sidecar.kernel.verify_governance import verify_governance
from exo_sidecar.model.policy import Constitution, Found, Lock, RuleInvalid, RuleSource, Seal, closed, read, text_of
from exo_sidecar.model.rule import TYPES

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["a", "src/**", "~/x", "/x", "read", "write", "deny", "done", "SEC-001", "[a", "{", "(a", "a{2}", "A0"]
    ),
    st.characters(categories=["Cs", "Cc"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), TEXTS)
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = sorted({field for kind in TYPES.values() for field in kind.__struct_encode_fields__} - {"id", "type"})
RULES: st.SearchStrategy[Json] = st.one_of(
    VALUES,
    st.builds(
        lambda kind, name, fields: {"id": name, "type": kind, **fields},
        st.sampled_from([*TYPES, "x"]),
        st.one_of(st.just("SEC-001"), st.just("A-2"), TEXTS),
        st.dictionaries(
            st.sampled_from([*FIELDS, "pattern"]), st.one_of(VALUES, st.lists(TEXTS, max_size=3)), max_size=4
        ),
    ),
)


@given(st.lists(RULES, max_size=4))
@settings(max_examples=150)
def test_any_rules_are_compiled_or_refused_with_their_lines(values: list[Json]) -> None:
    sources = tuple(RuleSource(line=place, value=value) for place, value in enumerate(values, 1))
    found = load_governance(Constitution(source="a" * 64, rules=sources, checks=frozenset({"pytest"})))
    if isinstance(found, Lock):
        assert read(text_of(found), Lock) == found
        assert len(found.rules) == len(values)
    else:
        assert isinstance(found, RuleInvalid)
        assert all(1 <= fault.line <= len(values) and fault.message for fault in found.faults)
        assert found.message


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_in_the_place_of_lock_and_seal_are_tampered(lock: bytes, seal: bytes) -> None:
    found = verify_governance(Found(sources={}, lock=lock, seal=seal, known=frozenset()))
    assert (found.verdict, found.lock, found.seal) == ("tampered", None, None)


@given(st.data())
def test_one_byte_of_a_seal_that_is_another_is_found(data: st.DataObject) -> None:
    seal = closed(Seal(sources={}, lock="0" * 64))
    good = text_of(seal)
    place = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != good[place]))
    changed = good[:place] + bytes([byte]) + good[place + 1 :]
    known = frozenset({"0" * 64, seal.digest})
    assert verify_governance(Found(sources={}, lock=None, seal=good, known=known)).seal == seal
    assert verify_governance(Found(sources={}, lock=None, seal=changed, known=known)).verdict == "tampered"
