"""Init: a repository becomes governed."""

from functools import cached_property
from typing import Annotated

import msgspec

from exo_sidecar.domain import policy, policy_texts, scaffold
from exo_sidecar.domain.scan import NOTHING, Scanned
from exo_sidecar.model.document import DOCUMENTS
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event import Draft
from exo_sidecar.model.event_policy import SUBJECT
from exo_sidecar.model.ids import TicketId
from exo_sidecar.model.outcome import Outcome
from exo_sidecar.model.view import View
from exo_sidecar.operations import exchange, governing, policy_making, scanning
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.governing import Wanted
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param
from exo_sidecar.store.governed import DEFAULT_BRANCH


class Init(Params, frozen=True, kw_only=True):
    """Parameters of `init`."""

    seed: Annotated[bool, param("Add an intent with one task, to try things out")] = False
    no_scan: Annotated[bool, param("Write the same constitution and settings for every repository")] = False
    branch: Annotated[str, param("Branch that holds the governance state")] = DEFAULT_BRANCH
    remote: Annotated[str, param("Remote to share it with, and that decides about leases")] = "origin"


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """What the repository's own files put into its first constitution and settings."""

    primary_language: str | None
    rules: tuple[str, ...]
    """Ids of rules that are there for what was found."""
    checks: tuple[str, ...]


class Governed(Result, frozen=True, kw_only=True):
    """The repository is governed."""

    created: tuple[str, ...]
    """Documents and tickets that were written now."""
    mounted: bool
    """Whether the mount was made now."""
    branch: str
    seeded_tickets: tuple[TicketId, ...]
    policy_digest: str | None
    """Of the seal; None where nothing could be sealed."""
    scan: Fitted | None
    """None where nothing was looked at: every document was there, or --no-scan."""
    gitignore_updated: bool


@operation(Panel.SET_UP, writes=True, checkout=True, network=True, idempotent=True)
def run(ctx: Context, params: Init) -> Governed:
    """Govern this repository.

    Mounts the governance branch at .exo, looks at the files of the repository, writes the documents that are missing
    and a first ticket, compiles and seals them, and pushes the branch when there is a remote. Where the remote has the
    branch already, that one is mounted and nothing is created. Nothing of the application is staged, committed or
    switched. Safe to repeat.
    """
    beginning = _Beginning(ctx, params)
    mounted = governing.mount_branch(ctx, Wanted(branch=params.branch, remote=params.remote), beginning.rule)
    if mounted.migrated is not None:
        ctx.warn("SIDECAR_MIGRATED", f"the folder that was there is {mounted.migrated.original} now")
    if ctx.dry_run and not mounted.already:
        beginning.written += scaffold.names(seed=params.seed) if mounted.source != "remote" else ()
    elif mounted.source != "remote":
        ctx.transact(beginning.rule)  # writes what is missing where a branch or a folder was there already
        exchange.push(ctx)
    beginning.tell()
    created = tuple(dict.fromkeys(name for name in beginning.written if name != SUBJECT))
    return Governed(
        created=created,
        mounted=not mounted.already,
        branch=mounted.branch,
        seeded_tickets=scaffold.seeded(created),
        policy_digest=_sealed(ctx) if not ctx.dry_run or mounted.already else None,
        scan=beginning.fitted(),
        gitignore_updated=mounted.excluded,
    )


class _Beginning:
    """What a repository begins with, worked out when it is asked for; the last run of the rule counts."""

    def __init__(self, ctx: Context, params: Init) -> None:
        self.written: list[str] = []
        self._ctx = ctx
        self._params = params
        self._fault: ExoError | None = None

    @cached_property
    def _scanned(self) -> Scanned | None:
        """What the checkout shows; it is looked at only where a document is to be written."""
        return None if self._params.no_scan else scanning.found(self._ctx)

    def rule(self, view: View) -> Outcome:
        """Write what is missing, then compile and seal what there is."""
        here = policy_texts.texts_of(view)
        missing = any(name not in here for name in DOCUMENTS)
        texts = scaffold.texts(self._scanned.proposal if missing and self._scanned else NOTHING)
        outcome = scaffold.scaffold(view, texts, seed=self._params.seed)
        policy = self._policy(view, {**texts, **here})
        outcome = Outcome(events=(*outcome.events, *policy), findings=outcome.findings)
        self.written += [draft.subject for draft in outcome.events]
        return outcome

    def _policy(self, view: View, texts: dict[str, str]) -> tuple[Draft, ...]:
        """Return the events that compile and seal; where there is a policy already, its own commands change it."""
        record = view.policy()
        if record is not None or policy_texts.unsettled(view):
            return ()
        made = policy_making.made(record, texts)
        self._fault = made if isinstance(made, ExoError) else None
        return () if isinstance(made, ExoError) else policy_making.drafts(record, made)

    def tell(self) -> None:
        """Warn of documents that were here before and do not compile."""
        if self._fault is not None:
            self._ctx.warn_of(self._fault)

    def fitted(self) -> Fitted | None:
        """Return what the scan put into the documents."""
        found = self.__dict__.get("_scanned")
        if not isinstance(found, Scanned):
            return None
        language = found.languages[0].name if found.languages else None
        proposal = found.proposal
        return Fitted(
            primary_language=language, rules=tuple(rule.id for rule in proposal.rules), checks=proposal.checks
        )


def _sealed(ctx: Context) -> str | None:
    seal = policy.seal_at(ctx.view())
    return seal.digest if seal is not None else None
