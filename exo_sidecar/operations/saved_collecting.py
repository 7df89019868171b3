"""Saved work of sessions that have ended, forgotten where branches hold all of it; what is nowhere else stays."""

from collections.abc import Iterator
from typing import Final

from exo_sidecar.git import refnames
from exo_sidecar.git.objects import ObjectDamaged, ObjectMissing
from exo_sidecar.host import saved_work
from exo_sidecar.model.errors import Environment
from exo_sidecar.model.ids import SessionId
from exo_sidecar.model.session import SessionRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context

_AT_ONCE_MAX: Final = 200
"""Refs that are looked at by one call, beginning anywhere: those that stay are in nobody's way."""
_CHOICE_BYTES: Final = 8
_ENDED: Final = "finished"


def collect(ctx: Context, view: View) -> tuple[str, ...]:
    """Drop the refs whose work is committed, and return their names; with --dry-run only return them."""
    return tuple(_dropped(ctx, view))


def _dropped(ctx: Context, view: View) -> Iterator[str]:
    for session in _ended(ctx, view):
        try:
            work = saved_work.read(ctx.repository, session.id)
            if work is None or not saved_work.is_committed(ctx.repository, work):
                continue
            if not ctx.dry_run:
                saved_work.drop(ctx.repository, session.id, work)
        except (Environment, ObjectDamaged, ObjectMissing) as error:
            ctx.warn_of(error)  # one that cannot be read stays, and stops no other
        else:
            yield saved_work.ref_of(session.id)


def _ended(ctx: Context, view: View) -> Iterator[SessionRecord]:
    names = sorted(ref.removeprefix(refnames.SAVED) for ref in ctx.repository.refs.list(refnames.SAVED))
    first = int.from_bytes(ctx.entropy(_CHOICE_BYTES), "big") % len(names) if len(names) > _AT_ONCE_MAX else 0
    for name in [each for each in (*names[first:], *names[:first]) if each.startswith("SES-")][:_AT_ONCE_MAX]:
        session = view.session(SessionId(name))
        if session is not None and session.status == _ENDED:
            yield session
