"""Reading a lease again brings what is new of it only, however long its history has become."""

from pathlib import Path

import pytest

from exo_sidecar.git import fetch
from exo_sidecar.model.ids import TicketId
from tests.support.leasing import TICKET, Party, a_site
from tests.support.repositories import git

OTHER = TicketId("TICKET-0002")
HISTORY = 6


def brought(party: Party) -> list[int]:
    """Return how many commits each fetch so far has brought, sorted."""
    packs = sorted(party.repository.place.common.glob("objects/pack/*.idx"))
    listed = [git(party.repository.place.common, "verify-pack", "-v", str(pack)) for pack in packs]
    return sorted(sum(" commit " in line for line in text.splitlines()) for text in listed)


@pytest.fixture
def _packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LOOSE_OBJECTS_MAX", 0)


@pytest.mark.usefixtures("_packs")
def test_a_value_is_fetched_without_the_history_that_was_read_before(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        holder, reader = site.party("SES-AAAA"), site.party("SES-BBBB")
        holder.leases.swap(TICKET, holder.claiming())
        for _ in range(HISTORY - 1):
            holder.leases.swap(TICKET, holder.beating())
        reader.leases.read(TICKET)
        assert brought(reader) == [HISTORY]
        holder.leases.swap(TICKET, holder.beating())
        reader.leases.swap(OTHER, reader.claiming())  # its advertisement shows a value that is not fetched
        holder.leases.swap(TICKET, holder.beating())
        reader.leases.survey()
        assert brought(reader) == [2, HISTORY]


@pytest.mark.usefixtures("_packs")
def test_of_many_values_each_comes_without_its_history(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        holder, reader = site.party("SES-AAAA"), site.party("SES-BBBB")
        tickets = [TicketId(f"TICKET-{number:04}") for number in range(4)]
        for ticket in tickets * 2:
            holder.leases.swap(ticket, holder.claiming(ticket))
        reader.leases.survey()
        assert brought(reader) == [2 * len(tickets)]
        for ticket in tickets:
            holder.leases.swap(ticket, holder.claiming(ticket))
        reader.leases.survey()
        assert brought(reader) == [len(tickets), 2 * len(tickets)]


@pytest.mark.usefixtures("_packs")
def test_a_value_that_git_has_pruned_is_fetched_with_all_its_history(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        holder, reader = site.party("SES-AAAA"), site.party("SES-BBBB")
        holder.leases.swap(TICKET, holder.claiming())
        reader.leases.read(TICKET)
        git(reader.repository.place.common, "gc", "-q", "--prune=now")
        holder.leases.swap(TICKET, holder.beating())
        reader.leases.read(TICKET)
        assert max(brought(reader)) == 2
