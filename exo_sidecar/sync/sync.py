"""Sync: fetch, check, merge, push; bounded rounds, no lock held while the network is used (docs/sync.md)."""

import random
import time
from typing import Final, NamedTuple

from exo_sidecar.git import fetch as fetching
from exo_sidecar.git import graph, promised
from exo_sidecar.git import push as pushing
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.pack_limits import PackRefused
from exo_sidecar.git.push import Update
from exo_sidecar.git.remote import Remote
from exo_sidecar.model.errors import Conflict, Environment, ExoError, RemoteDenied
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.store import healing, publish, redaction
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.scan import changed_paths
from exo_sidecar.store.store import Store
from exo_sidecar.store.transaction import Committed
from exo_sidecar.sync import compaction, distance, lineage, verified
from exo_sidecar.sync.merge import Merged, merge
from exo_sidecar.sync.verified import Lost, Vector
from exo_sidecar.sync.web_edits import WebEdit

_PAUSE_SECONDS: Final = 0.05
_PAUSE_SECONDS_MAX: Final = 2.0
_MERGES_MAX: Final = 50
_FASTER: Final = (
    "failed to update ref",
    "cannot lock ref",
    "fetch first",
    "non-fast-forward",
    "reference already exists",
)
"""What git's servers say when the ref is no longer what they had advertised; either way the next round finds out."""
_LOCKED: Final = "git there may have been killed: who owns the remote removes {ref}.lock when no git runs there"
_REWINDS: Final = "non-fast-forward"
_CHECKED_OUT: Final = "checked out"
_SOMEBODY_S_CLONE: Final = "it is somebody's clone with a mount of its own; clones meet in a bare repository"


class SyncBehind(Conflict):
    """The remote has what is not here yet: a push would lose it."""

    code = "SYNC_BEHIND"
    advice = "exo sync brings both together"


class SyncContended(Conflict):
    """Others pushed first in every round."""

    code = "SYNC_CONTENDED"
    advice = "many clones push at once; run exo sync again"


class PushUnknown(Environment):
    """The connection broke after the push was sent."""

    code = "SYNC_UNKNOWN"
    advice = "run exo sync again: it finds out whether the push arrived"


class Pulled(NamedTuple):
    """What came."""

    advertised: Oid | None
    """The remote's tip; None when it has no governance branch."""
    merged: Merged


class Sent(NamedTuple):
    """What went."""

    tip: Oid | None
    events: int
    """Events of this branch that the remote did not have."""


class Synced(NamedTuple):
    """Both, after so many rounds."""

    tip: Oid | None
    fetched_events: int
    pushed_events: int
    merged: bool
    rounds: int
    left_out: tuple[str, ...] = ()
    """As in Merged, over all rounds."""
    edited: tuple[WebEdit, ...] = ()
    """As in Merged, over all rounds."""
    raised: Finding | None = None


def absorb(store: Store, stamp: Stamp) -> Committed:
    """Take in every hand edit of the mount, so that a merge starts from a tip that is exo's own."""
    return store.transact(lambda _: Outcome(), stamp, paths=lambda: changed_paths(store.governed))


class Rewrite(NamedTuple):
    """A remote's ledger that lost or changed what was verified here."""

    before: Oid | None
    """The tip that was verified last."""
    after: Oid
    lost: tuple[Lost, ...]


def rewrite_at(store: Store, remote: Remote, *, timeout_seconds: float) -> Rewrite | None:
    """Fetch the remote's branch and say what of the verified its ledger lost; None: nothing. Nothing is merged."""
    governed = store.governed
    known = verified.read(governed.folder, str(remote))
    theirs = _seen(store, remote, timeout_seconds)
    if theirs is None:
        return None
    redactions = redaction.known(store.view().index.db)
    with verified.unreadable_is_refused(str(remote)):
        ours, their_tree = governed.tree_of(governed.tip()), governed.tree_of(theirs)
        lost = verified.missing(governed.repository.objects, known, ours, their_tree, redactions)
    return Rewrite(verified.last_tip(governed.folder, str(remote)), theirs, tuple(lost)) if lost else None


def pull(store: Store, remote: Remote, *, timeout_seconds: float, accepted: Oid | None = None) -> Pulled:
    """Fetch the remote's governance branch and merge it; one connection.

    `accepted` is a tip that a person takes although it lost what was verified here.
    """
    known = verified.read(store.governed.folder, str(remote))
    theirs = _seen(store, remote, timeout_seconds)
    tip = store.governed.tip()
    if theirs is None or theirs == tip:
        return Pulled(theirs, Merged(tip, merged=False, events=0))
    return Pulled(theirs, join(store, remote, theirs, known, accepted=accepted))


def join(
    store: Store, remote: Remote, theirs: Oid, known: Vector | None = None, *, accepted: Oid | None = None
) -> Merged:
    """Merge a fetched tip under the clone's lock, again when the branch moves; SyncContended after many times.

    `known` is what had been verified from the remote before the fetch; None: what is on record now.
    """
    for _ in range(_MERGES_MAX):
        try:
            with store.locked():
                healing.heal(store.governed)
                store.clone_id()
                return merge(store, str(remote), theirs, store.progress, known=known, accepted=accepted)
        except publish.Moved:
            continue
    message = f"{store.governed.branch} kept moving while {remote} was merged"
    raise SyncContended(message)


def push(store: Store, remote: Remote, *, timeout_seconds: float) -> Sent:
    """Push the governance branch if the remote's tip is an ancestor of ours; never merged.

    A history that ours was compacted from gives way to it, as long as the remote has no event that is not here.

    Raises:
        SyncBehind: the remote has what is not here, or somebody else was faster.
        RemoteDenied: the server refused.
        PushUnknown: the connection broke after sending.
    """
    governed = store.governed
    tip = governed.tip()
    if tip is None:
        return Sent(None, 0)
    found: list[Oid | None] = []
    replaced: list[Oid] = []

    def decide(refs: dict[str, Oid]) -> list[Update]:
        current = refs.get(governed.ref)
        found.append(current)
        if current == tip:
            return []
        if current is not None and _check_ancestor(store, remote, current, tip):
            replaced.append(current)
        return [Update(governed.ref, tip)]

    pushed = pushing.push(governed.repository, remote, decide, atomic=False, timeout_seconds=timeout_seconds)
    status = pushed.status.get(governed.ref, pushing.OK)
    if replaced and _REWINDS in status:
        message = f"{remote} takes no new history of {governed.branch}: {status.removeprefix(pushing.REFUSED)}"
        raise RemoteDenied(message, hint="there receive.denyNonFastForwards, or a protected branch, forbids it")
    _check_outcome(remote, status, pushed.trouble)
    distance.note(governed, str(remote), tip)
    before = found[0] if found else None
    return Sent(tip, distance.between(governed.repository, before, tip)[0])


def sync(
    store: Store, remote: Remote, *, timeout_seconds: float, rounds_max: int, accepted: Oid | None = None
) -> Synced:
    """Pull and push until both have the same; SyncContended when others were faster in every round."""
    fetched = 0
    merged = False
    left_out: tuple[str, ...] = ()
    edited: tuple[WebEdit, ...] = ()
    raised: Finding | None = None
    shown: set[Oid | None] = set()
    for number in range(1, rounds_max + 1):
        pulled = pull(store, remote, timeout_seconds=timeout_seconds, accepted=accepted)
        shown.add(pulled.advertised)
        fetched += pulled.merged.events
        left_out += pulled.merged.left_out
        edited += pulled.merged.edited
        merged = merged or pulled.merged.merged
        raised = raised or pulled.merged.raised
        tip = store.governed.tip()
        if tip is None or pulled.advertised == tip:
            compaction.end(store.governed)
            return Synced(tip, fetched, 0, merged, number, left_out, edited, raised)
        try:
            sent = push(store, remote, timeout_seconds=timeout_seconds)
        except SyncBehind:
            time.sleep(random.uniform(0, min(_PAUSE_SECONDS_MAX, _PAUSE_SECONDS * 2**number)))  # noqa: S311 - no secret
            continue
        compaction.end(store.governed)
        return Synced(sent.tip, fetched, sent.events, merged, number, left_out, edited, raised)
    if len(shown) == 1 < rounds_max:  # nobody was faster
        message = f"{remote} did not move and took no push, {rounds_max} times in a row"
        raise SyncContended(message, hint=_LOCKED.format(ref=store.governed.ref))
    message = f"others pushed to {remote} first, {rounds_max} times in a row"
    raise SyncContended(message)


def look(store: Store, remote: Remote, *, timeout_seconds: float) -> Oid | None:
    """Fetch the governance branch and nothing else, merge nothing; return its tip there."""
    governed = store.governed

    def want(refs: dict[str, Oid]) -> list[Oid]:
        tip = refs.get(governed.ref)
        return [] if tip is None or promised.is_whole(governed.repository, tip, governed.tip()) else [tip]

    found = fetching.fetch(governed.repository, remote, want, [governed.ref], timeout_seconds=timeout_seconds)
    theirs = found.refs.get(governed.ref)
    distance.note(governed, str(remote), theirs)
    return theirs


def _seen(store: Store, remote: Remote, timeout_seconds: float) -> Oid | None:
    try:
        return look(store, remote, timeout_seconds=timeout_seconds)
    except PackRefused as error:
        raise verified.OverLimits(error.message) from error


def _check_ancestor(store: Store, remote: Remote, current: Oid, tip: Oid) -> bool:
    """Whether the remote's history gives way to ours, rather than being part of it; SyncBehind."""
    objects = store.governed.repository.objects
    if objects.contains(current):
        if graph.is_ancestor(objects, current, tip):
            return False
        if lineage.replaces(store.governed, tip, current, redaction.known(store.view().index.db)):
            return True
    message = f"{remote} has governance events that are not here yet"
    raise SyncBehind(message, remote=str(remote))


def _check_outcome(remote: Remote, status: str, trouble: ExoError | None) -> None:
    if status == pushing.OK:
        return
    if status == pushing.UNKNOWN:
        message = f"the connection to {remote} broke after the push was sent{f': {trouble}' if trouble else ''}"
        raise PushUnknown(message) from trouble
    if any(words in status for words in _FASTER):
        message = f"somebody else pushed to {remote} first"
        raise SyncBehind(message, remote=str(remote))
    message = f"{remote} refused the governance branch: {status.removeprefix(pushing.REFUSED)}"
    raise RemoteDenied(message, hint=_SOMEBODY_S_CLONE if _CHECKED_OUT in status else "")
