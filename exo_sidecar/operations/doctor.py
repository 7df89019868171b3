"""Doctor: the health of this clone, section by section, and the command that mends each thing."""

from collections.abc import Callable
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from exo_sidecar.operations import doctor_mount, doctor_outside, doctor_policy, doctor_records, doctor_work
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.doctor_exam import Exam, Looked, Section
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param

Name: TypeAlias = Literal[
    "mount",
    "format",
    "index",
    "ledger",
    "documents",
    "policy",
    "files",
    "tracking",
    "hierarchy",
    "conflicts",
    "quarantine",
    "sessions",
    "leases",
    "sync",
    "trust",
    "hooks",
    "git",
    "clock",
    "disk",
]
SECTIONS: Final[dict[Name, Callable[[Exam], Looked]]] = {
    "mount": doctor_mount.mounted,
    "format": doctor_mount.formed,
    "index": doctor_records.index,
    "ledger": doctor_records.ledger,
    "documents": doctor_records.documents,
    "policy": doctor_policy.look,
    "files": doctor_records.files,
    "tracking": doctor_mount.tracked,
    "hierarchy": doctor_records.hierarchy,
    "conflicts": doctor_records.conflicts,
    "quarantine": doctor_records.quarantine,
    "sessions": doctor_work.sessions,
    "leases": doctor_work.leases,
    "sync": doctor_outside.sync,
    "trust": doctor_outside.trust,
    "hooks": doctor_outside.hooks,
    "git": doctor_outside.git,
    "clock": doctor_outside.clock,
    "disk": doctor_outside.room,
}
"""In the order of the report; the index is looked at before a section opens, and thereby mends, it."""
_HOUR_SECONDS: Final = 3600


class Doctor(Params, frozen=True, kw_only=True):
    """Parameters of `doctor`."""

    section: Annotated[tuple[Name, ...], param("Only this part; all when left away", metavar="NAME")] = ()
    stale_hours: Annotated[
        int, Meta(ge=1, le=10_000), param("Hours of silence after which a session is worth a look", metavar="N")
    ] = 48
    fix_hints: Annotated[bool, param("Say with each finding what mends it")] = False


class Examined(Result, frozen=True, kw_only=True):
    """The health of this clone."""

    verdict: Literal["pass", "warn", "fail"]
    sections: tuple[Section, ...]
    counts: dict[str, int]
    """Sections by verdict."""
    fix_hints: bool
    """Whether hints were asked for; they are always here, and shown to people on request."""


@operation(Panel.REPORTS, reads_only=True, network=True, idempotent=True)
def run(ctx: Context, params: Doctor) -> Examined:
    """Examine this clone: mount, records, documents, sessions, leases, remote, trust, hooks, git, clock and disk.

    Each section passes, warns, fails, or says why it could not be checked; each finding names what mends it. Writes
    nothing and repairs nothing. One connection to the remote of the leases, none with --offline. Exit 1 when a section
    fails. exo audit proves the record event by event.
    """
    exam = Exam(ctx, stale_seconds=params.stale_hours * _HOUR_SECONDS)
    wanted = [name for name in SECTIONS if not params.section or name in params.section]
    sections = []
    for name in wanted:
        ctx.progress(f"looking at {name}")
        sections.append(exam.section(name, SECTIONS[name]))
    verdicts = [section.verdict for section in sections]
    return Examined(
        verdict="fail" if "fail" in verdicts else "warn" if "warn" in verdicts else "pass",
        sections=tuple(sections),
        counts={verdict: verdicts.count(verdict) for verdict in ("pass", "warn", "fail", "unknown")},
        fix_hints=params.fix_hints,
    )
