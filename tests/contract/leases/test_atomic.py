"""The governance branch and the lease in one push: both arrive or neither."""

from pathlib import Path

import pytest

from exo_sidecar.git.commits import Commit, serialise
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.leases.refs import BranchBehind, BranchUpdate, Seen
from exo_sidecar.model.errors import ExoError, LeaseLost
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.lease import Lease
from tests.support.leasing import TICKET, Party, a_site
from tests.support.repositories import git

BRANCH = "refs/heads/exo-governance"
PERSON = "exo <exo@localhost>"


def _commit(party: Party, parent: Oid | None, text: str) -> Oid:
    commit = Commit(EMPTY_TREE, (parent,) if parent else (), PERSON, 1, PERSON, 1, text)
    return party.repository.objects.write([("tree", b""), ("commit", serialise(commit))])[1]


def _hub_ref(hub: Path, ref: str) -> str:
    return git(hub, "for-each-ref", "--format=%(objectname)", ref)


@pytest.mark.parametrize("atomic", [True, False])
def test_branch_and_lease_arrive_together(tmp_path: Path, *, atomic: bool) -> None:
    with a_site("hub", tmp_path) as site:
        git(site.hub, "config", "receive.advertiseAtomic", str(atomic).lower())
        party = site.party("SES-AAAA")
        party.leases.swap(TICKET, party.claiming())
        root = _commit(party, None, "root")
        tip = _commit(party, root, "finish")
        done = party.leases.swap(TICKET, party.releasing(), branch=BranchUpdate(BRANCH, tip))
        assert done.after.lease.state == "released"
        assert _hub_ref(site.hub, BRANCH) == tip
        assert _hub_ref(site.hub, f"refs/exo/leases/{TICKET}") == done.after.oid
        git(site.hub, "fsck", "--strict")


@pytest.mark.parametrize("atomic", [True, False])
def test_a_lost_lease_refuses_the_branch_too(tmp_path: Path, *, atomic: bool) -> None:
    with a_site("hub", tmp_path) as site:
        git(site.hub, "config", "receive.advertiseAtomic", str(atomic).lower())
        first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
        first.leases.swap(TICKET, first.claiming())
        second.leases.listing()
        second.boot.seconds += 10_000
        second.leases.swap(TICKET, second.taking_over())
        tip = _commit(first, None, "late")
        with pytest.raises(LeaseLost):
            first.leases.swap(TICKET, first.releasing(), branch=BranchUpdate(BRANCH, tip))
        assert _hub_ref(site.hub, BRANCH) == ""


def test_a_take_over_between_advertisement_and_update_refuses_the_branch_too(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
        first.leases.swap(TICKET, first.claiming())
        second.leases.listing()
        second.boot.seconds += 10_000
        tip = _commit(first, None, "late")
        releasing = first.releasing()
        shown: list[int] = []

        def overtaken(seen: Seen | None) -> Lease | ExoError:
            if not shown:
                second.leases.swap(TICKET, second.taking_over())
            shown.append(seen.lease.epoch if seen else 0)
            return releasing(seen)

        with pytest.raises(LeaseLost):
            first.leases.swap(TICKET, overtaken, branch=BranchUpdate(BRANCH, tip))
        assert shown == [1, 2]
        assert _hub_ref(site.hub, BRANCH) == ""


def test_a_branch_that_is_not_a_fast_forward_is_reported_and_leaves_the_lease(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party, other = site.party("SES-AAAA"), site.party("SES-BBBB")
        claimed = party.leases.swap(TICKET, party.claiming())
        other.leases.swap(
            TicketId("TICKET-0009"),
            other.claiming(TicketId("TICKET-0009")),
            branch=BranchUpdate(BRANCH, _commit(other, None, "theirs")),
        )
        with pytest.raises(BranchBehind) as caught:
            party.leases.swap(TICKET, party.releasing(), branch=BranchUpdate(BRANCH, _commit(party, None, "ours")))
        assert (caught.value.code, caught.value.exit_status) == ("BRANCH_BEHIND", 5)
        assert party.leases.read(TICKET) == claimed.after


def test_a_branch_that_moves_between_advertisement_and_update_is_reported(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        claimed = party.leases.swap(TICKET, party.claiming())
        root = _commit(party, None, "root")
        mine = _commit(party, root, "mine")
        releasing = party.releasing()

        def overtaken(seen: Seen | None) -> Lease | ExoError:
            foreign = git(site.hub, "commit-tree", "-m", "theirs", git(site.hub, "rev-parse", "HEAD^{tree}"))
            git(site.hub, "update-ref", BRANCH, foreign)
            return releasing(seen)

        with pytest.raises(BranchBehind):
            party.leases.swap(TICKET, overtaken, branch=BranchUpdate(BRANCH, mine))
        assert party.leases.read(TICKET) == claimed.after


def test_a_branch_that_is_there_already_does_not_hinder_the_lease(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        tip = _commit(party, None, "root")
        party.leases.swap(TICKET, party.claiming(), branch=BranchUpdate(BRANCH, tip))
        done = party.leases.swap(TICKET, party.releasing(), branch=BranchUpdate(BRANCH, tip))
        assert done.outcome == "won"
        assert _hub_ref(site.hub, BRANCH) == tip
