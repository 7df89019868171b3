"""The authority: one id per place, whoever asks first; another id is another place."""

from pathlib import Path

import pytest

from exo_sidecar.git.locate import locate
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import authority
from exo_sidecar.leases.names import BRANCHES, REFS
from exo_sidecar.leases.refs import LeaseUnsupported, LocalLeases, RemoteLeases, open_leases
from exo_sidecar.leases.seen import AuthorityMismatch
from exo_sidecar.model.lease import Authority
from tests.support.leasing import AUTHORITY, TICKET, ManualBoot, Party, a_site
from tests.support.leasing import Counter as Nonces
from tests.support.repositories import a_clone, a_hub, a_repository, git

OTHER = "cd" * 16


def _clone(hub: Path, name: str) -> Repository:
    return Repository(locate(a_clone(hub, name)))


@pytest.mark.parametrize("is_local", [True, False])
def test_the_second_who_establishes_adopts_the_first_ones_id(tmp_path: Path, *, is_local: bool) -> None:
    hub = a_hub(tmp_path)
    repository = _clone(hub, "one")
    remote = None if is_local else Remote("origin", str(hub))
    assert authority.probe(repository, remote) is None
    assert authority.establish(repository, remote, AUTHORITY) == (AUTHORITY, True)
    assert authority.establish(repository, remote, OTHER) == (AUTHORITY, False)
    assert authority.probe(repository, remote) == AUTHORITY


def test_an_authority_is_known_by_a_clone_that_never_saw_it(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    remote = Remote("origin", str(hub))
    authority.establish(_clone(hub, "one"), remote, AUTHORITY)
    assert authority.probe(_clone(hub, "two"), remote) == AUTHORITY
    git(hub, "fsck", "--strict")


def test_a_remote_that_shows_another_id_is_not_the_authority(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    repository = _clone(hub, "one")
    remote = Remote("origin", str(hub))
    boot = ManualBoot()
    leases = RemoteLeases(repository, remote, clock=boot, authority=Authority(id=OTHER))
    party = Party(repository, leases, "SES-AAAA", boot, Nonces())
    for refused in (leases.listing, lambda: leases.swap(TICKET, party.claiming())):
        with pytest.raises(AuthorityMismatch, match="shows no authority"):
            refused()
    authority.establish(repository, remote, AUTHORITY)
    for refused in (leases.listing, lambda: leases.swap(TICKET, party.claiming())):
        with pytest.raises(AuthorityMismatch, match="another authority"):
            refused()
    assert RemoteLeases(repository, remote, clock=boot, authority=Authority(id=AUTHORITY)).listing() == {}


def test_a_ref_that_is_no_authority_is_not_taken_for_one(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    git(hub, "update-ref", REFS.authority, "HEAD")
    with pytest.raises(AuthorityMismatch):
        authority.probe(_clone(hub, "one"), Remote("origin", str(hub)))


def test_a_server_that_hides_the_refs_of_exo_is_unsupported(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    git(hub, "config", "receive.hideRefs", "refs/exo")
    with pytest.raises(LeaseUnsupported, match="refs/exo/authority"):
        authority.establish(_clone(hub, "one"), Remote("origin", str(hub)), AUTHORITY)


def test_where_only_branches_may_be_made_leases_are_branches(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    git(hub, "config", "receive.hideRefs", "refs/exo")
    repository, remote, boot = _clone(hub, "one"), Remote("origin", str(hub)), ManualBoot()
    place = Authority(id=AUTHORITY, remote="origin", mode="branch")
    assert authority.establish(repository, remote, AUTHORITY, BRANCHES) == (AUTHORITY, True)
    leases = open_leases(repository, place, clock=boot, operation="test")
    party = Party(repository, leases, "SES-AAAA", boot, Nonces())
    won = leases.swap(TICKET, party.claiming())
    assert git(hub, "rev-parse", f"refs/heads/exo-leases/{TICKET}") == won.after.oid
    assert set(leases.listing()) == {TICKET}
    assert authority.probe(repository, remote) is None
    with pytest.raises(AuthorityMismatch):
        open_leases(
            repository, Authority(id=OTHER, remote="origin", mode="branch"), clock=boot, operation="test"
        ).listing()


def test_the_recorded_authority_opens_the_place_that_it_names(tmp_path: Path) -> None:
    hub = a_hub(tmp_path)
    repository = _clone(hub, "one")
    boot = ManualBoot()
    there = open_leases(repository, Authority(id=AUTHORITY, remote="origin"), clock=boot, operation="test")
    here = open_leases(repository, Authority(id=AUTHORITY), clock=boot, operation="test")
    assert isinstance(there, RemoteLeases)
    assert isinstance(here, LocalLeases)


def test_leases_of_a_local_authority_are_told_apart_from_those_of_a_remote(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        party.leases.swap(TICKET, party.claiming())
        assert LocalLeases(party.repository, clock=party.boot).read(TICKET) is None
        assert a_repository(tmp_path, "unrelated").is_dir()
