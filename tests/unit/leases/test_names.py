"""Names of lease refs: one ref per ticket and one for the authority, in either mode."""

import pytest

from exo_sidecar.leases import names
from exo_sidecar.leases.names import BRANCHES, REFS, Names
from tests.support.leasing import TICKET


@pytest.mark.parametrize("mode", [REFS, BRANCHES])
def test_only_names_of_tickets_are_lease_refs(mode: Names) -> None:
    assert mode.ref_of(TICKET) == f"{mode.prefix}TICKET-0001"
    assert mode.ticket_of(mode.ref_of(TICKET)) == TICKET
    others = (mode.prefix, f"{mode.prefix}ticket-1", f"{mode.prefix}TICKET-1/x", "refs/heads/TICKET-0001")
    for name in (*others, mode.authority):
        assert mode.ticket_of(name) is None


def test_the_modes_share_no_ref() -> None:
    assert REFS.ticket_of(BRANCHES.ref_of(TICKET)) is None
    assert BRANCHES.ticket_of(REFS.ref_of(TICKET)) is None
    assert (names.of("refs"), names.of("branch")) == (REFS, BRANCHES)
