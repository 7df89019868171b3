"""Verdicts on a compiled policy: what bars work, what goes on, and that nothing forged passes."""

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from exo_sidecar.base import canonical
from exo_sidecar.kernel.verify_governance import verify_governance
from exo_sidecar.model.policy import BARRING, CONSTITUTION, Found, Lock, Seal, closed, text_of
from exo_sidecar.model.rule import FilesystemDeny, PatchFirst

TEXT, CONFIG, FEATURES, OTHER = "a" * 64, "b" * 64, "c" * 64, "d" * 64
RULES = (FilesystemDeny(id="SEC-001", patterns=("**/.env*",), actions=("read",)),)
FIRST = closed(Lock(source=OTHER, rules=()))
LOCK = closed(Lock(source=TEXT, rules=RULES, previous=(FIRST.digest,)))
SOURCES = {CONSTITUTION: TEXT, "config.yaml": CONFIG, "features.yaml": FEATURES}
SEAL = closed(Seal(sources=SOURCES, lock=LOCK.digest, rules=RULES))
KNOWN = frozenset({TEXT, CONFIG, FEATURES, OTHER, FIRST.digest, LOCK.digest, SEAL.digest})
GOOD = Found(sources=SOURCES, lock=text_of(LOCK), seal=text_of(SEAL), known=KNOWN)


def verdict(found: Found) -> str:
    return verify_governance(found).verdict


def test_what_fits_is_ok_and_given_back() -> None:
    found = verify_governance(GOOD)
    assert (found.verdict, found.reasons, found.changed, found.refusal) == ("ok", (), (), None)
    assert (found.lock, found.seal) == (LOCK, SEAL)


def test_a_changed_constitution_is_drift_and_bars_work() -> None:
    found = verify_governance(replace(GOOD, sources={**SOURCES, CONSTITUTION: "e" * 64}))
    assert found.verdict == "drift"
    assert found.reasons == (f"{CONSTITUTION} was changed since it was compiled",)
    assert found.refusal is not None
    assert (found.refusal.code, found.refusal.exit_status) == ("GOVERNANCE_DRIFT", 7)
    gone = verify_governance(replace(GOOD, sources={"config.yaml": CONFIG, "features.yaml": FEATURES}))
    assert gone.reasons[0] == f"{CONSTITUTION} is gone since it was compiled"


@pytest.mark.parametrize("name", ["config.yaml", "features.yaml", "requirements.yaml"])
def test_another_document_that_changed_makes_the_seal_stale(name: str) -> None:
    found = verify_governance(replace(GOOD, sources={**SOURCES, name: "e" * 64}))
    assert (found.verdict, found.changed, found.refusal) == ("stale", (name,), None)
    assert found.seal == SEAL


def test_a_new_lock_makes_the_seal_stale() -> None:
    newer = closed(Lock(source=TEXT, rules=(PatchFirst(id="P-1", patterns=("a",)),), previous=(LOCK.digest,)))
    found = verify_governance(replace(GOOD, lock=text_of(newer), known=KNOWN | {newer.digest}))
    assert found.verdict == "stale"
    assert found.reasons == ("policy.sealed.json was made from another lock",)


@pytest.mark.parametrize("part", ["lock", "seal"])
def test_what_is_missing_bars_work_and_says_how_to_go_on(part: str) -> None:
    found = verify_governance(replace(GOOD, **{part: None}))
    assert found.verdict == "missing"
    assert found.refusal is not None
    assert "exo compose" in found.refusal.hint


def test_two_versions_of_a_document_wait_for_a_person_and_bar_nobody() -> None:
    found = verify_governance(
        replace(GOOD, sources={**SOURCES, CONSTITUTION: "e" * 64}, unsettled=(CONSTITUTION,), loosened=("x",))
    )
    assert (found.verdict, found.refusal, found.changed) == ("unsettled", None, ())
    assert len(found.reasons) == 2


def test_a_policy_that_loosens_is_held() -> None:
    found = verify_governance(replace(GOOD, loosened=("rules.SEC-001",), sources={**SOURCES, "config.yaml": OTHER}))
    assert found.verdict == "held"
    assert found.reasons[0] == "it loosens what this clone trusts: rules.SEC-001"


def fields_of(value: Lock | Seal) -> list[str]:
    return [name for name in value.__struct_fields__ if name != "digest"]


CHANGED: dict[str, object] = {
    "version": 2,
    "source": OTHER,
    "rules": [],
    "previous": [OTHER],
    "sources": {CONSTITUTION: TEXT},
    "lock": FIRST.digest,
    "locked_paths": [{"feature": "x", "patterns": ["a"]}],
    "budgets": {**msgspec.to_builtins(SEAL.budgets), "max_steps": 51},
    "checks": [{**msgspec.to_builtins(SEAL), "id": "x"}],
    "co_update": [{"label": "x", "files": ["a"]}],
    "roles": [{"name": "x", "may": [], "patterns": [], "must_return": []}],
    "hooks": OTHER,
}


@pytest.mark.parametrize("name", fields_of(LOCK))
def test_each_field_of_a_lock_that_is_tampered_with_is_found(name: str) -> None:
    text = canonical.dumps({**msgspec.to_builtins(LOCK), name: CHANGED[name]}) + b"\n"  # type: ignore[dict-item]
    assert verdict(replace(GOOD, lock=text)) == "tampered"


@pytest.mark.parametrize("name", fields_of(SEAL))
def test_each_field_of_a_seal_that_is_tampered_with_is_found(name: str) -> None:
    text = canonical.dumps({**msgspec.to_builtins(SEAL), name: CHANGED[name]}) + b"\n"  # type: ignore[dict-item]
    found = verify_governance(replace(GOOD, seal=text))
    assert found.verdict == "tampered"
    assert found.seal is None
    assert found.refusal is not None
    assert (found.refusal.code, found.refusal.exit_status) == ("POLICY_TAMPERED", 7)


FORGED: dict[str, Callable[[], Found]] = {
    "a lock whose digest was made to fit": lambda: replace(GOOD, lock=text_of(closed(replace(LOCK, rules=())))),
    "a seal whose digest was made to fit": lambda: replace(GOOD, seal=text_of(closed(replace(SEAL, rules=())))),
    "a seal with other rules than its lock": lambda: _known(closed(replace(SEAL, rules=()))),
    "a seal after one that nobody made": lambda: _known(closed(replace(SEAL, previous=("e" * 64,)))),
    "a seal of a lock that nobody made": lambda: _known(closed(replace(SEAL, lock="e" * 64))),
    "a seal of a text that nobody wrote": lambda: _known(closed(replace(SEAL, sources={**SOURCES, "x": "e" * 64}))),
    "a lock of a text that nobody wrote": lambda: _known_lock(closed(replace(LOCK, source="e" * 64))),
    "a lock after one that nobody made": lambda: _known_lock(closed(replace(LOCK, previous=("e" * 64,)))),
    "a seal that is a lock": lambda: replace(GOOD, seal=text_of(LOCK)),
    "an empty seal": lambda: replace(GOOD, seal=b""),
}


def _known(seal: Seal) -> Found:
    return replace(GOOD, seal=text_of(seal), known=KNOWN | {seal.digest})


def _known_lock(lock: Lock) -> Found:
    seal = closed(replace(SEAL, lock=lock.digest))
    return replace(GOOD, lock=text_of(lock), seal=text_of(seal), known=KNOWN | {seal.digest, lock.digest})


@pytest.mark.parametrize("what", sorted(FORGED))
def test_what_is_forged_is_tampered_whatever_else_is_wrong(what: str) -> None:
    found = FORGED[what]()
    assert verdict(found) == "tampered"
    worse = replace(found, sources={}, unsettled=("config.yaml",), loosened=("x",))
    assert verdict(worse) == "tampered"


def test_what_bars_work_is_what_refuses_it() -> None:
    assert sorted(BARRING) == ["drift", "missing", "tampered"]
