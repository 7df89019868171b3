"""One suite for leases over every way to reach a hub: a path, git's daemon, nginx with a password, ssh with a key."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exo_sidecar.git.commits import Commit, serialise
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.git.push import OK, Update, push
from exo_sidecar.git.remote import Remote
from exo_sidecar.leases import names
from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.refs import BranchBehind, BranchUpdate, LeaseUnsupported
from exo_sidecar.leases.rules import LeaseNotStale, stale_after_seconds
from exo_sidecar.model.errors import LeaseHeld, LeaseLost, RemoteDenied, RemoteUnreachable
from exo_sidecar.model.ids import TicketId
from tests.support.leasing import TICKET, Party, Site
from tests.support.process import Command, parallel
from tests.support.repositories import a_hub, a_repository, git
from tests.support.servers import ground, hubs, kinds, nginx, sshd
from tests.support.servers.ground import Server
from tests.support.servers.kinds import KINDS, Mode

ROOT = Path(__file__).parents[3]
BRANCH = "refs/heads/exo-governance"
OTHER = TicketId("TICKET-0002")
PERSON = "exo <exo@localhost>"
PATIENCE_SECONDS = 10.0
RACERS, ROUNDS = 3, 3


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A place that holds leases."""
    kinds.need(request.param)
    with kinds.a_served_site(request.param, tmp_path) as found:
        yield found


def _commit(party: Party, parent: Oid | None, text: str) -> Oid:
    commit = Commit(EMPTY_TREE, (parent,) if parent else (), PERSON, 1, PERSON, 1, text)
    return party.repository.objects.write([("tree", b""), ("commit", serialise(commit))])[1]


def _hub_ref(site: Site, ref: str) -> str:
    return git(site.hub, "for-each-ref", "--format=%(objectname)", ref)


def _pending(party: Party) -> int:
    return len(Intents(party.repository.place.common).pending())


def _a_life(site: Site, mode: Mode) -> None:
    """Claim, be refused, beat, release, claim again: the life of a lease."""
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    won = first.leases.swap(TICKET, first.claiming())
    with pytest.raises(LeaseHeld, match=r"SES-AAAA.*epoch 1"):
        second.leases.swap(TICKET, second.claiming())
    beaten = first.leases.swap(TICKET, first.beating())
    assert (beaten.before, beaten.after.lease.epoch) == (won.after, 1)
    released = first.leases.swap(TICKET, first.releasing())
    assert second.leases.read(TICKET) == released.after
    assert _hub_ref(site, names.of(mode).ref_of(TICKET)) == released.after.oid, "a tombstone keeps the counter"
    assert second.leases.swap(TICKET, second.claiming()).after.lease.epoch == 2
    with pytest.raises(LeaseLost):
        first.leases.swap(TICKET, first.beating())
    assert (_pending(first), _pending(second)) == (0, 0)
    git(site.hub, "fsck", "--strict")


def test_a_lease_is_claimed_kept_released_and_claimed_again(site: Site) -> None:
    _a_life(site, "refs")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hub_that_refuses_custom_refs_keeps_leases_as_branches(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    with kinds.a_served_site(kind, tmp_path, "branch") as site:
        hubs.refuse_custom_refs(site.hub)
        _a_life(site, "branch")
        party = site.party("SES-CCCC")
        with pytest.raises(LeaseHeld):
            party.leases.claim_first([TICKET], lambda ticket, seen: party.claiming(ticket)(seen))
        assert list(party.leases.listing()) == [TICKET]


def test_a_hub_that_refuses_custom_refs_is_named_with_its_words(site: Site) -> None:
    hubs.refuse_custom_refs(site.hub)
    party = site.party("SES-AAAA")
    with pytest.raises(LeaseUnsupported, match="origin") as caught:
        party.leases.swap(TICKET, party.claiming())
    assert (caught.value.code, caught.value.exit_status) == ("LEASE_UNSUPPORTED", 8)
    assert "hook declined" in caught.value.message
    assert _pending(party) == 0


def test_a_hub_that_refuses_deletes_is_good_enough(site: Site) -> None:
    hubs.refuse_deletes(site.hub)
    _a_life(site, "refs")


def test_a_silent_holder_is_succeeded_after_the_watch_and_no_sooner(site: Site) -> None:
    first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
    claimed = first.leases.swap(TICKET, first.claiming())
    second.leases.listing()
    second.boot.seconds += stale_after_seconds(claimed.after.lease.ttl_seconds)
    with pytest.raises(LeaseNotStale):
        second.leases.swap(TICKET, second.taking_over())
    second.boot.seconds += 1
    taken = second.leases.swap(TICKET, second.taking_over())
    assert (taken.before, taken.after.lease.epoch) == (claimed.after, 2)
    with pytest.raises(LeaseLost):
        first.leases.swap(TICKET, first.releasing(), branch=BranchUpdate(BRANCH, _commit(first, None, "late")))
    assert _hub_ref(site, BRANCH) == ""


@pytest.mark.parametrize("atomic", [True, False])
def test_branch_and_release_arrive_together_the_branch_first(site: Site, *, atomic: bool) -> None:
    if not atomic:
        hubs.withhold_atomic(site.hub)
    party = site.party("SES-AAAA")
    party.leases.swap(TICKET, party.claiming())
    diary = hubs.keep_diary(site.hub)
    tip = _commit(party, _commit(party, None, "root"), "finish")
    done = party.leases.swap(TICKET, party.releasing(), branch=BranchUpdate(BRANCH, tip))
    assert diary.read_text().split() == [BRANCH, names.REFS.ref_of(TICKET)]
    assert _hub_ref(site, BRANCH) == tip
    assert _hub_ref(site, names.REFS.ref_of(TICKET)) == done.after.oid


@pytest.mark.parametrize("atomic", [True, False])
def test_a_branch_that_moved_there_leaves_the_lease_as_it_was(site: Site, *, atomic: bool) -> None:
    if not atomic:
        hubs.withhold_atomic(site.hub)
    party = site.party("SES-AAAA")
    claimed = party.leases.swap(TICKET, party.claiming())
    git(site.hub, "update-ref", BRANCH, git(site.hub, "rev-parse", "HEAD"))
    with pytest.raises(BranchBehind):
        party.leases.swap(TICKET, party.releasing(), branch=BranchUpdate(BRANCH, _commit(party, None, "ours")))
    assert party.leases.read(TICKET) == claimed.after


@pytest.mark.parametrize("atomic", [True, False])
def test_a_push_says_whether_the_server_took_it_as_one(site: Site, *, atomic: bool) -> None:
    if not atomic:
        hubs.withhold_atomic(site.hub)
    party = site.party("SES-AAAA")
    updates = [Update("refs/heads/one", _commit(party, None, "1")), Update("refs/heads/two", _commit(party, None, "2"))]
    pushed = push(party.repository, Remote("origin", site.url), lambda _: updates, atomic=True)
    assert pushed.atomic == atomic
    assert pushed.status == {"refs/heads/one": OK, "refs/heads/two": OK}


def test_a_listing_finds_the_leases_among_many_other_refs(site: Site) -> None:
    hubs.crowd(site.hub, 2000)
    party, reader = site.party("SES-AAAA"), site.party("SES-BBBB")
    found = {ticket: party.leases.swap(ticket, party.claiming(ticket)).after for ticket in (TICKET, OTHER)}
    assert reader.leases.listing() == found


@pytest.mark.parametrize("kind", ["daemon", "nginx"])
def test_a_listing_brings_no_other_refs_over_the_line(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    with kinds.a_bad_line(kind, tmp_path) as (server, line):
        site = kinds.a_site_at(server, tmp_path)
        hubs.crowd(site.hub, 2000)
        party = site.party("SES-AAAA")
        party.leases.swap(TICKET, party.claiming())
        before = line.heard
        assert list(site.party("SES-BBBB").leases.listing()) == [TICKET]
        assert line.heard - before < 8000, "2000 refs are a hundred kilobytes"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_died_right_after_the_claim_leaves_a_claim(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    with kinds.a_served_site(kind, tmp_path) as site:
        party = site.party("SES-AAAA")
        hubs.die_once_after_update(site.hub)
        won = party.leases.swap(TICKET, party.claiming())
        assert (won.outcome, won.after.lease.epoch) == ("won", 1)
        assert git(site.hub, "rev-list", "--count", names.REFS.ref_of(TICKET)) == "1"
        hubs.die_once_before_update(site.hub)
        assert party.leases.swap(TICKET, party.releasing()).after.lease.state == "released"
        assert git(site.hub, "rev-list", "--count", names.REFS.ref_of(TICKET)) == "2"
        assert _pending(party) == 0


@pytest.mark.parametrize("kind", ["daemon", "nginx", "sshd"])
def test_who_is_not_let_in_is_told_so(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    with kinds.a_server(kind, tmp_path) as server:
        site = kinds.a_site_at(_locked(kind, server, tmp_path), tmp_path)
        party = site.party("SES-AAAA")
        with pytest.raises(RemoteDenied, match="origin") as caught:
            party.leases.swap(TICKET, party.claiming())
        assert (caught.value.code, caught.value.exit_status) == ("REMOTE_DENIED", 8)
        assert "guess" not in caught.value.message + caught.value.hint
        assert _pending(party) == 0
        assert _hub_ref(site, names.REFS.ref_of(TICKET)) == ""


def _locked(kind: str, server: Server, folder: Path) -> Server:
    """Return the server as one sees it who has the wrong key."""
    match kind:
        case "nginx":
            return server._replace(settings={"credential.helper": nginx.credential_helper("guess")})
        case "sshd":
            return server._replace(settings=sshd.with_another_key(server, folder))
        case _:
            hub = a_hub(folder)
            git(hub, "config", "daemon.receivepack", "false")
            return server


@pytest.mark.parametrize("kind", KINDS)
def test_a_hub_that_is_gone_is_unreachable_within_the_limit(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    with kinds.a_server(kind, tmp_path) as server:
        site = kinds.a_site_at(server, tmp_path, timeout_seconds=PATIENCE_SECONDS)
        party = site.party("SES-AAAA")
        party.leases.swap(TICKET, party.claiming())
        if kind == "path":
            site.hub.rename(tmp_path / "away.git")
    began = time.monotonic()
    for act in (lambda: party.leases.swap(TICKET, party.beating()), party.leases.listing):
        with pytest.raises(RemoteUnreachable, match="origin") as caught:
            act()
        assert (caught.value.code, caught.value.exit_status) == ("REMOTE_UNREACHABLE", 8)
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert _pending(party) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_of_processes_that_race_each_round_has_one_winner_and_a_higher_token(kind: str, tmp_path: Path) -> None:
    kinds.need(kind)
    hub = a_hub(tmp_path)
    with kinds.a_server(kind, tmp_path) as server:
        clones = [a_repository(tmp_path, f"clone-{number}") for number in range(RACERS)]
        for clone in clones:
            server.equip(clone)
        script = (sys.executable, "-m", "tests.support.claimer")
        ran = parallel(
            [
                Command(ROOT, (*script, str(clone), server.url(), f"SES-R{number}", str(ROUNDS)))
                for number, clone in enumerate(clones)
            ]
        )
    assert [(one.exit, one.err) for one in ran] == [(0, "")] * RACERS
    epochs = [epoch for one in ran for epoch in one.data["won"]]
    assert sorted(epochs) == list(range(1, len(epochs) + 1))
    assert all(one.data["won"] == sorted(one.data["won"]) for one in ran)
    assert git(hub, "rev-list", "--count", names.REFS.ref_of(TICKET)) == str(2 * len(epochs))


def test_no_server_is_left_behind(tmp_path: Path) -> None:
    kinds.need("nginx")
    with kinds.a_server("nginx", tmp_path) as server:
        port = int(server.address.rpartition(":")[2])
        assert ground.answers(port)
    assert not ground.answers(port)
