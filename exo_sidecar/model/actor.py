"""Actors: who acts, as `kind:name` (docs/architecture.md, "Who acts"). A claim, unless a signature says otherwise."""

import re
from typing import Final, NewType

from exo_sidecar.model.errors import ActorInvalid

Actor = NewType("Actor", str)

_FORM: Final = re.compile(r"(human|agent|ci|system):[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._@+-]+")


def parse(text: str) -> Actor:
    """Return `text` as an actor; a bare name means `human:`. ActorInvalid for another form."""
    candidate = text if ":" in text else f"human:{text}"
    if not _FORM.fullmatch(candidate):
        message = f"{text[:80]!r} is not an actor"
        raise ActorInvalid(message)
    return Actor(candidate)


def is_actor(text: str) -> bool:
    """Whether `text` is an actor exactly as stored."""
    return _FORM.fullmatch(text) is not None


def from_name(kind: str, name: str) -> Actor:
    """Return an actor for a free name (a git user, an MCP client): what an actor cannot hold becomes a dash."""
    fitted = _UNFIT.sub("-", name).strip("-._@+")[:64].lower()
    return Actor(f"{kind}:{fitted or 'unknown'}")


def is_agent(actor: Actor) -> bool:
    """Whether the actor is a program rather than a person."""
    return not actor.startswith("human:")
