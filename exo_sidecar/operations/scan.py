"""Scan: what a repository shows of itself, and the constitution and settings that would follow."""

from pathlib import Path
from typing import Annotated

import msgspec

from exo_sidecar.domain import scan as scans
from exo_sidecar.domain.scan import Scanned
from exo_sidecar.model import rule as rules
from exo_sidecar.model.errors import Usage, ValueInvalid
from exo_sidecar.model.rule import FilesystemDeny
from exo_sidecar.model.survey import Survey
from exo_sidecar.operations import scanning
from exo_sidecar.operations.context import Context
from exo_sidecar.operations.registry import Panel, Params, Result, operation, param


class Scan(Params, frozen=True, kw_only=True):
    """Parameters of `scan`."""

    path: Annotated[str | None, param("Folder of the checkout to look at", metavar="PATH", completes="path")] = None


class LanguageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A language, and what shows it."""

    name: str
    confidence: float
    """From 0 to 1: of its marker files the part that was found."""
    markers: tuple[str, ...]


class AgentFileShown(msgspec.Struct, frozen=True, kw_only=True):
    """A file that an agent reads at its start."""

    path: str
    lines: int
    has_block: bool
    """Whether exo generated a part of it."""


class RuleShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that would be written."""

    id: str
    type: str
    patterns: tuple[str, ...]
    actions: tuple[str, ...]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a ticket may change, by the first language."""

    max_files_changed: int
    max_loc_changed: int


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """What would follow, beside the rules that every constitution begins with."""

    rules: tuple[RuleShown, ...]
    checks: tuple[str, ...]
    budgets: Limits | None
    ignore: tuple[str, ...]


class ScanShown(Result, frozen=True, kw_only=True):
    """What was found."""

    languages: tuple[LanguageShown, ...]
    primary_language: str | None
    sensitive_files: tuple[str, ...]
    source_dirs: tuple[str, ...]
    build_dirs: tuple[str, ...]
    ci_systems: tuple[str, ...]
    agent_files: tuple[AgentFileShown, ...]
    memory_paths: tuple[str, ...]
    archive_dir: str | None
    proposed: Proposed


@operation(Panel.SET_UP, reads_only=True, idempotent=True)
def run(ctx: Context, params: Scan) -> ScanShown:
    """Show what this repository is made of, and what exo init would write for it.

    Languages by their marker files, files that look like keys and passwords, source and build folders, CI, files of
    agents; and the rules, checks, budgets and ignored paths that follow. A check is proposed only when its program is
    here and has something to run. Nothing of the repository is run, nothing is written.
    """
    root = _root(ctx, params.path)
    survey = scanning.survey(ctx, root)
    if not survey.complete:
        ctx.warn("SCAN_INCOMPLETE", "there are more files than a scan looks at; what it found stands")
    return _shown(scans.scan(survey), survey)


def _root(ctx: Context, path: str | None) -> Path:
    top = scanning.checkout(ctx)
    if top is None:
        message = "there is no checkout to look at here"
        raise Usage(message, hint="run it in a worktree of the repository, outside of .exo")
    root = top if path is None else (ctx.repo / path).resolve()
    if not root.is_relative_to(top.resolve()) or not root.is_dir():
        message = f"{path!r} is no folder of the checkout"
        raise ValueInvalid(message, parameter="path")
    return root


def _shown(found: Scanned, survey: Survey) -> ScanShown:
    proposal = found.proposal
    budgets = None
    if proposal.files_max is not None and proposal.lines_max is not None:
        budgets = Limits(max_files_changed=proposal.files_max, max_loc_changed=proposal.lines_max)
    return ScanShown(
        languages=tuple(
            LanguageShown(name=each.name, confidence=each.confidence, markers=each.markers) for each in found.languages
        ),
        primary_language=found.languages[0].name if found.languages else None,
        sensitive_files=found.sensitive[: scans.SENSITIVE_MAX],
        source_dirs=found.source_folders,
        build_dirs=found.build_folders,
        ci_systems=found.ci,
        agent_files=tuple(
            AgentFileShown(path=each.path, lines=each.lines, has_block=each.has_block) for each in survey.agent_files
        ),
        memory_paths=survey.memories,
        archive_dir=found.archive,
        proposed=Proposed(
            rules=tuple(
                RuleShown(id=each.id, type=rules.NAMES[type(each)], patterns=each.patterns, actions=each.actions)
                for each in proposal.rules
                if isinstance(each, FilesystemDeny)
            ),
            checks=proposal.checks,
            budgets=budgets,
            ignore=proposal.ignore,
        ),
    )
