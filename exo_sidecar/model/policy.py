"""The policy: a constitution's rules compiled into a lock, and everything that governs sealed together.

Both are canonical JSON that names the digest of all of it; the same sources after the same predecessor make the same
bytes, and no time stands in them (docs/kernel.md, "Lock and seal").
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from exo_sidecar.base import canonical
from exo_sidecar.base.canonical import Json, NotCanonicalError
from exo_sidecar.base.digest import sha256_hex
from exo_sidecar.model.check import Check
from exo_sidecar.model.errors import Integrity, Usage
from exo_sidecar.model.role import Role
from exo_sidecar.model.rule import Patterns, Rule
from exo_sidecar.model.ticket import Budgets

CONSTITUTION: Final = "CONSTITUTION.md"
LOCK_FILE: Final = "governance.lock.json"
SEAL_FILE: Final = "policy.sealed.json"
BYTES_MAX: Final = 192 * 1024
"""Of a lock or seal: it travels in an event, whose line may hold 256 KiB."""
PREVIOUS_MAX: Final = 16
"""Predecessors of one lock or seal: more clones never compiled without knowing each other."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Verdict = Literal["ok", "stale", "held", "unsettled", "drift", "missing", "tampered"]
"""How the compiled policy stands to its sources, the worst last."""
BARRING: Final[frozenset[Verdict]] = frozenset({"drift", "missing", "tampered"})
"""Verdicts under which nobody begins to work."""

_Predecessors = Annotated[tuple[Digest, ...], Meta(max_length=PREVIOUS_MAX)]


class RuleFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a rule as it is written."""

    line: int
    """In the constitution, from 1."""
    rule: str
    """The rule's id, empty where it has none."""
    message: str
    nearest: str = ""
    """The valid word nearest to one that is not; empty when none is near."""


class RuleInvalid(Usage):
    """A constitution does not compile; `faults` has every reason, and nothing is written."""

    code = "RULE_INVALID"
    advice = "mend the lines that are named, then exo build-governance"

    def __init__(self, faults: tuple[RuleFault, ...]) -> None:
        self.faults = faults
        told = tuple(_told(fault) for fault in faults)
        first = faults[0]
        super().__init__("; ".join(told), faults=told, line=first.line, rule=first.rule)


class PolicyTampered(Integrity):
    """A lock or seal is not what the ledger says was written: only a person goes on from here."""

    code = "POLICY_TAMPERED"
    advice = "a person looks at it with exo audit, and accepts it with exo compose --accept-tampered --reason"


class GovernanceDrift(Integrity):
    """The constitution was changed and not compiled, or was never compiled and sealed."""

    code = "GOVERNANCE_DRIFT"
    advice = "exo build-governance compiles it, then exo compose seals it"


class RuleSource(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as somebody wrote it: the value of its block, and where that stands."""

    line: int
    value: Json
    lines: Mapping[str, int] = {}
    """Line of each key, where the reader knows it."""


class Constitution(msgspec.Struct, frozen=True, kw_only=True):
    """What is compiled."""

    source: Digest
    """Digest of the text that the rules were read from."""
    rules: tuple[RuleSource, ...]
    checks: frozenset[str] | None = None
    """Ids of the checks that there are; None: not known here, so names of checks are not judged."""


class Lock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`governance.lock.json`: the rules of one constitution."""

    version: Literal[1] = 1
    source: Digest
    """Digest of the constitution's text."""
    rules: tuple[Rule, ...] = ()
    previous: _Predecessors = ()
    """Digests of the locks before it: one as a rule, several where clones compiled without knowing each other."""
    digest: Digest = "0" * 64
    """Over everything else."""


class LockedPaths(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of a feature that agents may not change."""

    feature: str
    patterns: Patterns


class CoUpdate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files that change together."""

    label: str
    files: Patterns


class Seal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`policy.sealed.json`: everything that governs, in one file."""

    version: Literal[1] = 1
    sources: dict[str, Digest]
    """Digest of each document that there is, by its name."""
    lock: Digest
    rules: tuple[Rule, ...] = ()
    """The lock's rules: each deny with its own actions."""
    locked_paths: tuple[LockedPaths, ...] = ()
    budgets: Budgets = Budgets()
    checks: tuple[Check, ...] = ()
    co_update: tuple[CoUpdate, ...] = ()
    roles: tuple[Role, ...] = ()
    hooks: Digest | None = None
    """Digest of the agent hooks that were generated, None where there are none."""
    previous: _Predecessors = ()
    digest: Digest = "0" * 64


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is there, to be verified: files as they are, and what the ledger knows of them."""

    sources: Mapping[str, str]
    """Digest of each document that there is."""
    lock: bytes | None
    seal: bytes | None
    known: frozenset[str]
    """Every digest of a document, lock or seal that an event of the ledger names."""
    unsettled: tuple[str, ...] = ()
    """Documents of which two versions wait for a decision."""
    loosened: tuple[str, ...] = ()
    """What the policy loosens beyond what this clone trusts, in words."""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a verification."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """One sentence for each thing that is not as it should be; of the verdict's own first."""
    changed: tuple[str, ...] = ()
    """Documents that are not what was sealed."""
    lock: Lock | None = None
    seal: Seal | None = None
    """Both only as far as they can be read and are genuine."""

    @property
    def refusal(self) -> Integrity | None:
        """Why nobody may begin to work, None when somebody may."""
        why = "; ".join(self.reasons)
        match self.verdict:
            case "tampered":
                return PolicyTampered(why, verdict=self.verdict)
            case "drift":
                return GovernanceDrift(why, verdict=self.verdict)
            case "missing":
                return GovernanceDrift(why, hint="exo compose makes what is missing", verdict=self.verdict)
            case "ok" | "stale" | "held" | "unsettled":
                return None


class UnreadableError(ValueError):
    """Bytes are not a lock or seal as this program writes it."""


Compiled: TypeAlias = Lock | Seal
_Kind = TypeVar("_Kind", Lock, Seal)


def closed(value: _Kind) -> _Kind:
    """Return a lock or seal with the digest of all of it in its place."""
    return msgspec.structs.replace(value, digest=digest_of(value))


def digest_of(value: Compiled) -> str:
    """Return the digest over everything but the digest itself."""
    found = msgspec.to_builtins(value)
    return sha256_hex(canonical.dumps({name: each for name, each in found.items() if name != "digest"}))


def text_of(value: Compiled) -> bytes:
    """Return the bytes of the file: canonical JSON and a line's end."""
    return canonical.dumps(msgspec.to_builtins(value)) + b"\n"


def read(text: bytes, kind: type[_Kind]) -> _Kind:
    """Return what the bytes of a file say; UnreadableError. Whether its digest is right is not asked."""
    if len(text) > BYTES_MAX or not text.endswith(b"\n"):
        message = f"longer than {BYTES_MAX} bytes" if len(text) > BYTES_MAX else "its last line does not end"
        raise UnreadableError(message)
    try:
        return msgspec.convert(canonical.loads(text[:-1]), kind)
    except (NotCanonicalError, msgspec.ValidationError) as error:
        raise UnreadableError(str(error)) from error


def _told(fault: RuleFault) -> str:
    rule = f" {fault.rule}:" if fault.rule else ""
    nearest = f"; did you mean {fault.nearest!r}?" if fault.nearest else ""
    return f"line {fault.line}:{rule} {fault.message}{nearest}"
