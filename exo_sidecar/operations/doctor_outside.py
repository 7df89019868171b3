"""What `doctor` looks at outside of the records: the remote, trust, git and its hooks, the clock, the disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exo_sidecar.base.digest import DIGEST_SHOWN
from exo_sidecar.git import cgit, commits
from exo_sidecar.host import disk, githooks
from exo_sidecar.leases import sweeping
from exo_sidecar.model import duration, instant
from exo_sidecar.model.errors import ExoError
from exo_sidecar.model.finding import Finding, Severity
from exo_sidecar.model.lease import Authority
from exo_sidecar.operations import trusting
from exo_sidecar.operations.doctor_exam import Exam, Looked, counted
from exo_sidecar.operations.hook import EVENTS, PRE_PUSH
from exo_sidecar.sync import distance
from exo_sidecar.sync.distance import Distance

GIT_OLDEST: Final = (2, 30)
YEARS: Final = range(2025, 2100)
"""A clock that shows another year was never set."""
FREE_BYTES_NEEDED: Final = 50 << 20
FREE_BYTES_WANTED: Final = 1 << 30
FREE_FILES_NEEDED: Final = 1000
_DAY_SECONDS: Final = 86_400
_UNSEEN_DAYS: Final = 7


def sync(exam: Exam) -> Looked:
    """Look at how far this clone and the remote of the leases are apart, and at what that remote can do."""
    authority = exam.authority
    if authority is None or authority.remote is None:
        return Looked(note="no remote: leases are decided in this repository")
    name = authority.remote
    if name not in exam.ctx.repository.settings.remotes():
        message = f"the ledger names the remote {name}, and this repository has none of that name"
        hint = f"git remote add {name} ADDRESS"
        return Looked([Finding(code="NO_REMOTE", severity="error", subject=name, message=message, hint=hint)])
    apart = distance.measure(exam.governed, name)
    found = [*_apart(exam, name, apart), *_reached(exam, name)]
    return Looked(found, f"{name}: {apart.ahead} ahead, {apart.behind} behind, {_abilities(exam, authority)}")


def _apart(exam: Exam, name: str, apart: Distance) -> Iterator[Finding]:
    if apart.ahead or apart.behind:
        yield Finding(
            code="SYNC_APART",
            severity="info",
            subject=name,
            message=f"{apart.ahead} events are only here, {apart.behind} only at {name}",
            hint="exo sync brings both together",
        )
    if apart.seen_at is None:
        message = f"{name} was never seen by this clone"
        yield Finding(code="REMOTE_NEVER_SEEN", subject=name, message=message, hint="exo sync")
        return
    ago = instant.epoch_seconds(exam.ctx.now) - int(apart.seen_at)
    if ago > _UNSEEN_DAYS * _DAY_SECONDS:
        message = f"{name} was last seen {duration.show(ago)} ago: what others wrote since is not known here"
        yield Finding(code="REMOTE_UNSEEN", subject=name, message=message, hint="exo sync")


def _reached(exam: Exam, name: str) -> Iterator[Finding]:
    if isinstance(exam.survey, ExoError) and not exam.ctx.offline:
        yield Finding(code=exam.survey.code, subject=name, message=exam.survey.message, hint=exam.survey.hint)


def _abilities(exam: Exam, authority: Authority) -> str:
    """Return what is on record of the server: what sort of refs it takes, whether it removes them, atomic pushes."""
    kept = "leases are refs" if authority.mode == "refs" else "leases are branches, the server takes no other refs"
    last = exam.view.last_guard()
    atomic = {"atomic": ", pushes are atomic", "checked": ", pushes are not atomic"}.get(last or "", "")
    deletes = ", removes no refs" if sweeping.is_refused(exam.ctx.place.common, authority.id) else ""
    return f"{kept}{atomic}{deletes}"


def trust(exam: Exam) -> Looked:
    """Look at whether the policy at the tip is the one that this clone obeys."""
    standing = trusting.standing(exam.ctx)
    found = [*trusting.held_back(exam.ctx)]
    found += [each for each in (standing.trust.fault, exam.ctx.floor.fault) if each is not None]
    if not standing.is_trusted and standing.commands:
        found.append(
            Finding(
                code="POLICY_UNTRUSTED",
                subject="config.yaml",
                message=f"nobody here has accepted this policy; it names {counted(len(standing.commands), 'command')}"
                " to be run: nothing of that runs in this clone",
                hint="exo trust --show shows them; exo trust, by a person, accepts them",
                file="config.yaml",
            )
        )
    said = "accepted here" if standing.is_trusted else "found here, accepted by nobody"
    return Looked(found, f"policy {standing.policy.digest[:DIGEST_SHOWN]}, {said}")


def hooks(exam: Exam) -> Looked:
    """Look at whether git runs exo's check before a push, and lets a session's commits name it."""
    worktree = exam.ctx.place.worktree
    if worktree is None or exam.ctx.place.in_mount:
        return Looked(note="not checked: asked from outside of a checkout", checked=False)
    look = githooks.look(worktree, PRE_PUSH)
    if look.owner == "exo" and look.runs:
        return Looked(_unsigned(worktree), f"{PRE_PUSH} checks lease and fence: {look.path}")
    install = "exo hook-install"
    if look.owner == "exo":
        message = f"{look.path} is exo's and cannot be executed: git passes over it"
        return Looked([_finding("HOOK_INACTIVE", "warning", str(look.path), message, install)])
    has = f"{look.path} is somebody else's" if look.owner == "user" else f"there is no {PRE_PUSH} hook"
    message = f"{has}: a plain git push is not checked, only exo push is"
    is_required = exam.view.config().leases.guard == "require"
    found = _finding(
        "HOOK_ABSENT", "warning" if is_required else "info", PRE_PUSH, message, f"{install} adds the check"
    )
    return Looked([found], note="" if is_required else "not installed; leases.guard does not ask for it")


def _unsigned(worktree: Path) -> list[Finding]:
    """Return what keeps a session's commits from naming it."""
    looks = {event: githooks.look(worktree, event) for event in EVENTS if event != PRE_PUSH}
    missing = [event for event, look in looks.items() if look.owner != "exo" or not look.runs]
    if not missing:
        return []
    message = f"git does not run exo at {', '.join(missing)}: commits do not name the session that makes them"
    return [_finding("HOOK_ABSENT", "info", missing[0], message, "exo hook-install adds it")]


def git(_: Exam) -> Looked:
    """Look at C git: most of exo does without it, what it does not is worth knowing before."""
    version = cgit.version()
    if version is None:
        message = "git is not installed: hooks, exo push and remotes on this machine do not work"
        return Looked([Finding(code="GIT_MISSING", subject="git", message=message, hint="install git 2.30 or newer")])
    text = ".".join(map(str, version))
    if version[:2] < GIT_OLDEST:
        message = f"git {text} is older than what exo is tested with"
        return Looked([Finding(code="GIT_OLD", subject="git", message=message, hint="install git 2.30 or newer")], text)
    return Looked(note=text)


def clock(exam: Exam) -> Looked:
    """Look at the wall clock, which people read, and the boot clock, by which leases are judged."""
    exam.ctx.boot_clock()
    now = exam.ctx.now
    found = []
    hint = "set the clock of this machine; the order of events does not depend on it, what people read does"
    if int(now[:4]) not in YEARS:
        message = f"the clock of this machine says {now}"
        found.append(Finding(code="CLOCK_WRONG", subject="clock", message=message, hint=hint))
    tip = exam.governed.tip() if exam.state is not None and exam.state.branch else None
    written = commits.read(exam.governed.repository.objects, tip).commit_time if tip else 0
    ahead = written - instant.epoch_seconds(now)
    if ahead > _DAY_SECONDS and not found:
        message = f"the newest commit is {duration.show(ahead)} ahead of this machine's clock: one of them is wrong"
        found.append(Finding(code="CLOCK_APART", subject="clock", message=message, hint=hint))
    return Looked(found, now)


def room(exam: Exam) -> Looked:
    """Look at the disk on which the repository lies."""
    common = exam.ctx.place.common
    found = disk.room(common)
    shown = f"{found.free_bytes / (1 << 30):.1f} GiB free"
    hint = "make room before anything is written: a full disk stops every command that writes"
    if not found.writable:
        message = f"{common} cannot be written by this user"
        hint = f"chown or chmod {common}, or work as the user who owns it"
        return Looked([_finding("DISK_READ_ONLY", "error", str(common), message, hint)])
    files_left = FREE_FILES_NEEDED if found.free_files is None else found.free_files
    is_full = found.free_bytes < FREE_BYTES_NEEDED or files_left < FREE_FILES_NEEDED
    if is_full or found.free_bytes < FREE_BYTES_WANTED:
        counted = "" if found.free_files is None else f" and room for {found.free_files} files"
        message = f"only {found.free_bytes >> 20} MiB{counted} are left for {common}"
        return Looked([_finding("DISK_FULL", "error" if is_full else "warning", str(common), message, hint)])
    return Looked(note=shown)


def _finding(code: str, severity: Severity, subject: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
