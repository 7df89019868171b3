"""A constitution's rules become a lock, or every reason why they cannot (docs/kernel.md)."""

from collections.abc import Sequence

from exo_sidecar.kernel import _compile
from exo_sidecar.model.policy import (
    BYTES_MAX,
    PREVIOUS_MAX,
    Constitution,
    Lock,
    RuleFault,
    RuleInvalid,
    closed,
    text_of,
)


def load_governance(constitution: Constitution, before: Sequence[Lock] = ()) -> Lock | RuleInvalid:
    """Return the lock of a constitution that follows the locks `before`, the one that stands first.

    Strict: what is not understood is a fault, and all faults are named together. The same rules of the same text that
    stand already are that very lock; else the same text after the same locks makes the same bytes.
    """
    compiled = _compile.rules(constitution)
    if compiled.faults:
        return RuleInvalid(compiled.faults)
    if before and (before[0].source, before[0].rules) == (constitution.source, compiled.rules) and len(before) == 1:
        return before[0]
    previous = tuple(dict.fromkeys(lock.digest for lock in before))[:PREVIOUS_MAX]
    lock = closed(Lock(source=constitution.source, rules=compiled.rules, previous=previous))
    if len(text_of(lock)) > BYTES_MAX:
        message = f"all rules together take more than {BYTES_MAX} bytes"
        return RuleInvalid((RuleFault(line=1, rule="", message=message),))
    return lock
