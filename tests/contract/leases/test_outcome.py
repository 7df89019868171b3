"""Replies that never come: the outcome is read from the ref, and what cannot be read is called unknown."""

from pathlib import Path

import pytest

from exo_sidecar.leases.intents import Intents
from exo_sidecar.leases.refs import LeaseUnknown, LeaseUnsupported
from exo_sidecar.model.errors import LeaseHeld
from tests.support.leasing import TICKET, a_site
from tests.support.repositories import git

KILL_AFTER_UPDATE = '#!/bin/sh\n[ "$1" = committed ] || exit 0\nrm -f "$0"\n{then}\nkill -9 $PPID\n'
KILL_BEFORE_UPDATE = "#!/bin/sh\n{then}\nkill -9 $PPID\n"
REFUSE = "#!/bin/sh\necho refused by policy >&2\nexit 1\n"


def _hook(hub: Path, name: str, text: str) -> Path:
    hook = hub / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(text)
    hook.chmod(0o755)
    return hook


def test_a_lost_reply_to_a_claim_that_landed_is_a_claim(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        _hook(site.hub, "reference-transaction", KILL_AFTER_UPDATE.format(then=""))
        won = party.leases.swap(TICKET, party.claiming())
        assert won.outcome == "won"
        assert git(site.hub, "rev-parse", f"refs/exo/leases/{TICKET}") == won.after.oid
        assert git(site.hub, "rev-list", "--count", won.after.oid) == "1"
        assert Intents(party.repository.place.common).pending() == ()


def test_a_server_that_died_before_the_update_is_asked_again(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        _hook(site.hub, "pre-receive", KILL_BEFORE_UPDATE.format(then='rm -f "$0"'))
        won = party.leases.swap(TICKET, party.claiming())
        assert (won.outcome, won.after.lease.epoch) == ("won", 1)
        assert git(site.hub, "rev-list", "--count", won.after.oid) == "1"


def test_a_server_that_always_dies_leaves_the_outcome_unknown_and_the_intent(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        hook = _hook(site.hub, "pre-receive", KILL_BEFORE_UPDATE.format(then=""))
        with pytest.raises(LeaseUnknown) as caught:
            party.leases.swap(TICKET, party.claiming())
        assert (caught.value.code, caught.value.exit_status) == ("LEASE_UNKNOWN", 8)
        [intent] = Intents(party.repository.place.common).pending()
        hook.unlink()
        assert party.leases.settle(intent).outcome == "open"


def test_a_claim_that_landed_on_a_server_that_went_away_is_settled_by_the_next_operation(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        gone = tmp_path / "gone.git"
        _hook(site.hub, "reference-transaction", KILL_AFTER_UPDATE.format(then=f"mv {site.hub} {gone}"))
        with pytest.raises(LeaseUnknown):
            party.leases.swap(TICKET, party.claiming())
        [intent] = Intents(party.repository.place.common).pending()
        with pytest.raises(LeaseUnknown):
            party.leases.settle(intent)
        gone.rename(site.hub)
        settled = party.leases.settle(intent)
        assert settled.outcome == "won"
        assert settled.seen is not None
        assert settled.seen.oid == intent.commit


def test_a_lost_reply_whose_value_was_superseded_is_decided_anew(tmp_path: Path) -> None:
    """Our claim lands, the reply is lost, and another takes the ticket over before we read again."""
    with a_site("hub", tmp_path) as site:
        first, second = site.party("SES-AAAA"), site.party("SES-BBBB")
        started = first.leases.swap(TICKET, first.claiming(), keep_intent=True)
        [intent] = Intents(first.repository.place.common).pending()
        second.leases.listing()
        second.boot.seconds += 10_000
        taken = second.leases.swap(TICKET, second.taking_over())
        settled = first.leases.settle(intent)
        assert (settled.outcome, settled.seen) == ("superseded", taken.after)
        assert taken.before == started.after
        with pytest.raises(LeaseHeld):
            first.leases.swap(TICKET, first.claiming())


def test_a_server_that_refuses_lease_refs_is_named_with_its_words(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        _hook(site.hub, "pre-receive", REFUSE)
        with pytest.raises(LeaseUnsupported, match=r"origin.*pre-receive hook declined") as caught:
            party.leases.swap(TICKET, party.claiming())
        assert (caught.value.code, caught.value.exit_status) == ("LEASE_UNSUPPORTED", 8)
        assert Intents(party.repository.place.common).pending() == ()


def test_a_stale_lock_on_the_server_does_not_pass_for_a_lost_race(tmp_path: Path) -> None:
    with a_site("hub", tmp_path) as site:
        party = site.party("SES-AAAA")
        lock = site.hub / "refs" / "exo" / "leases" / f"{TICKET}.lock"
        lock.parent.mkdir(parents=True)
        lock.touch()
        with pytest.raises(LeaseUnsupported):
            party.leases.swap(TICKET, party.claiming())
        lock.unlink()
        assert party.leases.swap(TICKET, party.claiming()).outcome == "won"
