"""The exam: what the sections of `doctor` look at, each thing asked for once, and the form of what they find."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from exo_sidecar.git import mount
from exo_sidecar.git.mount import MountState
from exo_sidecar.leases.seen import Survey
from exo_sidecar.model.errors import ExoError, Kind
from exo_sidecar.model.finding import Finding
from exo_sidecar.model.lease import Authority
from exo_sidecar.operations import audit
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.lease_desk import LeaseDesk
from exo_sidecar.store.governed import Governed
from exo_sidecar.store.scan import changed_paths
from exo_sidecar.store.view import IndexView

Verdict: TypeAlias = Literal["pass", "warn", "fail", "unknown"]


class Looked(NamedTuple):
    """What a section found."""

    findings: Sequence[Finding] = ()
    note: str = ""
    """What was looked at in a few words, or why it was not."""
    checked: bool = True


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the report."""

    name: str
    verdict: Verdict
    note: str
    """What was looked at, or why it was not."""
    findings: tuple[Finding, ...]


class Exam:
    """One repository under examination; nothing is asked before a section wants it."""

    def __init__(self, ctx: Context, *, stale_seconds: int) -> None:
        self.ctx = ctx
        self.stale_seconds = stale_seconds

    @property
    def governed(self) -> Governed:
        """The places of the repository; SidecarMissing."""
        return self.ctx.governed

    @property
    def view(self) -> IndexView:
        """The state at the tip; SidecarMissing."""
        return self.ctx.reader.view()

    @cached_property
    def state(self) -> MountState | None:
        """What is recorded of the mount."""
        return mount.state(self.ctx.place.common)

    @cached_property
    def noticed(self) -> tuple[Finding, ...]:
        """What the fold noticed."""
        return self.view.findings()

    @cached_property
    def changed(self) -> set[str]:
        """Files that differ between the mount and the branch, or may."""
        return changed_paths(self.governed)

    @cached_property
    def edited(self) -> tuple[Finding, ...]:
        """Files of the mount that are not as the branch has them."""
        changed = self.changed
        return tuple(
            Finding(
                code=issue.code,
                # An edit that nobody has taken in yet is no fault: that is what the files are there for.
                severity="info" if issue.code == "EDIT_PENDING" else issue.severity,
                subject=issue.subject,
                message=issue.message,
                hint=issue.hint,
                file=issue.file,
                line=issue.line,
            )
            for issue in audit.of_mount(self.ctx, changed)
        )

    @cached_property
    def authority(self) -> Authority | None:
        """The place that decides about leases."""
        return self.view.authority()

    @cached_property
    def survey(self) -> Survey | ExoError:
        """What the authority shows, or why it could not be asked; one connection for all sections."""
        try:
            return LeaseDesk(self.ctx, "doctor", reads_only=True).survey()
        except ExoError as error:
            return error

    def section(self, name: str, look: Callable[["Exam"], Looked]) -> Section:
        """Return what a section found; one that cannot look says why, and stops no other."""
        try:
            looked = look(self)
        except ExoError as error:
            looked = _unable(name, error)
        except OSError as error:
            looked = Looked(note=f"not checked: {error.strerror or error}", checked=False)
        findings = tuple(looked.findings)
        return Section(
            name=name, verdict=_verdict(findings, checked=looked.checked), note=looked.note, findings=findings
        )


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 ticket`, `2 tickets`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _unable(name: str, error: ExoError) -> Looked:
    """Return what is said of a section that ran into an error: damage is a finding, anything else was not checked."""
    if error.kind is not Kind.INTEGRITY:
        return Looked(note=f"not checked: {error.message}", checked=False)
    damage = Finding(code=error.code, severity="error", subject=name, message=error.message, hint=error.hint)
    return Looked([damage])


def _verdict(findings: Sequence[Finding], *, checked: bool) -> Verdict:
    severities = {finding.severity for finding in findings}
    if "error" in severities:
        return "fail"
    if "warning" in severities:
        return "warn"
    return "pass" if checked else "unknown"
