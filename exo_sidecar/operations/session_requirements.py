"""Requirements at the end of a session: those that its ticket's links name, held against `requirements.yaml`."""

import re
from typing import Final

from exo_sidecar.kernel.resolve_requirements import resolve_requirements
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.manifest import MANIFEST_ID, Requirements, Resolution
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.operations.context import Context
from exo_sidecar.store import manifest_text

_PREFIX: Final = "REQ-"
"""A link that begins so means a requirement, also where the file has none of that id."""
_NAMED_MAX: Final = 100
_ID_MAX: Final = 100
_FILE: Final = "requirements.yaml"


def traced(ctx: Context, session: SessionRecord) -> Resolution | None:
    """Return what became of the requirements that the session's ticket names; None: it names none, or nobody can tell.

    A link names one when it is an id of the file, acceptance ids included, or begins with _PREFIX. What is not there
    is a warning, and stops nothing.
    """
    view = ctx.view()
    record = view.ticket(session.ticket)
    linked = _linked(record.ticket.links if record is not None else ())
    if not linked:
        return None  # a finish that needs no YAML loads none
    document = view.document(_FILE)
    manifest = manifest_text.requirements(document.text if document is not None else "")
    if isinstance(manifest, ExoError):
        is_told = any(each.code == manifest.code for each in ctx.warnings)  # who seals the policy reads it, too
        if not is_told and any(each.startswith(_PREFIX) for each in linked):
            ctx.warn_of(manifest)
        return None
    known = _ids(manifest)
    named = tuple(each for each in linked if each in known or each.startswith(_PREFIX))
    if not named:
        return None
    found = resolve_requirements(manifest, named)
    _warn(ctx, session, found)
    return found


def _linked(links: tuple[str, ...]) -> tuple[str, ...]:
    """Return the links that have the form of a requirement's id."""
    return tuple(each for each in links if len(each) <= _ID_MAX and re.fullmatch(MANIFEST_ID, each))[:_NAMED_MAX]


def _warn(ctx: Context, session: SessionRecord, found: Resolution) -> None:
    way = f"exo ticket-edit {session.ticket} --remove-link takes a link away, .exo/{_FILE} is where they are written"
    if found.missing:
        missing = ", ".join(found.missing)
        ctx.warn("REQUIREMENT_MISSING", f"{session.ticket} names {missing}, and {_FILE} does not ({way})")
    if found.deleted:
        deleted = ", ".join(found.deleted)
        ctx.warn("REQUIREMENT_DELETED", f"{session.ticket} names {deleted}, deleted by {_FILE} ({way})")


def _ids(manifest: Requirements) -> frozenset[str]:
    return frozenset(each for item in manifest.requirements for each in (item.id, *item.acceptance))
