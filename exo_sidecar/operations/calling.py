"""Calling: an operation with all that goes with it, for Python code (docs/guides/library.md) and for doors alike."""

from collections.abc import Callable
from typing import TypeVar, cast

import msgspec

from exo_sidecar.model.errors import ExoError
from exo_sidecar.operations import afterwards, keepalive
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.parameters import read
from exo_sidecar.operations.registry import Operation, Params, Result, declaration, invoke

Given = TypeVar("Given", bound=Params)
Answer = TypeVar("Answer", bound=Result)


def call(ctx: Context, function: Callable[[Context, Given], Answer], params: Given) -> Answer:
    """Call an operation by its function, as in `call(ctx, ticket.show, TicketShow(id="TICKET-001"))`.

    Raises:
        ValueInvalid: a parameter is not what it has to be; checked as every door checks it.
        ConfirmationMissing: something may be lost, and the context was not opened with `yes=True`.
        ExoError: whatever else the operation ends with, by `code`, `kind`, `message` and `hint`.
    """
    operation = declaration(function)
    checked = read(operation, msgspec.to_builtins(params))
    return cast("Answer", perform(ctx, operation, checked))


def perform(ctx: Context, operation: Operation, params: Params) -> Result:
    """Run an operation and what it is the occasion for: sharing, the session's heartbeat, packing."""
    try:
        result = invoke(ctx, operation, params)
        afterwards.share(ctx, operation)
        keepalive.tell(ctx, operation)
    except ExoError as error:
        keepalive.refused(ctx, error)
        raise
    finally:
        keepalive.keep(ctx, operation)
        afterwards.pack(ctx, operation)
        if ctx.dry_run:
            ctx.reopen()  # what would be is forgotten, and the clone's lock is free for the next call
    return result
