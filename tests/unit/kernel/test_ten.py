"""The ten functions: their names and what they take and give. Whoever changes one changes docs/kernel.md first."""

import ast
import importlib

import pytest

from tests.support.environment import ROOT

TEN = {
    "append_audit": ("event: Event, before: Head", "Event"),
    "check_action": ("action: Action, fence: Fence", "Decision"),
    "commit_plan": ("operation: str, subjects: Sequence[str], actor: Actor, at: Instant", "CommitPlan"),
    "load_governance": ("constitution: Constitution, before: Sequence[Lock]=()", "Lock | RuleInvalid"),
    "mint_ticket": (
        "kind: Kind, given: str | None, count: int, is_taken: Callable[[TicketId], bool], entropy: Entropy",
        "TicketId",
    ),
    "open_session": ("opening: Opening", "Outcome"),
    "resolve_requirements": ("manifest: Requirements, named: Sequence[str]", "Resolution"),
    "seal_result": ("session: SessionRecord, finish: Finish", "str"),
    "validate_ticket": ("ticket: Ticket, around: Surroundings", "ExoError | None"),
    "verify_governance": ("found: Found", "Verification"),
}
FOLDER = ROOT / "exo_sidecar" / "kernel"


def test_the_kernel_has_ten_modules_and_each_its_one_function() -> None:
    public = {path.stem: path for path in FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert sorted(public) == sorted(TEN)
    for name, path in public.items():
        body = ast.parse(path.read_text()).body
        defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        named = [
            target.id
            for node in body
            for target in getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(target, ast.Name)
        ]
        assert [each for each in (*defined, *named) if not each.startswith("_")] == [name]


@pytest.mark.parametrize("name", sorted(TEN))
def test_a_function_of_the_kernel_takes_and_gives_what_it_always_did(name: str) -> None:
    body = ast.parse((FOLDER / f"{name}.py").read_text()).body
    found = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == name)
    assert found.returns is not None
    assert (ast.unparse(found.args), ast.unparse(found.returns)) == TEN[name]
    assert ast.get_docstring(found)
    assert callable(getattr(importlib.import_module(f"exo_sidecar.kernel.{name}"), name))


def test_the_page_of_the_kernel_tells_of_each_and_of_no_other() -> None:
    page = (ROOT / "docs" / "kernel.md").read_text()
    told = [line.removeprefix("### `").removesuffix("`") for line in page.splitlines() if line.startswith("### `")]
    assert sorted(told) == sorted(TEN)


def test_nobody_outside_uses_what_the_kernel_keeps_to_itself() -> None:
    used = [
        f"{path.name}: {line}"
        for path in (ROOT / "exo_sidecar").rglob("*.py")
        if path.parent != FOLDER
        for line in path.read_text().splitlines()
        if "exo_sidecar.kernel._" in line or "from exo_sidecar.kernel import _" in line
    ]
    assert used == []
