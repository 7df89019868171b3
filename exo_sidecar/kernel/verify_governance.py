"""Does the compiled policy still say what its sources say, and is it what was written? (docs/kernel.md, "Verdicts")."""

from typing import TypeVar

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.model.policy import (
    CONSTITUTION,
    LOCK_FILE,
    SEAL_FILE,
    Found,
    Lock,
    Seal,
    UnreadableError,
    Verdict,
    Verification,
    digest_of,
    read,
)

_Kind = TypeVar("_Kind", Lock, Seal)


def verify_governance(found: Found) -> Verification:
    """Return the verdict, the worst that holds, with a sentence for everything that is not as it should be.

    Tampered: a lock or seal that is not canonical, does not match its own digest, or names a digest, its own included,
    that no event of the ledger knows. Missing: one is not there. Drift: the constitution is not the one compiled.
    Then, in this order, unsettled, held and stale; none of these bars work. Nothing is mended here.
    """
    tampered: list[str] = []
    lock = _genuine(found.lock, Lock, LOCK_FILE, found, tampered)
    seal = _genuine(found.seal, Seal, SEAL_FILE, found, tampered)
    if lock is not None and seal is not None and seal.lock == lock.digest and seal.rules != lock.rules:
        tampered.append(f"{SEAL_FILE} has other rules than the lock that it names")
        seal = None
    absent = tuple(
        f"there is no {name}" for name, text in ((LOCK_FILE, found.lock), (SEAL_FILE, found.seal)) if text is None
    )
    unsettled = tuple(f"{name} has two versions that wait for a decision" for name in found.unsettled)
    drift = _drift(lock, found)
    changed = _changed(seal, found)
    stale = tuple(f"{name} was changed after it was sealed" for name in changed if name != CONSTITUTION)
    if lock is not None and seal is not None and seal.lock != lock.digest:
        stale = (f"{SEAL_FILE} was made from another lock", *stale)
    held = tuple(f"it loosens what this clone trusts: {each}" for each in found.loosened)
    by_verdict: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
        ("tampered", tuple(tampered)),
        ("missing", absent),
        ("drift", drift),
        ("unsettled", unsettled),
        ("held", held),
        ("stale", stale),
    )
    verdict: Verdict = next((word for word, reasons in by_verdict if reasons), "ok")
    reasons = tuple(reason for _, each in by_verdict for reason in each)
    return Verification(verdict=verdict, reasons=reasons, changed=changed, lock=lock, seal=seal)


def _genuine(text: bytes | None, kind: type[_Kind], name: str, found: Found, faults: list[str]) -> _Kind | None:
    """Return a lock or seal that is what the ledger knows, None when it is not there or is not."""
    if text is None:
        return None
    try:
        value = read(text, kind)
    except UnreadableError as error:
        faults.append(f"{name} cannot be read: {str(error)[:200]}")
        return None
    if digest_of(value) != value.digest:
        faults.append(f"{name} does not match its own digest {value.digest[:DIGEST_SHOWN]}")
        return None
    named = {value.digest: "its own digest", **dict.fromkeys(value.previous, "a predecessor")}
    if isinstance(value, Lock):
        named[value.source] = "a constitution"
    else:
        named[value.lock] = "a lock"
        named.update((digest, f"a {source}") for source, digest in sorted(value.sources.items()))
    unknown = [f"{what}, {digest[:DIGEST_SHOWN]}" for digest, what in named.items() if digest not in found.known]
    faults += [f"{name} names {each}, that no event knows" for each in unknown]
    return None if unknown else value


def _drift(lock: Lock | None, found: Found) -> tuple[str, ...]:
    """Return why the lock is not that of the constitution; while that is unsettled nobody could say."""
    if lock is None or CONSTITUTION in found.unsettled or found.sources.get(CONSTITUTION) == lock.source:
        return ()
    gone = CONSTITUTION not in found.sources
    return (f"{CONSTITUTION} {'is gone' if gone else 'was changed'} since it was compiled",)


def _changed(seal: Seal | None, found: Found) -> tuple[str, ...]:
    """Return the documents that are not those of the seal; one that is unsettled is not judged."""
    if seal is None:
        return ()
    names = sorted({*seal.sources, *found.sources})
    return tuple(
        name for name in names if name not in found.unsettled and seal.sources.get(name) != found.sources.get(name)
    )
