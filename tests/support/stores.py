"""Governed clones without the command line: a Store on a real repository, and hubs with several of them."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from exo_sidecar.domain import edits
from exo_sidecar.git import mount, remote
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from exo_sidecar.model import instant
from exo_sidecar.model.event import Draft, Fields, Sets, TicketCreated, TicketEdited, TicketNoted
from exo_sidecar.model.event_authority import AuthoritySet
from exo_sidecar.model.ids import Entropy, SessionId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.ticket import Ticket, TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations.scribing import SCRIBE
from exo_sidecar.store import clone, codec, layout, ledger
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.index import Index, in_memory
from exo_sidecar.store.refresh import rebuild
from exo_sidecar.store.store import Store
from exo_sidecar.store.transaction import Committed
from exo_sidecar.sync import sync
from tests.support.inputs import FixedClock, seeded
from tests.support.repositories import git
from tests.support.views import JANE, Asking

BRANCH = "exo-governance"
TIMEOUT_SECONDS = 20.0
_SKIPPED = frozenset({"meta", "segments"})
"""Tables that say how far an index has come, not what it holds."""


class Clone(NamedTuple):
    """One governed clone, opened."""

    folder: Path
    store: Store
    clock: FixedClock
    said: list[str]
    """What the store reported of its progress."""

    @property
    def mount(self) -> Path:
        """The mount's folder."""
        return self.folder / ".exo"

    @property
    def tip(self) -> Oid:
        """The tip of the governance branch."""
        tip = self.store.governed.tip()
        assert tip is not None
        return tip

    @property
    def tree(self) -> Oid:
        """The tree at the tip."""
        root = self.store.governed.tree_of(self.tip)
        assert root is not None
        return root

    def stamp(self, operation: str = "test", actor: str = JANE) -> Stamp:
        """Return who writes now."""
        return Stamp(actor=actor, session=None, at=instant.of(self.clock()), operation=operation)

    def write(self, *drafts: Draft, paths: Callable[[], set[str]] = set) -> Committed:
        """Commit these events as one transaction."""
        return self.store.transact(lambda _: Outcome(events=drafts), self.stamp(), paths=paths)

    def absorb(self) -> Committed:
        """Take in all hand edits."""
        return sync.absorb(self.store, self.stamp("sync"))

    def remote(self, name: str = "origin") -> Remote:
        """Return a remote of the clone."""
        return remote.named(self.store.governed.repository, name)

    def pull(self, name: str = "origin") -> sync.Pulled:
        """Fetch and merge, push nothing: a sync that was interrupted half-way."""
        self.absorb()
        return sync.pull(self.store, self.remote(name), timeout_seconds=TIMEOUT_SECONDS)

    def sync(self, name: str = "origin") -> sync.Synced:
        """Absorb, pull and push."""
        self.absorb()
        return sync.sync(self.store, self.remote(name), timeout_seconds=TIMEOUT_SECONDS, rounds_max=8)

    def lines(self) -> set[tuple[str, bytes]]:
        """Return every ledger line of the branch with its clone: what may never get lost."""
        return {(layout.clone_of(writer), line) for writer, line in ledger_lines(self)}

    def events(self) -> set[tuple[str, str]]:
        """Return every event of the branch, by its clone and its digest: what may never get lost, redacted or not."""
        return {(layout.clone_of(writer), codec.digest_of(line)) for writer, line in ledger_lines(self)}

    def status(self) -> str:
        """Return what C git finds changed in the mount; empty when it is clean."""
        return git(self.mount, "status", "--porcelain")

    def closed(self) -> Path:
        """Close the store until it is used next, and return the folder: no connection may cross a fork."""
        self.store.close()
        return self.folder

    def reopened(self) -> "Clone":
        """Return the same clone opened anew, as the next process would."""
        self.store.close()
        return opened(self.folder, self.clock)


Clones = TypeVar("Clones", bound=Sequence[Clone])


@contextlib.contextmanager
def closing(clones: Clones) -> Iterator[Clones]:
    """Close the stores at the end, whatever happens."""
    try:
        yield clones
    finally:
        for one in clones:
            one.store.close()


def a_store(
    folder: Path, name: str = "clone", *, entropy: Entropy | None = None, clock: FixedClock | None = None
) -> Clone:
    """Make `folder/name` a repository with a mounted, still unborn governance branch."""
    place = folder / name
    place.mkdir(parents=True)
    git(place, "init", "-q", "-b", "main")
    mount.create(locate(place), BRANCH, place / ".exo")
    return opened(place, clock or FixedClock(), entropy=entropy or seeded(hash_of(name)))


def opened(folder: Path, clock: FixedClock | None = None, *, entropy: Entropy | None = None) -> Clone:
    """Open the store of a folder that is mounted already."""
    said: list[str] = []
    store = Store(
        Repository(locate(folder)),
        entropy=entropy or seeded(hash_of(folder.name)),
        absorb=judge,
        scribe=SCRIBE,
        progress=said.append,
    )
    return Clone(folder, store, clock or FixedClock(), said)


def judge(view: View, before: TicketRecord | None, after: Ticket) -> Outcome:
    """Judge an edited ticket file as operations do."""
    return edits.absorb_ticket(view, before, after, Asking(), human=True)


def a_bare_hub(folder: Path, name: str = "hub.git") -> Path:
    """Make an empty bare repository."""
    hub = folder / name
    hub.mkdir(parents=True)
    git(hub, "init", "-q", "--bare", "-b", "main")
    return hub


def a_company(folder: Path, count: int, *, hubs: int = 1) -> list[Clone]:
    """Make hubs (`origin`, `hub1`, ...) and clones that know them all; the first clone has begun the governance."""
    made = [a_bare_hub(folder, f"hub{number}.git") for number in range(hubs)]
    clones = [a_store(folder, f"clone{number}", entropy=seeded(number)) for number in range(count)]
    for one in clones:
        for number, hub in enumerate(made):
            git(one.folder, "remote", "add", f"hub{number}" if number else "origin", str(hub))
    begin(clones[0])
    return clones


def begin(one: Clone) -> Committed:
    """Write the first event of a governed repository."""
    return one.write(Draft(subject="authority", data=AuthoritySet(id="a" * 32)))


def a_governed_store(folder: Path, name: str = "clone") -> Clone:
    """Make a clone whose governance has begun."""
    one = a_store(folder, name)
    begin(one)
    return one


def file_of(one: Clone, ticket: str) -> Path:
    """Return the file of a ticket in a clone's mount."""
    (found,) = one.mount.glob(f"tickets/*/{ticket}.yaml")
    return found


def created(ticket_id: str, title: str = "A task", *, sets: Sets | None = None) -> Draft:
    """Return the event of a new ticket."""
    fields = Fields(title=title, kind="task")
    return Draft(subject=ticket_id, data=TicketCreated(fields=fields, sets=sets or Sets()))


def titled(ticket_id: str, title: str) -> Draft:
    """Return the event of a changed title."""
    return Draft(subject=ticket_id, data=TicketEdited(fields=Fields(title=title)))


def noted(ticket_id: str, text: str) -> Draft:
    """Return the event of a note."""
    return Draft(subject=ticket_id, data=TicketNoted(text=text))


def a_session(number: int) -> SessionId:
    """Return a session's id."""
    return SessionId(f"SES-{number:010}")


def hash_of(name: str) -> int:
    """Return a number for a name, the same in every process."""
    return int.from_bytes(name.encode()[-6:])


def ledger_lines(one: Clone) -> Iterator[tuple[str, bytes]]:
    """Yield writer and line of everything in the ledger at the branch tip, read by C git; none while it is unborn."""
    if one.store.governed.tip() is None:
        return
    names = git(one.folder, "ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    for name in names:
        segment = layout.parse_segment(name)
        assert segment is not None, name
        data = one.store.governed.repository.objects.read(Oid(git(one.folder, "rev-parse", f"{BRANCH}:{name}"))).data
        for line in ledger.lines_of(data):
            yield segment.writer, line


def dump(index: Index) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table of an index, without what depends on the order of arrival."""
    tables = [row[0] for row in index.db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found: dict[str, list[tuple[object, ...]]] = {}
    for table in tables:
        if table in _SKIPPED or table.startswith("sqlite_"):
            continue
        columns = [row[1] for row in index.db.execute(f"PRAGMA table_info({table})")]
        shown = ", ".join(column for column in columns if (table, column) != ("events", "id"))
        rows = index.db.execute(f"SELECT {shown} FROM {table}")  # noqa: S608 - names of our own schema
        found[table] = sorted(rows.fetchall(), key=repr)
    return found


def rebuilt(one: Clone) -> Index:
    """Return a fold of the clone's whole ledger from scratch."""
    index = in_memory()
    with index.transaction():
        rebuild(index, one.store.governed.repository.objects, one.tree, lambda _: None)
    return index


def assert_sound(one: Clone) -> None:
    """Assert that C git finds nothing wrong, the mount is clean, and the index is what a rebuild gives."""
    git(one.folder, "fsck", "--strict")
    assert one.status() == ""
    has, wanted = dump(one.store.view().index), dump(rebuilt(one))
    for table, rows in wanted.items():
        assert has[table] == rows, f"the index differs from a rebuilt one in {table}"


def clone_id_of(one: Clone) -> str:
    """Return the id under which the clone writes."""
    found = clone.read(one.store.governed.folder)
    assert found is not None
    return found
