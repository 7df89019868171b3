"""A lock or seal that is not what was written: found, recorded, never healed silently, passed over by people alone."""

from pathlib import Path

import pytest

from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model import policy as policies
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_policy import SUBJECT, PolicyAccepted, PolicyCompiled, PolicySealed
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.policy import LOCK_FILE, SEAL_FILE, Lock, Seal
from exo_sidecar.operations.context import Context
from tests.operations.test_doctor import section
from tests.support.policies import AGENT, ANN, begin, compiled, edit, error_of, events, mount, policy_of
from tests.support.repositories import git
from tests.support.working import Shop, a_lone_shop, a_shop


@pytest.mark.parametrize("name", [LOCK_FILE, SEAL_FILE])
def test_a_lock_or_seal_edited_by_hand_stops_every_start_until_a_person_accepts(tmp_path: Path, name: str) -> None:
    shop = a_lone_shop(tmp_path)
    digest = compiled(shop)[1].digest
    edit(shop, 0, name, ("SEC-001", "SEC-009"))
    tampered = (mount(shop) / name).read_bytes()
    assert section(shop, "policy")["verdict"] == "fail"
    for _ in range(2):
        error = error_of(begin(shop))
        assert (error["code"], error["exit"]) == ("POLICY_TAMPERED", 7)
        shop.exo(0, "sync")
    shop.ok(0, "ticket-edit", "T1", "--note", "work that needs no policy goes on", *ANN)
    assert events(shop).count("policy.tampered") == 1
    assert (mount(shop) / name).read_bytes() == tampered
    audited = shop.exo(0, "audit")
    assert audited.exit == 7
    assert "POLICY_TAMPERED" in audited.out
    assert shop.fails(0, "compose", *ANN)["code"] == "POLICY_TAMPERED"
    assert shop.fails(0, "build-governance", *ANN)["code"] == "POLICY_TAMPERED"
    accept = ("compose", "--accept-tampered", "--reason", "tried it out")
    assert shop.fails(0, *accept, *AGENT)["code"] == "HUMAN_REQUIRED"
    assert shop.fails(0, "compose", "--accept-tampered", *ANN)["code"] == "REASON_REQUIRED"
    assert shop.ok(0, *accept, *ANN)["accepted"] == [sha256_hex(tampered)]
    kept = list((mount(shop) / "cache" / "rejected").iterdir())
    assert [each.read_bytes() for each in kept] == [tampered]
    assert policy_of(begin(shop))["digest"] == digest
    assert shop.exo(0, "audit").exit == 0
    assert git(mount(shop), "status", "--porcelain") == ""


def test_nothing_is_reserved_under_a_policy_that_nobody_can_start_under(tmp_path: Path) -> None:
    shop = a_shop(tmp_path)
    edit(shop, 0, SEAL_FILE, ("SEC-001", "SEC-009"))
    for words in (("next",), ("next", "--ticket-id", "T1"), ("next", "--offline")):
        assert shop.fails(0, *words, *AGENT)["code"] == "POLICY_TAMPERED"
    assert shop.ok(0, "leases")["items"] == []
    assert shop.status(0, "T1") == "todo"
    shop.ok(0, "compose", "--accept-tampered", "--reason", "looked at it", *ANN)
    assert shop.ok(0, "next", *AGENT)["ticket_id"] == "TICKET-T1"


@pytest.mark.parametrize("name", [LOCK_FILE, SEAL_FILE])
def test_a_link_in_the_place_of_a_lock_or_seal_is_found_and_what_it_leads_to_is_left_alone(
    tmp_path: Path, name: str
) -> None:
    shop = a_lone_shop(tmp_path / "shop")
    looser = tmp_path / "looser"
    looser.write_text((mount(shop) / name).read_text().replace("SEC-001", "SEC-009"))
    (mount(shop) / name).unlink()
    (mount(shop) / name).symlink_to(looser)
    assert section(shop, "policy")["verdict"] == "fail"
    assert error_of(begin(shop))["code"] == "POLICY_TAMPERED"
    shop.ok(0, "compose", "--accept-tampered", "--reason", "looked at it", *ANN)
    assert begin(shop).exit == 0
    assert not (mount(shop) / name).is_symlink()
    assert "SEC-009" in looser.read_text()


def test_putting_an_edited_seal_back_does_not_undo_that_it_was_found(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, SEAL_FILE, ("SEC-001", "SEC-009"))
    assert error_of(begin(shop))["code"] == "POLICY_TAMPERED"
    git(mount(shop), "checkout", "--", SEAL_FILE)
    assert error_of(begin(shop))["code"] == "POLICY_TAMPERED"
    shop.ok(0, "compose", "--accept-tampered", "--reason", "put back", *ANN)
    assert policy_of(begin(shop))["verdict"] == "ok"


def test_a_seal_edited_while_a_session_works_stops_its_review_and_not_its_end(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    assert begin(shop).exit == 0
    edit(shop, 0, SEAL_FILE, ("SEC-001", "SEC-009"))
    assert shop.fails(0, "session-finish", "--summary", "x", *AGENT)["code"] == "POLICY_TAMPERED"
    ended = shop.ok(0, "session-finish", "--summary", "x", "--set-status", "todo", *AGENT)
    assert ended["policy"]["verdict"] == "tampered"


def test_a_seal_committed_by_hand_is_kept_aside_and_found_all_the_same(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, SEAL_FILE, ("SEC-001", "SEC-009"))
    git(mount(shop), "commit", "-q", "-am", "by hand")
    shop.ok(0, "ticket-edit", "T1", "--note", "x", *ANN)
    assert error_of(begin(shop))["code"] == "POLICY_TAMPERED"
    assert "SEC-009" not in (mount(shop) / SEAL_FILE).read_text()


def forged(
    shop: Shop, number: int, *data: PolicyAccepted | PolicyCompiled | PolicySealed, actor: str = "human:mallory"
) -> None:
    """Write policy events that no program of ours would."""
    drafts = tuple(Draft(subject=SUBJECT, data=each) for each in data)
    with Context.open(shop.clones[number], environ={"HOME": "/"}, actor=actor) as ctx:
        ctx.begin("forged", {})
        ctx.store.transact(lambda _: Outcome(events=drafts), ctx.stamp())


def sealed_event(seal: Seal) -> PolicySealed:
    """Return the event of a seal."""
    text = policies.text_of(seal).decode()
    return PolicySealed(digest=seal.digest, lock=seal.lock, sources=seal.sources, text=text, previous=seal.previous)


def forgeries(lock: Lock, seal: Seal) -> dict[str, tuple[PolicyCompiled | PolicySealed, ...]]:
    """Return events that pretend to be the policy."""
    fewer = tuple(rule for rule in lock.rules if rule.id != "SEC-001")
    unsigned = Seal(**{**{name: getattr(seal, name) for name in seal.__struct_fields__}, "rules": fewer})
    other_lock = policies.closed(Lock(source=lock.source, rules=fewer, previous=(lock.digest,)))
    text = policies.text_of(other_lock).decode()
    compiled_anew = PolicyCompiled(digest=other_lock.digest, source=lock.source, text=text, previous=(lock.digest,))
    over = Seal(sources=seal.sources, lock=other_lock.digest, rules=fewer, roles=seal.roles, previous=(seal.digest,))
    stranger = Seal(sources=seal.sources, lock=lock.digest, rules=lock.rules, roles=seal.roles, previous=("9" * 64,))
    return {
        "digest": (sealed_event(unsigned),),
        "rules": (compiled_anew, sealed_event(policies.closed(over))),
        "predecessor": (sealed_event(policies.closed(stranger)),),
        "text": (PolicySealed(digest="1" * 64, lock=lock.digest, sources={}, text="no seal"),),
    }


@pytest.mark.parametrize("kind", ["digest", "rules", "predecessor", "text"])
def test_a_forged_event_is_refused_in_every_clone_until_a_person_accepts(tmp_path: Path, kind: str) -> None:
    shop = a_shop(tmp_path, clones=2)
    lock, seal = compiled(shop)
    forged(shop, 1, *forgeries(lock, seal)[kind])
    shop.ok(1, "sync")
    shop.ok(0, "sync")
    error = error_of(begin(shop))
    assert (error["code"], error["exit"]) == ("POLICY_TAMPERED", 7)
    assert section(shop, "policy")["verdict"] == "fail"
    assert error_of(begin(shop))["code"] == "POLICY_TAMPERED"
    assert events(shop).count("policy.tampered") <= 2
    shop.ok(0, "compose", "--accept-tampered", "--reason", "forged", *ANN)
    assert policy_of(begin(shop))["verdict"] == "ok"
    assert "SEC-001" in {rule.id for rule in compiled(shop)[1].rules}
    shop.ok(0, "sync")
    shop.ok(1, "sync")
    assert policy_of(begin(shop, 1, "T2"))["verdict"] == "ok"


def test_an_acceptance_that_an_agent_wrote_past_exo_accepts_nothing(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=2)
    genuine = (mount(shop) / SEAL_FILE).read_text()
    edit(shop, 0, SEAL_FILE, ("SEC-001", "SEC-009"))
    assert error_of(begin(shop))["code"] == "POLICY_TAMPERED"
    found = sha256_hex((mount(shop) / SEAL_FILE).read_bytes())
    for number in (0, 1):
        shop.ok(number, "sync")
    for actor, is_over in (("agent:mallory", False), ("human:ann", True)):
        forged(shop, 1, PolicyAccepted(found=(found,), reason="fine"), actor=actor)
        for number in (1, 0):
            shop.ok(number, "sync")
        (mount(shop) / SEAL_FILE).write_text(genuine)
        assert (begin(shop).exit == 0) is is_over


def test_a_dry_run_verifies_and_writes_nothing(tmp_path: Path) -> None:
    shop = a_lone_shop(tmp_path)
    edit(shop, 0, SEAL_FILE, ("SEC-001", "SEC-009"))
    tip = shop.tip()
    ran = shop.exo(0, "session-start", "--ticket-id", "T1", "--dry-run", *AGENT)
    assert error_of(ran)["code"] == "POLICY_TAMPERED"
    assert shop.fails(0, "compose", "--dry-run", *ANN)["code"] == "POLICY_TAMPERED"
    assert shop.tip() == tip
