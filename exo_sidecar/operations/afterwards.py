"""Afterwards: what a call that wrote is the occasion for, once its own work is done.

`sync.auto: always` tells the remote of the leases (docs/sync.md, "Steps"), and objects that have gathered are packed in
the background. Neither makes a call fail that went well: what goes wrong is a warning, or is left to the next call.
"""

import contextlib

from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Operation


def share(ctx: Context, operation: Operation) -> None:
    """Push what the call wrote, where the settings say so; a remote that has it already is not asked."""
    if not _wrote(ctx, operation) or ctx.offline:
        return
    # Only what writes pays for the wire.
    from exo_sidecar.operations import exchange  # noqa: PLC0415
    from exo_sidecar.sync import distance  # noqa: PLC0415

    try:
        view = ctx.view()
        authority = view.authority()
        if view.config().sync.auto != "always" or authority is None or authority.remote is None:
            return
        if ctx.repository.refs.read(distance.tracking_ref(ctx.governed, authority.remote)) != ctx.governed.tip():
            exchange.push(ctx)
    except ExoError as error:
        ctx.warn_of(error)


def pack(ctx: Context, operation: Operation) -> None:
    """Have loose objects packed in the background when there are many."""
    if not _wrote(ctx, operation):
        return
    from exo_sidecar.git import upkeep  # noqa: PLC0415 - as above

    with contextlib.suppress(ExoError, OSError):
        upkeep.start_when_due(ctx.place.common, ctx.repository.settings)


def _wrote(ctx: Context, operation: Operation) -> bool:
    return operation.writes and not ctx.dry_run and ctx.is_placed
