"""The house rules that no linter knows: sizes, names, rooms, scripts, links (docs/contributing.md)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.support.environment import ROOT

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 70
PURE_ROOMS: Final = ("kernel", "domain")
IMPURE_CALLS: Final = {"open", "now", "today", "utcnow", "input", "print"}
VAGUE: Final = re.compile(r"(?:^|_|(?<=[a-z]))(?:utils?|helpers?|common|misc|managers?|engines?)$", re.IGNORECASE)
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
# Written in halves, so that this file does not hold what it looks for.
FORBIDDEN: Final = re.compile(
    "|".join(
        (
            r"(?<![\w.~-])/" + "work/",
            r"/tm" + r"p/(?:v|contracts)\b",
            r"\.\./" + "shared",
            "/opt/" + "pypi",
            r"pypi\." + "org",
            "python" + "hosted",
        )
    )
)
TEXT_SUFFIXES: Final = {"", ".cfg", ".feature", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}

SCRIPTS: Final = (
    *sorted(p for p in (ROOT / "scripts").iterdir() if p.is_file() and not p.suffix),
    ROOT / ".ci" / "run",
)
ROOMS: Final = tuple(sorted(p for p in (ROOT / "exo_sidecar").iterdir() if p.is_dir() and p.name != "__pycache__"))
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python_files(*roots: str) -> list[Path]:
    found = [path for root in roots for path in sorted((ROOT / root).rglob("*.py"))]
    assert found, f"no Python files below {roots}"
    return found


def text_files() -> Iterator[Path]:
    """Yield what belongs to the project and is text: no caches, no virtual environment, no git."""
    for root in ("exo_sidecar", "tests", "scripts", "docs", ".ci"):
        for path in sorted((ROOT / root).rglob("*")):
            if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts:
                yield path
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.suffix in TEXT_SUFFIXES)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_a_room_begins_with_a_docstring_and_nothing_else(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text())
    assert ast.get_docstring(tree), f"{room.name}: what is it for?"
    assert len(tree.body) == 1, f"{room.name}/__init__.py holds more than its docstring"


def test_no_file_is_too_long_to_read() -> None:
    long = [relative(p) for p in python_files("exo_sidecar", "tests", "scripts") if lines_of(p) > FILE_LINES_MAX]
    assert long == []


def lines_of(path: Path) -> int:
    return path.read_text().count("\n")


def test_no_function_is_too_long_to_read() -> None:
    long = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in python_files("exo_sidecar", "tests", "scripts")
        for node in functions(ast.parse(path.read_text()))
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_every_name_says_what_it_names() -> None:
    vague = []
    for path in python_files("exo_sidecar", "tests", "scripts"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        named = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
        vague += [f"{relative(path)}: {name}" for name in (*parts, *named) if VAGUE.search(name)]
    assert vague == []


def test_the_rooms_import_only_what_the_contracts_allow() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_rules_ask_for_no_time_and_no_file(room: str) -> None:
    asked = []
    for path in python_files(f"exo_sidecar/{room}"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in IMPURE_CALLS:
                asked.append(f"{relative(path)}:{node.lineno} {called(node)}()")
            if isinstance(node, ast.ImportFrom) and node.module == "pathlib":
                asked += [
                    f"{relative(path)}:{node.lineno} {n.name}" for n in node.names if not n.name.startswith("Pure")
                ]
    assert asked == []


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_nothing_names_the_machine_it_was_written_on() -> None:
    named = [
        f"{relative(path)}:{number}"
        for path in text_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert named == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run_and_says_how(script: Path) -> None:
    text = script.read_text()
    assert script.stat().st_mode & 0o111 == 0o111, "not executable"
    assert text.startswith("#!/usr/bin/env "), "no interpreter"
    assert f"usage: {relative(script)}" in text, "no usage line"


def test_scripts_print_their_usage_when_asked() -> None:
    for script in SCRIPTS[:-1]:
        done = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=10, check=True)
        assert done.stdout.startswith(f"usage: {relative(script)}")


def test_a_script_refuses_a_word_that_it_does_not_know() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "setup", "--nonsense"], capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 2
    assert "--nonsense" in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    dead = []
    for target in LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert dead == []


def test_the_pages_that_docstrings_name_exist() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), page)
        for path in (ROOT / "exo_sidecar").rglob("*.py")
        for page in re.findall(r"\((docs/[\w/.-]+\.md)", path.read_text())
    }
    assert named
    assert [each for each in sorted(named) if not (ROOT / each[1]).is_file()] == []


def without_code(text: str) -> str:
    """Return a page without its fenced blocks, where brackets are not links."""
    return re.sub(r"(?ms)^```.*?^```", "", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors that a forge makes of a page's headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", without_code(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decisions_are_numbered_without_gaps_and_stand_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert records
    assert all(int(b[:4]) == int(a[:4]) + 1 for a, b in pairwise(records)), records
    index = (folder / "README.md").read_text()
    assert [name for name in records if f"({name})" not in index] == []


def test_a_vague_name_would_be_found() -> None:
    assert VAGUE.search("git_utils")
    assert VAGUE.search("SyncManager")
    assert not VAGUE.search("uncommon_case")
    assert not VAGUE.search("manager_of_gates")


def test_a_machine_path_would_be_found() -> None:
    assert FORBIDDEN.search("see /" + "work/main")
    assert not FORBIDDEN.search("docs/work/plan")
