"""Texts that settle a document: read from a file of the checkout, or made of the versions of its open places."""

import os
from pathlib import Path

from exo_sidecar.base import files
from exo_sidecar.domain import settling
from exo_sidecar.git.objects import object_id
from exo_sidecar.model.document import TEXT_MAX_BYTES, Document
from exo_sidecar.model.errors import ValueInvalid
from exo_sidecar.operations.context import Context
from exo_sidecar.store import fold_document, hand_edits
from exo_sidecar.store.edited_files import Edit


def read(ctx: Context, name: str, path: str) -> str:
    """Return the text of a file of the checkout; ValueInvalid when it lies outside, or is no text of `name`."""
    data = content(ctx, name, path)
    _check_bytes(name, data)
    return data.decode()


def lying(ctx: Context, name: str, *, limit_bytes: int) -> bytes | None:
    """Return a document as it lies in the mount, whatever it holds; None where no such file can be read."""
    try:
        return files.read_beneath(ctx.governed.mount, name, limit_bytes=limit_bytes)
    except (files.NotRegularError, files.TooLargeError):
        return None


def content(ctx: Context, name: str, path: str) -> bytes:
    """Return what a file of the checkout holds; ValueInvalid when it lies outside, is not there, or too large."""
    if "\0" in path:
        raise _unfit(name, f"{path[:80]!r} is no path")
    root = Path(os.path.realpath(ctx.place.worktree or ctx.repo))
    place = Path(os.path.realpath(ctx.repo / path))
    if not place.is_relative_to(root):
        raise _unfit(name, f"{path[:80]!r} lies outside of the checkout")
    try:
        data = files.read_beneath(root, str(place.relative_to(root)), limit_bytes=TEXT_MAX_BYTES)
    except (files.NotRegularError, files.TooLargeError) as error:
        raise _unfit(name, f"{path[:80]!r} cannot be read as a document: {error.strerror or error}") from error
    if data is None:
        raise _unfit(name, f"there is no file {path[:80]!r}")
    return data


def taken(document: Document, take: tuple[str, ...]) -> str:
    """Return the document with `ours` or `theirs` in all its open places; ValueInvalid when one has several others."""
    if take == settling.OURS:
        return document.text
    texts: dict[str, str] = {}
    for section in document.conflicts:
        if section.name in texts:
            message = f"{section.name or 'the beginning'} of {document.name} has more than one other version"
            hint = f"exo resolve --document {document.name} shows them; give the text with --file PATH"
            raise ValueInvalid(message, hint=hint, parameter="take", document=document.name)
        texts[section.name] = section.text
    return fold_document.with_units(document, texts)


def check(name: str, text: str) -> None:
    """Raise ValueInvalid when `text` cannot be the document's: not its language, too long, not to be read."""
    _check_bytes(name, text.encode())


def units(document: Document) -> dict[str, str]:
    """Return the texts of a document's units by name."""
    return fold_document.split(document.name, document.text)


def _check_bytes(name: str, data: bytes) -> None:
    fault = hand_edits.fault_of(Edit(name, data, object_id("blob", data)))
    if fault is not None:
        raise _unfit(name, f"{f'line {fault.line}: ' if fault.line else ''}{fault.message}")


def _unfit(name: str, what: str) -> ValueInvalid:
    return ValueInvalid(f"{name}: {what}", hint="mend it, or give another --file", parameter="file", document=name)
