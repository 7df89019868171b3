"""Context: everything of the outside that an operation may touch, opened when first asked for.

An operation never opens files, reads clocks or environment, or prints: it asks its context. `view()` is the state at
the branch tip; `transact(rule)` decides on it and writes one commit (docs/architecture.md, "A transaction").
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import msgspec

from exo_sidecar.domain import holding, provisional
from exo_sidecar.git.locate import Place, locate
from exo_sidecar.git.repository import Repository
from exo_sidecar.host import caller as callers
from exo_sidecar.host import clock as clocks
from exo_sidecar.host import identity, live_sessions
from exo_sidecar.host.caller import Call, Caller
from exo_sidecar.host.live_sessions import Listed
from exo_sidecar.model import instant
from exo_sidecar.model.actor import is_agent
from exo_sidecar.model.boot import BootClock
from exo_sidecar.model.config import Config
from exo_sidecar.model.errors import ExoError, Offline, Usage
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.ids import Entropy
from exo_sidecar.model.instant import Clock, Instant
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.session import OfflineClaim
from exo_sidecar.model.ticket import Ticket, TicketRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations.floor import Floor, Writer, Written
from exo_sidecar.operations.scribing import SCRIBE
from exo_sidecar.store import clone
from exo_sidecar.store.codec import raw_params
from exo_sidecar.store.drafts import Stamp
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.reader import Reader

if TYPE_CHECKING:
    from exo_sidecar.store.store import Store
    from exo_sidecar.store.transaction import Committed


_GO_ON_LOST: Final = frozenset({"session-finish", "sync", "sidecar-pull", "sidecar-push", "sidecar-repair"})
"""What a session may still do whose claim, made offline, was not confirmed."""


class Warned(NamedTuple):
    """Something that the caller should know and that stopped nothing."""

    code: str
    message: str


class ContextClosed(Usage):
    """A context was asked for something after its end."""

    code = "CONTEXT_CLOSED"
    advice = "call within the with block of Context.open, or open another context"


def _say_nothing(_: str) -> None:
    """Report no progress."""


class Context:
    """Opened for one call or for several of one thread; `close` lets go of everything."""

    def __init__(  # noqa: PLR0913 - one keyword per thing of the outside, given by `open` alone
        self,
        repo: Path,
        *,
        actor: str | None,
        session: str | None,
        environ: Mapping[str, str],
        dry_run: bool,
        offline: bool,
        yes: bool,
        interactive: bool,
        clock: Clock,
        entropy: Entropy,
        progress: Callable[[str], None],
    ) -> None:
        self.repo = repo
        self.environ = environ
        self.dry_run = dry_run
        self.offline = offline
        self.yes = yes
        self.interactive = interactive
        self.entropy = entropy
        self.progress = progress
        self.warnings: list[Warned] = []
        self._actor = actor
        self._session = session
        self._clock = clock
        self._operation = "unknown"
        self._params: msgspec.Raw | None = None
        self._replaced: list[Reader] = []
        self._left: list[Repository] = []
        self._home = repo
        self._is_closed = False

    @classmethod
    def open(  # noqa: PLR0913 - as above
        cls,
        repo: str | os.PathLike[str],
        *,
        actor: str | None = None,
        session: str | None = None,
        environ: Mapping[str, str] | None = None,
        dry_run: bool = False,
        offline: bool = False,
        yes: bool = False,
        interactive: bool = False,
        clock: Clock = clocks.system_clock,
        entropy: Entropy = os.urandom,
        progress: Callable[[str], None] = _say_nothing,
    ) -> Self:
        """Return a context for calls, one after the other, in the repository that `repo` lies in; opens nothing yet.

        `environ` is the environment that counts, the process's own when none is given.
        """
        return cls(
            Path(repo),
            actor=actor,
            session=session,
            environ=os.environ if environ is None else environ,
            dry_run=dry_run,
            offline=offline,
            yes=yes,
            interactive=interactive,
            clock=clock,
            entropy=entropy,
            progress=progress,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, operation: str, params: Mapping[str, object]) -> None:
        """Take note of what is done, for the events and the commit message of the transaction.

        What the call before has learned of the time and of who calls is forgotten, and where it went is left.
        """
        self._operation = operation
        self._params = raw_params(params)
        if self.repo != self._home:
            self.work_in(self._home)
        self._forget("now", "live", "caller", "claim", "floor")

    @cached_property
    def place(self) -> Place:
        """Where the repository is; NotARepository and its like."""
        if self._is_closed:
            message = "this context is closed"
            raise ContextClosed(message)
        return locate(self.repo)

    @property
    def is_placed(self) -> bool:
        """Whether the call looked for its repository and found it."""
        return "place" in self.__dict__

    @cached_property
    def repository(self) -> Repository:
        """The git repository."""
        return Repository(self.place)

    @cached_property
    def reader(self) -> Reader:
        """The records, to look at; SidecarMissing when the repository is not governed."""
        return Reader(self.repository, progress=self.progress, restrain=self._restrain)

    @cached_property
    def store(self) -> "Store":
        """The records, to write; from then on the view is the writer's. Views taken before go on to answer."""
        from exo_sidecar.store.store import Store  # noqa: PLC0415  (30 ms that a reading call is spared)

        if "reader" in self.__dict__:
            self._replaced.append(self.reader)
        self.reader = Store(
            self.repository,
            entropy=self.entropy,
            absorb=self._absorb,
            scribe=SCRIBE,
            progress=self.progress,
            restrain=self._restrain,
        )
        self._keep_floor()
        return self.reader

    @cached_property
    def floor(self) -> Floor:
        """The settings that no pulled policy loosens here."""
        return Floor(self.place.common, self.environ)

    @property
    def governed(self) -> Governed:
        """The places of the governed repository."""
        return self.reader.governed

    @cached_property
    def caller(self) -> Caller:
        """Who calls, and within which session."""
        call = Call(
            actor=self._actor,
            session=self._session,
            environ=self.environ,
            git_user=identity.git_user_name(self.place.common, self.environ),
            worktree=self.place.worktree,
        )
        for finding in self.live.findings:
            self.tell(finding)
        return callers.resolve(call, self.live.sessions)

    @cached_property
    def live(self) -> Listed:
        """The live sessions of this clone as they were when first asked for; a copied folder has none of its own."""
        common = self.place.common
        found = live_sessions.listed(common)
        if found.sessions and live_sessions.is_of_another(common, clone.read(common / "exo")):
            return Listed((), found.findings)
        return found

    @cached_property
    def claim(self) -> OfflineClaim | None:
        """The claim made offline that the caller's session works under, until a lease confirms it."""
        claims = {live.session: live for live in self.live.sessions if live.claim is not None}
        live = claims.get(self.caller.session) if claims and self.caller.session else None
        if live is None or live.claim is None:
            return None
        return OfflineClaim(session=live.session, ticket=live.ticket, nonce=live.claim, lost=live.lost)

    def look_at_claims(self) -> None:
        """Look anew which claim the caller's session works under: this call has confirmed it, or lost it."""
        self._forget("live", "claim")

    @property
    def is_person(self) -> bool:
        """Whether a person acts: the actor says so, and no agent's environment contradicts it."""
        return not is_agent(self.caller.actor) and not identity.is_agent_environment(self.environ)

    @cached_property
    def now(self) -> Instant:
        """The wall clock's time, one for the whole call; for people only."""
        return instant.of(self._clock())

    def boot_clock(self) -> BootClock:
        """Return the boot clock's reading."""
        return clocks.boot_clock()

    def view(self) -> View:
        """Return the state at the branch tip; for a session whose claim is provisional as if it counted."""
        view = self.reader.view()
        return view if self.claim is None or self.claim.lost else view.supposing(self.claim)

    def transact(self, rule: Callable[[View], Outcome]) -> View:
        """Decide by `rule` and write one commit with its events; return the state after it.

        With --dry-run nothing is written, and the view returned shows what would be. The events of a refused outcome
        are committed before its refusal is raised.
        """
        self.check_at_work_here()
        claim = self.claim
        if claim is not None:
            is_end = self._operation in _GO_ON_LOST
            rule = provisional.ruled(rule, claim, caller=self.caller.session, is_end=is_end)
        committed = self.store.transact(rule, self.stamp(), dry_run=self.dry_run)
        self.follow(committed)
        for finding in committed.findings:
            self.tell(finding)
        if committed.refusal is not None:
            raise committed.refusal
        return self.view()

    def check_at_work_here(self) -> None:
        """Refuse to write for a session that works in another clone: its id is for all to read, and proves nothing."""
        named = self.caller.session
        if named is None or live_sessions.read(self.place.common, named) is not None:
            return
        record = self.view().session(named)
        if record is not None and record.status == "active":
            raise holding.elsewhere(record)

    def follow(self, committed: "Committed") -> None:
        """Let this clone's floor follow the documents that were written in it, if any were."""
        if committed.commit is not None and (committed.documents or committed.policy):
            caller = Writer(self.caller.actor, self.now, self.is_person, begins=self._operation == "init")
            self.floor.follow(self.reader.view(), Written(committed.documents, committed.policy), caller)

    def stamp(self) -> Stamp:
        """Return what the events of this call have in common."""
        caller = callers.require_clear(self.caller)
        return Stamp(
            actor=caller.actor,
            session=caller.session,
            at=self.now,
            operation=self._operation,
            params=self._params,
        )

    def warn(self, code: str, message: str) -> None:
        """Tell the caller something that stops nothing."""
        self.warnings.append(Warned(code, message))

    def warn_of(self, error: ExoError) -> None:
        """Tell of an inability that stops nothing."""
        self.warn(error.code, f"{error.message}{f' ({error.hint})' if error.hint else ''}")

    def tell(self, finding: Finding) -> None:
        """Tell a finding as a warning."""
        self.warn(finding.code, f"{finding.message}{f' ({finding.hint})' if finding.hint else ''}")

    def require_network(self, what: str) -> None:
        """Raise Offline when --offline forbids what cannot be done without the network."""
        if self.offline:
            message = f"{what} needs the network, and --offline forbids it"
            raise Offline(message)

    def work_in(self, worktree: Path) -> None:
        """Let the call go on in another worktree of this clone; who calls is looked at anew there."""
        if "repository" in self.__dict__:
            self._left.append(self.repository)
        self.repo = worktree
        self._forget("place", "repository", "caller", "claim", "live")

    def reopen(self) -> None:
        """Let go of the records, because their place changed; they are opened anew when next asked for."""
        self._close_records()
        self._forget("reader", "store")

    def close(self) -> None:
        """Let go of everything; a dry run's decision is forgotten. Whatever is asked for later is ContextClosed."""
        self._close_records()
        if "repository" in self.__dict__:
            self.repository.close()
        for repository in self._left:
            repository.close()
        self._left.clear()
        self._forget("place", "repository", "reader", "store", "live", "caller", "claim", "floor")
        self._is_closed = True

    def _forget(self, *names: str) -> None:
        """Let what was opened or found out be so anew when next asked for."""
        for name in names:
            self.__dict__.pop(name, None)

    def _close_records(self) -> None:
        for reader in self._replaced:
            reader.close()
        self._replaced.clear()
        if "reader" in self.__dict__:
            self.reader.close()

    def _keep_floor(self) -> None:
        """Let the floor follow what is in force before this call brings in what others wrote."""
        if self.dry_run:
            return
        # Records that cannot be read here are named by whatever the call does with them.
        with contextlib.suppress(ExoError, OSError):
            self.floor.keep(self.reader.view())

    def _restrain(self, config: Config) -> Config:
        return self.floor.restrain(config, self.reader.view)

    def _absorb(self, view: View, before: TicketRecord | None, after: Ticket) -> Outcome:
        from exo_sidecar.domain import edits  # noqa: PLC0415  (15 ms, and most calls find no hand edit)

        return edits.absorb_ticket(view, before, after, self.caller, human=self.is_person)
