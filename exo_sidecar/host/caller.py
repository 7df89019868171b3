"""Callers: which session a call belongs to (docs/architecture.md, "Who acts").

In this order: the session that was named; the one in the environment; the one whose recorded process is an ancestor of
this program; the one live session of this worktree with the same actor. Where several fit, nothing is guessed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exo_sidecar.host import ancestry, identity
from exo_sidecar.host.ancestry import ProcessFacts
from exo_sidecar.host.live_sessions import LiveSession
from exo_sidecar.model import ids
from exo_sidecar.model.actor import Actor
from exo_sidecar.model.errors import Usage
from exo_sidecar.model.ids import SessionId


class SessionAmbiguous(Usage):
    """Several living sessions fit the call."""

    code = "SESSION_AMBIGUOUS"
    advice = "name the one you mean: --session SES-..., or set EXO_SESSION_ID"


class Caller(NamedTuple):
    """Who calls, and within which session."""

    actor: Actor
    session: SessionId | None
    """None: none, or several fit and none was named."""
    candidates: tuple[SessionId, ...] = ()
    """The living sessions among which the call does not choose; empty when it is clear."""


class Call(NamedTuple):
    """What is known of a call: the parameters given, the environment, and where it was made."""

    actor: str | None
    session: str | None
    environ: Mapping[str, str]
    git_user: str | None
    worktree: Path | None


def resolve(
    call: Call,
    live: Sequence[LiveSession],
    lineage: Callable[[], tuple[ProcessFacts, ...]] = ancestry.ancestors,
) -> Caller:
    """Return who makes the call; `lineage` is asked only when nothing else decides.

    Raises:
        ActorInvalid: the actor named is none.
        IdInvalid: the session named is none.
    """
    actor = identity.resolve(call.actor, call.environ, git_user=call.git_user)
    declared = identity.declared(call.actor, call.environ)
    if named := call.session or call.environ.get(identity.SESSION_VARIABLE):
        session_id = _named(named, live)
        known = next((item for item in live if item.session == session_id), None)
        return Caller(declared or (Actor(known.actor) if known else actor), session_id)
    active = [item for item in live if item.state in {"active", "lost"}]
    if not active:
        return Caller(actor, None)
    return _from_process(declared, actor, active, call.worktree, lineage) or _from_worktree(
        actor, active, call.worktree
    )


def require_clear(caller: Caller) -> Caller:
    """Return `caller` when at most one session fits it; SessionAmbiguous names those that do."""
    if not caller.candidates:
        return caller
    message = f"{len(caller.candidates)} living sessions fit this call: {', '.join(caller.candidates)}"
    raise SessionAmbiguous(message, sessions=caller.candidates)


def _named(text: str, live: Sequence[LiveSession]) -> SessionId:
    """Return the session that `text` names: an id, or the only live one that it is a prefix or the end of."""
    upper = text.strip().upper()
    fitting = [item.session for item in live if item.session.startswith(upper) or item.session == f"SES-{upper}"]
    if upper not in fitting and len(fitting) == 1:
        return fitting[0]
    return SessionId(ids.parse(text))


def _from_process(
    declared: Actor | None,
    actor: Actor,
    active: Sequence[LiveSession],
    worktree: Path | None,
    lineage: Callable[[], tuple[ProcessFacts, ...]],
) -> Caller | None:
    """Return the caller by the nearest recorded process among our ancestors; an actor that was named must fit too."""
    recorded = [item for item in active if item.process and declared in {None, item.actor}]
    if not recorded:
        return None
    for ancestor in lineage():
        fitting = [item for item in recorded if item.process and ancestry.is_same(item.process, ancestor)]
        if len(fitting) > 1:
            # One process may drive several sessions, each in a worktree of its own.
            fitting = [item for item in fitting if _is_of(item, worktree)] or fitting
        if len(fitting) == 1:
            return Caller(Actor(fitting[0].actor), fitting[0].session)
        if fitting:
            return Caller(actor, None, tuple(item.session for item in fitting))
    return None


def _from_worktree(actor: Actor, active: Sequence[LiveSession], worktree: Path | None) -> Caller:
    here = [item for item in active if _is_of(item, worktree) and item.actor == actor]
    if len(here) == 1:
        return Caller(actor, here[0].session)
    return Caller(actor, None, tuple(item.session for item in here))


def _is_of(item: LiveSession, worktree: Path | None) -> bool:
    return worktree is not None and item.worktree == str(worktree)
