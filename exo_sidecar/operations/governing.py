"""Governing: the governance branch of a repository found or begun, and mounted; what `init` and `sidecar-init` share.

No network call is made while the clone's lock is held. Order: ask the remote, attach the mount, merge what the remote
has, name the authority on leases; a kill between any two leaves it repeatable.
"""

from pathlib import Path
from typing import Final, Literal, NamedTuple

from exo_sidecar.git import fetch as fetching
from exo_sidecar.git import mount, promised
from exo_sidecar.git import remote as remotes
from exo_sidecar.git import repository as repositories
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.leases import authority as authorities
from exo_sidecar.leases import names
from exo_sidecar.leases.seen import LeaseUnsupported
from exo_sidecar.model import ids
from exo_sidecar.model.errors import NotARepository, Offline
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_authority import AuthoritySet
from exo_sidecar.model.lease import Authority
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations import migrating
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.migrating import Migrated
from exo_sidecar.store import mounting, publish
from exo_sidecar.store.authority import SUBJECT
from exo_sidecar.store.governed import DEFAULT_BRANCH
from exo_sidecar.store.transaction import Rule
from exo_sidecar.sync import distance, sync

_USUAL_REMOTE: Final = "origin"

Source = Literal["local", "remote", "new"]


def _nothing(_: View) -> Outcome:
    """Decide nothing."""
    return Outcome()


class Wanted(NamedTuple):
    """How a repository is to be governed."""

    branch: str = DEFAULT_BRANCH
    path: str = mounting.DEFAULT_PATH
    remote: str = _USUAL_REMOTE
    default_branch: str = "main"
    init_git: bool = True
    fetch_remote: bool = True
    absorb_folder: bool = True


class Mounted(NamedTuple):
    """What was found and done."""

    branch: str
    path: str
    already: bool
    source: Source
    """Where the branch came from."""
    upstream: str | None
    excluded: bool
    """Whether the mount was added to git's exclude file now."""
    git_made: bool
    migrated: Migrated | None = None


class _Asked(NamedTuple):
    """What the remote shows."""

    remote: Remote | None
    tip: Oid | None


def mount_branch(ctx: Context, wanted: Wanted, first: Rule = _nothing) -> Mounted:
    """Mount the governance branch: the local one, else the remote's, else a new one; safe to repeat.

    The events of `first` go into the commit that begins a new branch, and into no other.

    Raises:
        NotARepository: there is no git repository, and none is to be made.
        SidecarPathInvalid, SidecarPathBusy, SidecarBranchBusy, SidecarBranchMismatch, FormatTooNew.
        RemoteUnreachable, RemoteDenied, RemoteUnknown, Offline: nothing was changed.
    """
    mounting.check_branch(wanted.branch)
    git_made = _ensure_repository(ctx, wanted)
    if git_made and ctx.dry_run:
        return _foreseen(wanted)
    path = mounting.place_of_mount(ctx.place, wanted.path)
    spot = migrating.place_now(ctx, path)
    state = mounting.current(ctx.repository, wanted.branch, spot)
    spot = state.path if state else spot
    tip = ctx.repository.refs.read(f"refs/heads/{wanted.branch}")
    is_settled = state is not None and tip is not None and ctx.view().authority() is not None
    asked = _Asked(None, None) if is_settled else _ask(ctx, wanted)
    found = Mounted(
        branch=wanted.branch,
        path=str(spot),
        already=state is not None and state.folder_present and tip is not None,
        source="local" if tip is not None else "remote" if asked.tip is not None else "new",
        upstream=None,
        excluded=state is None,
        git_made=git_made,
    )
    if ctx.dry_run:
        return found._replace(migrated=migrating.foreseen(spot))
    return _mount(ctx, wanted, asked, found, first)


def _foreseen(wanted: Wanted) -> Mounted:
    """Return what would be done in a repository that would be made first."""
    return Mounted(
        branch=wanted.branch,
        path=wanted.path,
        already=False,
        source="new",
        upstream=None,
        excluded=True,
        git_made=True,
    )


def _mount(ctx: Context, wanted: Wanted, asked: _Asked, found: Mounted, first: Rule) -> Mounted:
    migration = migrating.begin(ctx, Path(found.path))
    path = Path(migration.path if migration else found.path)
    excluded = mount.exclude(ctx.place, path)
    spot = migrating.place_now(ctx, path)
    mounting.attach(ctx.repository, wanted.branch, spot)
    if asked.tip is not None and asked.remote is not None:
        distance.note(ctx.governed, str(asked.remote), asked.tip)
        if publish.recorded_tip(ctx.governed) != ctx.governed.tip():  # the branch was here: `git clone --bare` makes it
            sync.absorb(ctx.store, ctx.stamp())
        sync.join(ctx.store, asked.remote, asked.tip)
    _name_authority(ctx, asked.remote, first if migration is None and asked.tip is None else _nothing)
    migrated = migrating.take_over(ctx, migration, absorb=wanted.absorb_folder) if migration else None
    upstream = mounting.configure(ctx.repository, wanted.branch, _configured(ctx, wanted))
    migrating.warn_of_tracked(ctx, path)
    return found._replace(path=str(path), excluded=excluded, upstream=upstream, migrated=migrated)


def _ensure_repository(ctx: Context, wanted: Wanted) -> bool:
    """Make a git repository where there is none; return whether that was needed."""
    try:
        return ctx.place is None
    except NotARepository:
        if not wanted.init_git:
            raise
    if not ctx.dry_run:
        repositories.init(ctx.repo, wanted.default_branch)
    return True


def _configured(ctx: Context, wanted: Wanted) -> str | None:
    """Return the remote's name if the repository has it; only the usual one may be missing. RemoteUnknown."""
    if wanted.remote == _USUAL_REMOTE and wanted.remote not in ctx.repository.settings.remotes():
        return None
    return remotes.named(ctx.repository, wanted.remote).name


def _ask(ctx: Context, wanted: Wanted) -> _Asked:
    """Ask the remote for the governance branch, and bring its objects; nothing is asked where there is no remote."""
    if _configured(ctx, wanted) is None or not wanted.fetch_remote:
        return _Asked(None, None)
    if ctx.offline:
        message = f"whether {wanted.remote} has {wanted.branch} needs the network, and --offline forbids it"
        raise Offline(message, hint="--no-fetch-remote governs this clone alone, with leases decided here")
    remote = remotes.named(ctx.repository, wanted.remote)
    name = f"refs/heads/{wanted.branch}"

    def want(refs: dict[str, Oid]) -> list[Oid]:
        found = refs.get(name)
        return [] if found is None or ctx.dry_run or promised.is_whole(ctx.repository, found, None) else [found]

    tip = fetching.fetch(ctx.repository, remote, want, [name]).refs.get(name)
    if tip is not None and not ctx.dry_run:
        mounting.check_format(ctx.repository, tip)
    return _Asked(remote, tip)


def _name_authority(ctx: Context, remote: Remote | None, first: Rule) -> None:
    """Name the place that decides who holds leases, unless the ledger does; this also writes the first commit."""
    chosen = None if ctx.view().authority() else _choose(ctx, remote)

    def rule(view: View) -> Outcome:
        if chosen is None or view.authority() is not None:
            return first(view)
        data = AuthoritySet(id=chosen.id, remote=chosen.remote, mode=chosen.mode)
        return Outcome(events=(Draft(subject=SUBJECT, data=data),)) + first(view)

    ctx.transact(rule)


def _choose(ctx: Context, remote: Remote | None) -> Authority:
    """Make the remote, else this repository, the authority; a server that refuses its ref decides by the branch."""
    minted = ids.mint_nonce(ctx.entropy)
    try:
        established = authorities.establish(ctx.repository, remote, minted)
    except LeaseUnsupported as error:
        if remote is None:
            raise
        ctx.warn(
            "LEASES_ARE_BRANCHES", f"{error.message}; leases are kept as branches {names.BRANCHES.prefix}* instead"
        )
        established = authorities.establish(ctx.repository, remote, minted, names.BRANCHES)
        return Authority(id=established.id, remote=remote.name, mode="branch")
    return Authority(id=established.id, remote=remote.name if remote else None)
