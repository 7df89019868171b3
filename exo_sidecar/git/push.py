"""Changing refs of a remote: one connection in which the value is read, the change decided, and sent.

The value that was advertised travels with each change as the one it expects, so a push is a compare-and-swap. A push
that broke off after it was sent has no known outcome and says so ("unknown"): whoever sent it must read again.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from exo_sidecar.git import remote as remotes
from exo_sidecar.git.fetch import raw, readable
from exo_sidecar.git.lacking import lacking
from exo_sidecar.git.oid import ZERO, Oid
from exo_sidecar.git.remote import DEFAULT_TIMEOUT_SECONDS, Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.model.errors import ExoError, RepositoryUnsupported

if TYPE_CHECKING:
    from dulwich.objects import ObjectID
    from dulwich.pack import UnpackedObject
    from dulwich.refs import Ref

OK: Final = "ok"
UNKNOWN: Final = "unknown"
REFUSED: Final = "refused: "
_NUMBERS: Final[dict[str, int]] = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_ATOMIC: Final = b"atomic"
_MANY: Final = 1000
_UNPACKING_SECONDS: Final = 60.0
"""A server that is sent so many objects says nothing while it checks them; git's own sign of life is seconds apart."""


class Update(NamedTuple):
    """A ref of the remote and its new value; None removes it."""

    ref: str
    new: Oid | None


class Pushed(NamedTuple):
    """What a push found and did."""

    advertised: dict[str, Oid]
    status: dict[str, str]
    """Per ref "ok", "refused: <the server's words>" or "unknown"; empty when nothing was decided."""
    sent: bool
    """Whether a change went out: then, and only then, the remote may have changed."""
    atomic: bool
    """Whether the server took all changes as one; else they went one by one, in order, up to the first refusal."""
    trouble: ExoError | None = None
    """Why the outcome is unknown."""


Decide: TypeAlias = Callable[[dict[str, Oid]], Sequence[Update]]


def push(
    repository: Repository,
    remote: Remote,
    decide: Decide,
    *,
    atomic: bool,
    objects: Sequence[Oid] = (),
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Pushed:
    """Show `decide` the refs of `remote`, and make the updates it returns, each only if the value is still as shown.

    `decide` is called once; returning [] ends the conversation without a push. With `atomic`, all updates happen or
    none; a server that cannot do that gets them one by one in the order given, and `Pushed.atomic` is False. `objects`
    are sent along whether or not an update needs them.

    Raises:
        RemoteUnreachable, RemoteDenied, TimedOut: before anything was sent. Later trouble is in `Pushed.trouble`.
        Whatever `decide` raises.
    """
    turn = _Turn(repository, remote.for_push(), timeout_seconds, tuple(objects))
    pushed = turn.run(decide, atomic=atomic)
    return turn.run_in_order(decide) if pushed is None else pushed


class _Turn:
    """One push, and what it needs to know on the way."""

    def __init__(
        self, repository: Repository, remote: Remote, timeout_seconds: float, objects: tuple[Oid, ...]
    ) -> None:
        self._repository = repository
        self._remote = remote
        self._timeout_seconds = timeout_seconds
        self._objects = objects

    def run(self, decide: Decide, *, atomic: bool) -> Pushed | None:
        """Push in one connection; None when `atomic` is asked for and the server cannot (`decide` was not called)."""
        from exo_sidecar.git.trouble import Doubt, translated  # noqa: PLC0415 - loads dulwich.client

        connection = remotes.open_client(self._remote, self._repository.settings, self._timeout_seconds)
        doubt = Doubt()
        choice = _Choice({}, {}, [], [])

        def choose(refs: "Mapping[Ref, ObjectID]") -> "dict[Ref, ObjectID]":
            with doubt.callback(), connection.watchdog.ours():
                self._choose(choice, decide, readable(refs), connection.client.server_capabilities)
                if len(choice.sending) > _MANY:
                    connection.watchdog.idle_seconds = max(self._timeout_seconds, _UNPACKING_SECONDS)
            return {_raw_ref(ref): raw(new or ZERO) for ref, new in choice.updates.items()}

        def pack(  # the shape is dulwich's; what to send was settled in `choose`
            have: object,  # noqa: ARG001
            want: object,  # noqa: ARG001
            *,
            ofs_delta: bool = False,  # noqa: ARG001
            progress: object = None,  # noqa: ARG001
        ) -> "tuple[int, Iterator[UnpackedObject]]":
            return len(choice.sending), self._records(choice.sending)

        try:
            with (
                connection.watchdog,
                translated(self._remote, connection.watchdog, doubt),
                contextlib.closing(connection.client) as client,
            ):
                said = client.send_pack(connection.path, choose, pack, atomic=atomic)
                status = said.ref_status
        except ExoError as error:
            if choice.updates and not doubt.inside:
                return _broken(choice, error, atomic=atomic)
            if atomic and _cannot(connection.client.server_capabilities):
                return None
            raise
        heard = {name.decode(errors="surrogateescape"): text for name, text in (status or {}).items()}
        return Pushed(choice.advertised, _status(choice, heard), bool(choice.updates), atomic)

    def run_in_order(self, decide: Decide) -> Pushed:
        """Make the updates one by one, each in a connection of its own, and none after one that failed."""
        plan: list[Update] = []

        def first(refs: dict[str, Oid]) -> Sequence[Update]:
            plan.extend(decide(refs))
            return plan[:1]

        done = self._always(first)
        status = dict(done.status)
        for update in plan[1:]:
            if any(text != OK for text in status.values()):
                status[update.ref] = REFUSED + "an earlier update of the same push failed"
                continue
            again = self._always(_only(update, done.advertised))
            status[update.ref] = again.status.get(update.ref, REFUSED + "the value changed meanwhile")
            done = again._replace(advertised=done.advertised, sent=True)
        return done._replace(status=status)

    def _always(self, decide: Decide) -> Pushed:
        pushed = self.run(decide, atomic=False)
        if pushed is None:
            message = "a push that is not atomic needs nothing special of a server"
            raise AssertionError(message)
        return pushed

    def _choose(self, choice: "_Choice", decide: Decide, refs: dict[str, Oid], able: frozenset[bytes]) -> None:
        """Let `decide` choose, and gather what must be sent while nothing is on the wire yet."""
        if b"object-format=sha256" in able:
            message = f"{self._remote} names its objects by sha256; exo knows SHA-1 repositories only"
            raise RepositoryUnsupported(message)
        choice.advertised.update(refs)
        wanted = list(decide(dict(refs)))
        changed = {update.ref: update.new for update in wanted if refs.get(update.ref) != update.new}
        tips = [new for new in changed.values() if new is not None]
        near = [refs[ref] for ref in changed if ref in refs]
        choice.sending.extend(lacking(self._repository.objects, tips, set(refs.values()), near))
        choice.sending.extend(oid for oid in self._objects if oid not in choice.sending)
        choice.same.extend(update.ref for update in wanted if update.ref not in changed)
        choice.updates.update(changed)

    def _records(self, oids: Sequence[Oid]) -> "Iterator[UnpackedObject]":
        from dulwich.pack import UnpackedObject  # noqa: PLC0415 - 70 ms

        for oid in oids:
            found = self._repository.objects.read(oid)
            yield UnpackedObject(
                _NUMBERS[found.kind], sha=bytes.fromhex(oid), decomp_chunks=[found.data], decomp_len=len(found.data)
            )


class _Choice(NamedTuple):
    """What was advertised, what is to change, what goes along, and what already was as wished."""

    advertised: dict[str, Oid]
    updates: dict[str, Oid | None]
    sending: list[Oid]
    same: list[str]


def _status(choice: _Choice, heard: Mapping[str, str | None]) -> dict[str, str]:
    """Return the outcome per ref; a ref of which the server said nothing is unknown, not done."""
    from exo_sidecar.git.trouble import quoted  # noqa: PLC0415 - loaded by now

    status = dict.fromkeys(choice.same, OK)
    for ref in choice.updates:
        text = heard.get(ref, UNKNOWN)
        status[ref] = OK if text is None else UNKNOWN if ref not in heard else REFUSED + quoted(text)
    return status


def _raw_ref(name: str) -> "Ref":
    from dulwich.refs import Ref  # noqa: PLC0415 - loaded by now

    return Ref(name.encode(errors="surrogateescape"))


def _broken(choice: _Choice, error: ExoError, *, atomic: bool) -> Pushed:
    status = dict.fromkeys(choice.same, OK) | dict.fromkeys(choice.updates, UNKNOWN)
    return Pushed(choice.advertised, status, sent=True, atomic=atomic, trouble=error)


def _cannot(able: frozenset[bytes]) -> bool:
    """Whether the server has spoken and did not offer atomic pushes."""
    return bool(able) and _ATOMIC not in able


def _only(update: Update, expected: Mapping[str, Oid]) -> Decide:
    """Return a decision for one update, made only if its ref still has the value that was seen first."""
    return lambda refs: [update] if refs.get(update.ref) == expected.get(update.ref) else []
