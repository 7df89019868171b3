"""Policy-verifying: lock and seal held against their sources, the ledger and the mount. Reads only, imports little."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from exo_sidecar.base.digest import DIGEST_SHOWN, sha256_hex
from exo_sidecar.domain import policy_texts
from exo_sidecar.kernel.verify_governance import verify_governance
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.event_policy import FILES
from exo_sidecar.model.policy import CONSTITUTION, LOCK_FILE, SEAL_FILE, Found, GovernanceDrift, Seal, Verification
from exo_sidecar.model.policy_record import PolicyRecord
from exo_sidecar.model.view import View
from exo_sidecar.operations.context import Context
from exo_sidecar.store import clone, edited_files, layout

_EDITED: Final = "it is computed, and nobody writes it but exo"


class Edited(NamedTuple):
    """A lock or seal in the mount that is not the branch's."""

    file: str
    digest: str
    odd: str | None = None
    """What stands in its place, where that is no plain file."""


def verify(ctx: Context) -> Verification:
    """Return how lock and seal stand to their sources, to the ledger, and to what lies in the mount. Reads only."""
    view = ctx.reader.view()
    record = view.policy()
    texts = policy_texts.texts_of(view)
    found = verify_governance(
        Found(
            sources=policy_texts.digests(texts),
            lock=record.lock.data if record and record.lock else None,
            seal=record.seal.data if record and record.seal else None,
            known=frozenset(record.known) if record else frozenset(),
            unsettled=policy_texts.unsettled(view),
            loosened=tuple(f"{each.key}: {each.before} to {each.after}" for each in ctx.floor.held(view)),
        )
    )
    if found.verdict == "drift" and is_covered(record, texts):
        found = msgspec.structs.replace(found, verdict="unsettled" if policy_texts.unsettled(view) else "stale")
    wrong = (*_of_mount(ctx), *_found_here(ctx, record), *_forged(ctx, found, record, texts))
    if not wrong:
        return found
    reasons = tuple(dict.fromkeys((*wrong, *(found.reasons if found.verdict == "tampered" else ()))))
    return msgspec.structs.replace(found, verdict="tampered", reasons=reasons)


def refusal_of(view: View, found: Verification) -> ExoError | None:
    """Return why nobody may begin to work under a policy, with what mends it."""
    match found.verdict:
        case "missing":
            has_text = view.document(CONSTITUTION) is not None
            way = "exo compose compiles and seals what is there" if has_text else "exo init writes a first constitution"
            return GovernanceDrift("; ".join(found.reasons), hint=way, verdict=found.verdict)
        case "drift" if view.document(CONSTITUTION) is None:
            return GovernanceDrift("; ".join(found.reasons), hint="exo init writes a first constitution")
        case _:
            return found.refusal


def is_covered(record: PolicyRecord | None, texts: Mapping[str, str]) -> bool:
    """Whether everything that the constitution says has been compiled somewhere: then anybody may do so again."""
    return record is not None and record.lock is not None and not record.uncovered and CONSTITUTION in texts


def edited(ctx: Context) -> tuple[Edited, ...]:
    """Return the lock or seal of the mount where it is not the branch's; a file that is gone is no edit."""
    return tuple(
        Edited(each.path, sha256_hex(each.data), each.odd) for each in edited_files.standing(ctx.governed, FILES)
    )


def _of_mount(ctx: Context) -> tuple[str, ...]:
    if ctx.reader.view().policy() is None:
        return ()
    name = ctx.governed.mount.name
    how = {each: f"a {each.odd} is in its place" if each.odd else "it was edited by hand" for each in edited(ctx)}
    return tuple(f"{each.file} in {name}: {told}: {_EDITED}" for each, told in how.items())


def _found_here(ctx: Context, record: PolicyRecord | None) -> tuple[str, ...]:
    """Return what this clone has found and no person has dealt with, even where the file is as it should be by now."""
    own = clone.read(ctx.governed.folder)
    if record is None or own is None:
        return ()
    here = (each for each in record.tampered if layout.clone_of(each.event.partition(":")[0]) == own)
    return tuple(f"{each.file} was found as {each.found[:DIGEST_SHOWN]} ({each.reason})" for each in here)


def _forged(ctx: Context, found: Verification, record: PolicyRecord | None, texts: dict[str, str]) -> tuple[str, ...]:
    """Return where a genuine-looking lock or seal is not what its sources make; asked once of each that comes along."""
    lock, seal = found.lock, found.seal
    if lock is None or seal is None or record is None or ctx.floor.knows(seal.digest):
        return ()
    if policy_texts.digests(texts).get(CONSTITUTION) != lock.source:
        return ()
    # Only a policy that has just come along pays for the compiler.
    from exo_sidecar.domain import sealing  # noqa: PLC0415
    from exo_sidecar.operations import policy_making  # noqa: PLC0415

    again = policy_making.compiled(None, texts)
    if isinstance(again, ExoError) or again.rules != lock.rules:
        return (f"{LOCK_FILE} has other rules than the {CONSTITUTION} that it names",)
    if seal.sources != policy_texts.digests(texts) or seal.lock != lock.digest:
        return ()
    made = policy_making.sealed(None, lock, texts)
    if not isinstance(made, Seal) or not sealing.is_same(made, seal):
        return (f"{SEAL_FILE} says something else than the documents that it names",)
    return ()
