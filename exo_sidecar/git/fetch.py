"""Reading from a remote: its refs, and the objects behind some of them, in one connection.

Objects land in the common directory's store and are durable when `fetch` returns; no ref, shallow file or FETCH_HEAD
is written and nothing is ever collected. Invariant: what was asked for is here afterwards, or an error says that it is
not.
"""

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple, TypeAlias

from exo_sidecar.base.files import sync_folder
from exo_sidecar.git import commits, pack_limits, promised
from exo_sidecar.git import remote as remotes
from exo_sidecar.git.objects import Kind, ObjectDamaged, ObjectMissing, Objects, object_id
from exo_sidecar.git.oid import ZERO, Oid, is_oid
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS, Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import RemoteUnreachable, RepositoryUnsupported

if TYPE_CHECKING:
    from dulwich.objects import ObjectID
    from dulwich.refs import Ref

PACK_BYTES_MAX: Final = 512 << 20
"""What one fetch may bring: far above any ledger, far below a full disk."""
REFS_MAX: Final = 200_000
HAVES_MAX: Final = 256
"""Commits of ours named to the server; git stops there too."""
LOOSE_OBJECTS_MAX: Final = 100
LOOSE_BYTES_MAX: Final = 4 << 20
"""A smaller answer is stored object by object, so that many small fetches leave no heap of packs."""
_SPOOL_BYTES: Final = 8 << 20
_PACK_HEADER_BYTES: Final = 12
_PEELED: Final = b"^{}"

Want: TypeAlias = Callable[[dict[str, Oid]], list[Oid]]
_Oids: TypeAlias = Callable[[], Iterable[Oid]]


class _GapError(Exception):
    """What came builds on something that was named to the server and is not here."""


class Fetched(NamedTuple):
    """What the remote advertised under the prefixes, and whether anything was transferred."""

    refs: dict[str, Oid]
    objects_received: bool


def advertised(
    repository: Repository,
    remote: Remote,
    prefixes: Sequence[str],
    *,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> dict[str, Oid]:
    """Return the refs of `remote` under `prefixes`; RemoteUnreachable, RemoteDenied, TimedOut."""
    return fetch(repository, remote, lambda _refs: [], prefixes, timeout_seconds=timeout_seconds).refs


def fetch(
    repository: Repository,
    remote: Remote,
    want: Want,
    prefixes: Sequence[str],
    *,
    known: _Oids = tuple,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Fetched:
    """Ask `want` which objects to bring, given the refs under `prefixes`, and bring them with all they need.

    An empty answer of `want` ends the conversation after the refs. Objects that are here already are not sent again:
    what our refs under `prefixes` reach, and the commits that `known`, asked after `want`, names though no ref does.

    Raises:
        RemoteUnreachable, RemoteDenied, TimedOut: as `git.trouble` says; nothing was changed then.
        RepositoryUnsupported: the remote is a shallow clone, or names its objects by SHA-256.
        PackRefused: it sends an object that is too large for any of ours; nothing was stored.
    """
    shallow = _shallow(repository.place.common)
    haves = _Haves(repository.objects, lambda: _tips(repository, remote, prefixes), known, shallow)
    try:
        return _fetched(repository, remote, want, prefixes, haves, timeout_seconds)
    except _GapError:  # a folder that was copied while it was written to has commits without what they rest on
        haves = _Haves(repository.objects, tuple, tuple, shallow)
        return _fetched(repository, remote, want, prefixes, haves, timeout_seconds)


def _fetched(
    repository: Repository,
    remote: Remote,
    want: Want,
    prefixes: Sequence[str],
    haves: "_Haves",
    timeout_seconds: float,
) -> Fetched:
    """Fetch once, `haves` being what the server may take to be here; raises as `fetch`, and _GapError."""
    from exo_sidecar.git.trouble import Doubt, translated  # noqa: PLC0415 - loads dulwich.client

    connection = remotes.open_client(remote, repository.settings, timeout_seconds)
    doubt = Doubt()
    wanted: list[Oid] = []

    def choose(
        refs: "Mapping[Ref, ObjectID]",
        depth: int | None = None,  # noqa: ARG001 - the shape is dulwich's
    ) -> "list[ObjectID]":
        with doubt.callback(), connection.watchdog.ours():
            wanted.extend(want(readable(refs, prefixes)))
        return [raw(oid) for oid in dict.fromkeys(wanted)]

    with (
        tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES, prefix="exo-pack-") as sink,
        connection.watchdog,
        translated(remote, connection.watchdog, doubt),
        contextlib.closing(connection.client) as client,
    ):
        found = client.fetch_pack(
            connection.path,
            choose,
            haves,
            _bounded(sink, remote),
            ref_prefix=[prefix.encode() for prefix in prefixes],
        )
        cut = {Oid(oid.decode()) for oid in found.new_shallow or ()} - haves.cut
        _check_kind(remote, found.object_format, cut)
        received = bool(wanted) and _store(repository, remote, sink)
    _check_complete(repository.objects, remote, wanted)
    return Fetched(readable(found.refs, prefixes), received)


def readable(
    refs: "Mapping[Ref, ObjectID | None] | Mapping[Ref, ObjectID]", prefixes: Iterable[str] = ("",)
) -> dict[str, Oid]:
    """Return what a server advertised, as text, under `prefixes`; peeled tags and malformed lines are left out."""
    starts = tuple(prefixes)
    found: dict[str, Oid] = {}
    for name, value in refs.items():
        if value is None or name.endswith(_PEELED) or len(found) >= REFS_MAX:
            continue
        text, oid = name.decode(errors="surrogateescape"), value.decode("ascii", errors="replace")
        if text.startswith(starts) and is_oid(oid) and oid != ZERO:
            found[text] = Oid(oid)
    return found


def raw(oid: Oid) -> "ObjectID":
    """Return `oid` as dulwich takes it."""
    from dulwich.objects import ObjectID  # noqa: PLC0415 - loaded by whoever talks to a server

    return ObjectID(oid.encode())


class _Haves:
    """Names commits of ours to the server, HAVES_MAX at most; the shape is dulwich's graph walker.

    First what no ref names, then the tips of refs, then what is below those unless the server knows one of them.
    """

    def __init__(self, objects: Objects, tips: _Oids, known: _Oids, shallow: set[Oid]) -> None:
        self.cut = shallow
        self.shallow = {raw(oid) for oid in shallow} or None
        self._objects = objects
        self._is_met = False
        self._walk = itertools.islice(self._named(tips, known), HAVES_MAX)

    def __next__(self) -> "ObjectID | None":
        return next(self._walk, None)

    next = __next__

    def ack(self, sha: "ObjectID") -> None:  # noqa: ARG002 - dulwich's shape
        """The server has `sha`: what is below it need not be named."""
        self._is_met = True

    def nak(self) -> None:
        """The server has nothing of what was named so far."""

    def _named(self, tips: _Oids, known: _Oids) -> "Iterator[ObjectID]":
        yield from (raw(oid) for oid in known() if self._objects.contains(oid))
        row = list(dict.fromkeys(tips()))
        seen = set(row)
        while row:
            below: list[Oid] = []
            for oid in row:
                try:
                    parents = commits.read(self._objects, oid).parents
                except ObjectDamaged:
                    continue
                below += [parent for parent in parents if parent not in seen]
                seen.update(parents)
                yield raw(oid)
            row = [] if self._is_met else below


def _tips(repository: Repository, remote: Remote, prefixes: Sequence[str]) -> list[Oid]:
    """Return our values of the refs under `prefixes`, and what we last saw of them on the remote, as far as whole."""
    tips: list[Oid] = []
    for prefix in prefixes:
        tips += repository.refs.list(prefix).values()
        if remote.name and prefix.startswith("refs/heads/"):
            tracking = f"refs/remotes/{remote.name}/{prefix.removeprefix('refs/heads/')}"
            tips += repository.refs.list(tracking).values()
    # A server sends nothing of what is named to it, though in a partial clone it may not be here.
    return (
        [tip for tip in tips if promised.is_whole(repository, tip, None)] if promised.is_partial(repository) else tips
    )


def _bounded(sink: IO[bytes], remote: Remote) -> Callable[[bytes], int]:
    def write(data: bytes) -> int:
        if sink.tell() + len(data) > PACK_BYTES_MAX:
            message = f"{remote} sends more than {PACK_BYTES_MAX >> 20} MiB"
            raise RemoteUnreachable(message, hint="is this the repository you mean?")
        return sink.write(data)

    return write


def _check_kind(remote: Remote, object_format: str | None, shallow: set[Oid]) -> None:
    if object_format not in {None, "sha1"}:
        message = f"{remote} names its objects by {object_format}; exo knows SHA-1 repositories only"
        raise RepositoryUnsupported(message)
    if shallow:
        message = f"{remote} is a shallow clone: its history is cut off and cannot be brought here"
        raise RepositoryUnsupported(message, hint="run git fetch --unshallow there")


def _check_complete(objects: Objects, remote: Remote, wanted: Iterable[Oid]) -> None:
    for oid in wanted:
        if not objects.contains(oid):
            message = f"{remote} did not send {oid}, which it had advertised"
            raise RemoteUnreachable(message)


def _store(repository: Repository, remote: Remote, sink: IO[bytes]) -> bool:
    """Store the received pack; whether there was one. PackRefused when it holds what no record is."""
    size = sink.tell()
    if size == 0:
        return False
    sink.seek(0)
    count = int.from_bytes(sink.read(_PACK_HEADER_BYTES)[8:12], "big")
    sink.seek(0)
    if count == 0:
        return False
    pack_limits.check(sink, str(remote))
    sink.seek(0)
    from dulwich.pack import UnresolvedDeltas  # noqa: PLC0415 - 70 ms

    try:
        if count <= LOOSE_OBJECTS_MAX and size <= LOOSE_BYTES_MAX:
            _keep_loose(repository.objects, _unpacked(repository.objects, sink, size))
        else:
            _keep_pack(repository.place.common, sink)
            repository.objects.close()
    except UnresolvedDeltas as error:
        raise _GapError from error
    return True


def _keep_loose(objects: Objects, items: Sequence[tuple[Kind, bytes]]) -> None:
    """Store objects one by one, a commit after all that it names.

    A commit that is here proves that what it names is here too: were it written first and the process killed, the next
    fetch would ask for nothing.
    """
    objects.write([item for item in items if item[0] in {"blob", "tree"}])
    made = {object_id("commit", data): data for kind, data in items if kind == "commit"}
    above = {oid: [parent for parent in commits.parse(data).parents if parent in made] for oid, data in made.items()}
    objects.write([("commit", made[oid]) for oid in TopologicalSorter(above).static_order()])
    objects.write([item for item in items if item[0] == "tag"])


def _unpacked(objects: Objects, sink: IO[bytes], size: int) -> list[tuple[Kind, bytes]]:
    """Return the objects of a small pack, deltas resolved against what is here."""
    from dulwich.object_format import SHA1  # noqa: PLC0415 - as dulwich.pack
    from dulwich.pack import PackData, PackInflater  # noqa: PLC0415 - 70 ms

    numbers: dict[str, int] = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
    kinds: dict[bytes, Kind] = {b"commit": "commit", b"tree": "tree", b"blob": "blob", b"tag": "tag"}

    def base(name: bytes) -> tuple[int, list[bytes]]:
        # dulwich asks by the twenty raw bytes or by the forty digits, as the version goes.
        text = name.hex() if len(name) == 20 else name.decode("ascii")  # noqa: PLR2004 - the length of a SHA-1
        try:
            found = objects.read(Oid(text))
        except ObjectMissing as error:
            raise KeyError(name) from error
        return numbers[found.kind], [found.data]

    with contextlib.closing(PackData.from_file(sink, object_format=SHA1, size=size)) as data:
        data.check()
        inflated = PackInflater.for_pack_data(data, resolve_ext_ref=base)
        return [(kinds[item.type_name], item.as_raw_string()) for item in inflated]


def _keep_pack(common: Path, sink: IO[bytes]) -> None:
    from dulwich.object_store import DiskObjectStore  # noqa: PLC0415 - 70 ms

    with contextlib.closing(DiskObjectStore(common / "objects", fsync_object_files=True)) as store:
        store.add_thin_pack(sink.read, None)
    sync_folder(common / "objects" / "pack")


def _shallow(common: Path) -> set[Oid]:
    """Return where this clone's own history is cut off."""
    try:
        lines = (common / "shallow").read_text("ascii").split()
    except FileNotFoundError:
        return set()
    return {Oid(line) for line in lines if is_oid(line)}
