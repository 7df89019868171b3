"""What `doctor` looks at where the mount and the branch meet git: the mount, the format, what code branches track."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exo_sidecar.git import commits, mount, tree
from exo_sidecar.git import index as git_index
from exo_sidecar.git.index import IndexUnusable
from exo_sidecar.git.locate import main_worktree
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.finding import Finding
from exo_sidecar.operations.doctor_exam import Exam, Looked, counted
from exo_sidecar.store import layout, publish, repair, troubles
from exo_sidecar.store.governed import Governed, not_mounted

_BRANCHES_MAX: Final = 500
_REPAIR: Final = "exo sidecar-repair"


def mounted(exam: Exam) -> Looked:
    """Look at the mount: there, whole, on its branch, nothing half-done in it."""
    state = exam.state
    if state is None:
        missing = not_mounted(exam.ctx.repository)
        return Looked([_fault("SIDECAR_MISSING", "mount", missing.message, missing.hint)])
    name = str(state.path)
    if not state.branch:
        message = f"{name} is on no branch: its HEAD is detached"
        return Looked([_fault("MOUNT_DETACHED", name, message, f"git -C {name} switch exo-governance")])
    return Looked([*_links(exam, name), *_half_done(exam, name)], note=f"{state.branch} at {name}")


def _links(exam: Exam, name: str) -> Iterator[Finding]:
    state, common = exam.state, exam.ctx.place.common
    if state is not None and not state.folder_present:
        yield _fault("MOUNT_MISSING", name, f"{name} is gone", f"{_REPAIR} --mount, or any command that writes")
    elif state is not None and not state.link_current:
        yield _warning("MOUNT_MOVED", name, f"git looks for {name} where it was before", f"{_REPAIR} --mount")
    if not mount.is_excluded(exam.ctx.place, Path(name)):
        message = f"git add -A would take {name} into the application's branch"
        yield _warning("MOUNT_NOT_EXCLUDED", name, message, "exo sidecar-init adds the line to info/exclude")
    if not (common / "worktrees" / "exo" / "locked").exists():
        message = f"git worktree prune would forget {name}"
        yield _warning("MOUNT_NOT_LOCKED", name, message, f"git worktree lock {name}")


def _half_done(exam: Exam, name: str) -> Iterator[Finding]:
    what = mount.is_busy(exam.ctx.place.common)
    if what is not None:
        message = f"a {what} is under way in {name}: commands that write refuse"
        yield _warning("SIDECAR_BUSY", name, message, f"finish it with git in {name}, or give it up with {_REPAIR}")
    governed = exam.governed
    match repair.journal_state(governed.folder):
        case "pending":
            message = "a killed call left its journal; the next command that writes finishes or undoes it"
            yield _warning("JOURNAL_PENDING", "journal", message, f"{_REPAIR} --journal")
        case "damaged":
            message = f"{governed.folder / 'pending'} cannot be read"
            yield _fault("JOURNAL_DAMAGED", "journal", message, f"{_REPAIR} --journal")
        case "none":
            pass
    try:
        git_index.read_some(governed.repository.mount_git_dir / "index", ())
    except IndexUnusable as error:
        yield _warning("GIT_INDEX_UNUSABLE", name, error.message, _REPAIR)
    recorded = publish.recorded_tip(governed)
    if recorded is not None and recorded != governed.tip():
        yield Finding(
            code="TIP_BY_PLAIN_GIT",
            severity="info",
            subject=governed.branch,
            message=f"{governed.branch} was moved by plain git; the next command that writes takes in what came",
            hint="exo audit says what it changed; exo sync takes it in",
        )


def formed(exam: Exam) -> Looked:
    """Look at FORMAT, and at the files that it prescribes."""
    governed = exam.governed
    root = governed.tree_of(governed.tip())
    if root is None:
        return Looked(note="nothing is committed yet")
    data = _content(governed, root, layout.FORMAT)
    numbers = layout.parse_format(data) if data is not None else None
    if numbers is None:
        message = "FORMAT is missing or says nothing that can be read"
        return Looked([_fault("FORMAT_UNREADABLE", layout.FORMAT, message, f"{_REPAIR} --render", layout.FORMAT)])
    note = f"format {numbers.format}, render {numbers.render}"
    if numbers.format > layout.FORMAT_NUMBER:
        message = f"the branch has format {numbers.format}; this program reads {layout.FORMAT_NUMBER}"
        return Looked([_fault("FORMAT_TOO_NEW", layout.FORMAT, message, "install a newer exo", layout.FORMAT)], note)
    found = []
    if numbers.render > layout.RENDER_NUMBER:
        found.append(troubles.older_than(numbers.render, troubles.of_newer_program(exam.view.index.db)))
    elif numbers.render < layout.RENDER_NUMBER:
        message = f"files were computed by an older exo (render {numbers.render} < {layout.RENDER_NUMBER})"
        note = f"{note}; {message}, the next command that writes computes them anew"
    for name, text in layout.PRESCRIBED.items():
        if _content(governed, root, name) != text:
            message = f"{name} is not what the format prescribes; it is computed anew at the next write"
            found.append(_warning("PRESCRIBED_CHANGED", name, message, f"{_REPAIR} --render", name))
    return Looked(found, note)


def _content(governed: Governed, root: Oid, path: str) -> bytes | None:
    entry = tree.entry_at(governed.repository.objects, root, path)
    if entry is None or entry.mode != tree.FILE_MODE:
        return None
    return governed.repository.objects.read(entry.oid).data


def tracked(exam: Exam) -> Looked:
    """Look whether a branch of code holds files where the mount is: there would be two truths."""
    place, governed = exam.ctx.place, exam.governed
    top = main_worktree(place)
    if top is None or not governed.mount.is_relative_to(top):
        return Looked(note="the mount lies outside of the checkout")
    name = governed.mount.relative_to(top).as_posix()
    branches = governed.repository.refs.list("refs/heads/")
    names = [ref for ref in branches if ref != governed.ref][:_BRANCHES_MAX]
    found = [_split(name, ref.removeprefix("refs/heads/")) for ref in names if _holds(governed, branches[ref], name)]
    if not found and _is_staged(place.common / "index", name):
        found = [_split(name, None)]
    left_out = len(branches) - len(names) - 1
    rest = f", {left_out} more not looked at" if left_out > 0 else ""
    return Looked(found, f"{counted(len(names), 'branch', 'branches')}{rest}")


def _holds(governed: Governed, commit: Oid, name: str) -> bool:
    objects = governed.repository.objects
    if not objects.contains(commit):
        return False
    return tree.entry_at(objects, commits.tree_of(objects, commit), name) is not None


def _is_staged(path: Path, name: str) -> bool:
    """Whether git's index of the main checkout holds a file below the mount."""
    try:
        if name.encode() not in path.read_bytes():
            return False
        return any(each == name or each.startswith(f"{name}/") for each in git_index.read(path))
    except (FileNotFoundError, IndexUnusable):
        return False


def _split(name: str, branch: str | None) -> Finding:
    where = f"the branch {branch} tracks" if branch else "the index of the checkout holds"
    switch = f"on {branch}: " if branch else ""
    stop = f"git rm -r -q --cached {name} && git commit -m 'stop tracking {name}'"
    message = f"{where} files below {name}, where the governance branch is mounted"
    return _fault("SIDECAR_SPLIT", branch or name, message, f"{switch}{stop}")


def _fault(code: str, subject: str, message: str, hint: str, file: str | None = None) -> Finding:
    return Finding(code=code, severity="error", subject=subject, message=message, hint=hint, file=file)


def _warning(code: str, subject: str, message: str, hint: str, file: str | None = None) -> Finding:
    return Finding(code=code, subject=subject, message=message, hint=hint, file=file)
