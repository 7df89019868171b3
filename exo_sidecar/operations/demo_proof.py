"""What a demonstration must show, each judged from what real processes answered; what was not reached does not hold."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from exo_sidecar.model.errors import EXIT_STATUS, Kind
from exo_sidecar.operations.audit import Audited
from exo_sidecar.operations.demo_answers import Heard
from exo_sidecar.operations.leases import LeasesListed
from exo_sidecar.operations.ticket import TicketsListed

NOT_REACHED: Final = "not reached"


class Invariant(StrEnum):
    """What must hold, in words."""

    ONE_HOLDER = "of claims made at the same moment exactly one wins"
    LOSERS_TOLD = "the others exit 6 and are told the holder and its token"
    SPREAD = "exo next gives each of the others a ticket of its own"
    UNTOUCHED = "governance moves no HEAD, branch, index or file of the code"
    ENDED = "each session ends, its ticket done and its lease released"
    GUARDED = "code and lease go in one push; who lost the lease pushes nothing"
    AGREED = "all clones and the hub come to the same governance tree"
    COMPLETE = "no ticket is lost: every clone lists all of them alike"
    VERIFIED = "exo audit proves the same ledger in every clone"
    SOUND = "git fsck --strict finds nothing in any repository"
    APART = "code and governance share no commit, and each branch stays in its fence"


class Judged(NamedTuple):
    """Whether something holds, and what shows it."""

    holds: bool
    evidence: str


def one_holder(claims: Sequence[Heard]) -> Judged:
    """Judge that exactly one claim was granted."""
    won = [claim.call.clone.name for claim in claims if claim.status == 0]
    if len(won) == 1:
        return Judged(holds=True, evidence=f"{won[0]} of {len(claims)}")
    ends = "; ".join(claim.sentence for claim in claims if claim.status != 0)
    return Judged(holds=False, evidence=f"{len(won)} of {len(claims)} won{f': {ends}' if ends else ''}")


def losers_told(claims: Sequence[Heard], session: str, token: int) -> Judged:
    """Judge that everybody else was refused in the name of the session and token that won."""
    losers = [claim for claim in claims if claim.status != 0]
    wrong = [
        claim.sentence
        for claim in losers
        if claim.status != EXIT_STATUS[Kind.HELD] or (claim.holder.holder, claim.holder.epoch) != (session, token)
    ]
    told = f"{' and '.join(claim.call.clone.name for claim in losers)} were told {session}, token {token}"
    return Judged(holds=bool(losers) and not wrong, evidence="; ".join(wrong) or told)


def spread(tickets: Mapping[str, str]) -> Judged:
    """Judge that clones work on tickets of their own; `tickets` by clone."""
    shown = ", ".join(f"{name} {ticket}" for name, ticket in tickets.items())
    return Judged(holds=len(set(tickets.values())) == len(tickets), evidence=shown)


def untouched(before: Mapping[str, str], after: Mapping[str, str]) -> Judged:
    """Judge that what git says of each checkout is what it said before."""
    moved = [name for name in before if before[name] != after.get(name)]
    shown = f"changed in {', '.join(moved)}" if moved else f"the same in {', '.join(before)}"
    return Judged(holds=not moved, evidence=shown)


def ended(statuses: Sequence[str], leases: LeasesListed, worked: int) -> Judged:
    """Judge that all sessions ended well."""
    released = sum(item.state == "released" for item in leases.items)
    holds = [*statuses] == ["done"] * worked and released == len(leases.items) == worked
    return Judged(holds, f"{len(statuses)} sessions, {released} of {len(leases.items)} leases released")


def guarded(guards: Sequence[str | None], late: Heard, there: str) -> Judged:
    """Judge that every push was guarded, and that the one whose session was overtaken left nothing on the hub."""
    holds = [*guards] == ["atomic"] * len(guards) and late.code == "SESSION_FENCED" and not there
    return Judged(holds, f"{len(guards)} atomic pushes; the late one: {late.code or 'went through'}")


def agreed(trees: Mapping[str, str], rounds: int) -> Judged:
    """Judge that the governance tree is the same everywhere."""
    found = set(trees.values())
    if len(found) == 1:
        return Judged(
            holds=True, evidence=f"{found.pop()[:12]} after {rounds} round{'s' if rounds > 1 else ''} of sync"
        )
    return Judged(holds=False, evidence=", ".join(f"{name} {tree[:12]}" for name, tree in trees.items()))


def complete(boards: Mapping[str, TicketsListed], wanted: Mapping[str, str]) -> Judged:
    """Judge that every clone lists every ticket in the status that it was left in; `wanted` by id."""
    wrong = []
    for name, board in boards.items():
        found = {str(item.id): str(item.status) for item in board.items}
        wrong += [f"{name}: {key} {found.get(key, 'missing')}" for key in wanted if found.get(key) != wanted[key]]
        wrong += [f"{name}: {each.name} {each.reason}" for each in board.damaged]
    return Judged(not wrong, "; ".join(wrong) or f"{len(wanted)} tickets in {len(boards)} clones")


def verified(audits: Mapping[str, Audited]) -> Judged:
    """Judge that every audit passes, and that all of them saw the same chains."""
    wrong = [f"{name}: {found.verdict}" for name, found in audits.items() if found.verdict != "pass"]
    ledgers = {
        tuple(sorted((chain.clone, chain.events, chain.head) for chain in one.chains)) for one in audits.values()
    }
    if wrong or len(ledgers) != 1:
        return Judged(holds=False, evidence="; ".join(wrong) or "the clones hold different chains")
    chains = ledgers.pop()
    return Judged(holds=True, evidence=f"{sum(events for _, events, _ in chains)} events in {len(chains)} chains")


def sound(problems: Mapping[str, str]) -> Judged:
    """Judge that git finds nothing wrong; `problems` by repository, empty when there is none."""
    wrong = [f"{name}: {said}" for name, said in problems.items() if said]
    return Judged(not wrong, "; ".join(wrong) or ", ".join(problems))


def apart(shared: str, strays: Sequence[str], branches: int) -> Judged:
    """Judge that code and governance have nothing in common."""
    if shared or strays:
        return Judged(
            holds=False, evidence=f"shared: {shared[:12] or 'nothing'}; outside: {', '.join(strays) or 'none'}"
        )
    return Judged(holds=True, evidence=f"no common ancestor, {branches} branches of one file each")
