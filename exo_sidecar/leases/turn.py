"""One push of a lease: decide on what the server shows, note what is about to be sent, send it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from exo_sidecar.git import graph
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.push import Pushed, Update, push
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.leases import attempt
from exo_sidecar.leases.attempt import Plan
from exo_sidecar.leases.names import Names
from exo_sidecar.leases.seen import BranchBehind, BranchUpdate, DecideEach
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.ids import TicketId


class Change(NamedTuple):
    """What a caller wants changed."""

    candidates: Sequence[TicketId]
    decide: DecideEach
    branch: BranchUpdate | None
    over_damage: bool = False
    """Whether a value that cannot be read may be replaced."""


class Turn:
    """One connection's worth of a change; `plan`, `refusal` and `unseen` are set by `run`."""

    def __init__(self, repository: Repository, names: Names, change: Change, announce: Callable[[Plan], None]) -> None:
        self.plan: Plan | None = None
        self.refusal: ExoError | None = None
        self.unseen = False
        """A value is shown whose object is not here: fetch it, then take another turn."""
        self._repository = repository
        self._names = names
        self._change = change
        self._announce = announce

    def run(self, remote: Remote, timeout_seconds: float, check: Callable[[dict[str, Oid]], None]) -> Pushed:
        """Push what is decided on the values that `remote` shows, after `check` has seen them."""

        def choose(refs: dict[str, Oid]) -> list[Update]:
            check(refs)
            return self._choose(refs)

        atomic = self._change.branch is not None
        return push(self._repository, remote, choose, atomic=atomic, timeout_seconds=timeout_seconds)

    def _choose(self, refs: dict[str, Oid]) -> list[Update]:
        names = {ticket: self._names.ref_of(ticket) for ticket in self._change.candidates}
        shown = {ticket: refs[ref] for ticket, ref in names.items() if ref in refs}
        if not all(self._repository.objects.contains(oid) for oid in shown.values()):
            self.unseen = True
            return []
        # What is written is on its way to the server; here nothing depends on it, so it need not survive a power cut.
        change = self._change
        chosen = attempt.choose(
            self._repository, change.candidates, shown, change.decide, durable=False, over_damage=change.over_damage
        )
        if isinstance(chosen, ExoError):
            self.refusal = chosen
            return []
        self.plan = chosen
        updates = self._branch_updates(refs)
        if self.refusal is None and not chosen.is_unchanged:
            self._announce(chosen)
            updates.append(Update(names[chosen.ticket], chosen.after.oid))
        return [] if self.refusal else updates

    def _branch_updates(self, refs: dict[str, Oid]) -> list[Update]:
        """Return the update of the branch; it comes first, so that who sees the lease can fetch what it rests on."""
        branch = self._change.branch
        if branch is None or refs.get(branch.ref) == branch.new:
            return []
        there = refs.get(branch.ref)
        objects = self._repository.objects
        if there and not (objects.contains(there) and graph.is_ancestor(objects, there, branch.new)):
            self.refusal = behind(branch)
            return []
        return [Update(branch.ref, branch.new)]


def behind(branch: BranchUpdate) -> BranchBehind:
    """Return the error for a branch that holds there what is not here."""
    message = f"{branch.ref} there holds what this clone does not have; nothing was pushed"
    return BranchBehind(message, ref=branch.ref)
