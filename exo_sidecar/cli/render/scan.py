"""The page of `scan`: what was found, and what would follow."""

from collections.abc import Iterator

from exo_sidecar.cli.page import Block, Facts, Headline, Page, Table
from exo_sidecar.operations.scan import ScanShown


def run(result: ScanShown) -> Page:
    """Show the facts, then the proposals."""
    return Page(tuple(_blocks(result)), ("exo init writes what follows from it, where nothing is written yet",))


def _blocks(result: ScanShown) -> Iterator[Block]:
    if not result.languages:
        yield Headline(("no language is known by its files here",))
    else:
        rows = tuple((each.name, f"{each.confidence:.2f}", ", ".join(each.markers)) for each in result.languages)
        yield Table(("LANGUAGE", "CONFIDENCE", "FOUND"), rows)
    agents = (
        f"{each.path} ({each.lines} lines{', with exo' if each.has_block else ''})" for each in result.agent_files
    )
    facts = (
        ("sources", ", ".join(result.source_dirs)),
        ("built", ", ".join(result.build_dirs)),
        ("sensitive", ", ".join(result.sensitive_files)),
        ("ci", ", ".join(result.ci_systems)),
        ("agent files", ", ".join(agents)),
        ("agent memory", ", ".join(result.memory_paths)),
        ("archive", result.archive_dir or ""),
    )
    yield Facts(tuple((name, value) for name, value in facts if value), "Found")
    proposed = result.proposed
    rules = tuple((each.id, each.type, ", ".join(each.actions), ", ".join(each.patterns)) for each in proposed.rules)
    if rules:
        yield Table(("RULE", "TYPE", "ACTIONS", "PATTERNS"), rules, "Rules that follow")
    limits = proposed.budgets
    follows = (
        ("checks", ", ".join(proposed.checks)),
        ("budgets", f"{limits.max_files_changed} files, {limits.max_loc_changed} lines" if limits else ""),
        ("ignored", ", ".join(proposed.ignore)),
    )
    yield Facts(tuple((name, value) for name, value in follows if value), "Settings that follow")
