"""Commands that hide in others: behind redirections, wrappers, git's own options, documents and odd quotes."""

import contextlib
import time
from pathlib import Path

import pytest

from exo_sidecar.kernel import _commands
from tests.support.policies import AGENT, ANN, edit
from tests.support.working import Shop, a_lone_shop

DENIED = ("git", "push")
RULE = """
```yaml exo-policy
id: OUR-009
type: command_deny
argv_prefixes: [["git", "push"]]
```
"""
HIDDEN = (
    "true&&git push",
    "echo `git push`",
    "echo $(git push)",
    ">log git push",
    "git >log push",
    "git 2>log push",
    "true;>log git push",
    "git -C . push",
    "git -c a=b --git-dir=.git push",
    "git -c alias.x='!git push' x",
    "env -S 'git push'",
    "env -i - git push",
    "exec -a ls git push",
    "eval -- 'git push'",
    "busybox sh -c 'git push'",
    "find . -exec git push ;",
    "flock file git push",
    "taskset 1 git push",
    "su me -c 'git push'",
    "trap 'git push' EXIT",
    "git${IFS}push",
    "g\\\nit push",
    "$'git' push",
    "$'\\x67it' push",
    "cat <<A\nit's\nA\ngit push",
    ": $((1<<A))\ngit push # it's\nA\n",
)


@pytest.mark.parametrize("line", HIDDEN)
def test_a_command_is_found_wherever_a_line_hides_it(line: str) -> None:
    assert any(command[:2] == DENIED for command in _commands.inside(("sh", "-c", line)))


@pytest.mark.parametrize(
    "line",
    [
        "git commit -m 'then git push'",
        "echo 'git push' >notes.txt",
        "git -C push status",
        "grep -rn 'git push' docs",
        "cat <<'A'\nnow git push: it's easy\nA",
    ],
)
def test_what_only_speaks_of_a_command_is_none(line: str) -> None:
    assert not any(command[:2] == DENIED for command in _commands.inside(("sh", "-c", line)))


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", "<<A\n" * 12_000 + "'"),
        ("sh", "-c", "`" * 60_000),
        ("sh", "-c", "$'\\" * 20_000),
        ("find", *("-exec",) * 9000),
        ("flock",) * 9000,
        ("watch", "parallel") * 4000,
    ],
)
def test_no_line_costs_more_than_a_moment(argv: tuple[str, ...]) -> None:
    before = time.process_time()
    with contextlib.suppress(_commands.UnreadableError):
        assert sum(len(command) for command in _commands.inside(argv)) <= 2 * _commands.WORDS_MAX
    assert time.process_time() - before < 3


def test_scope_check_reads_a_line_as_a_shell_does(tmp_path: Path) -> None:
    shop: Shop = a_lone_shop(tmp_path / "repo")
    edit(shop, 0, "CONSTITUTION.md", more=RULE)
    shop.ok(0, "build-governance", *ANN)
    shop.ok(0, "compose", *ANN)
    for line in ("git push", "true&&git push", "git >log push", "echo `git push`"):
        found = shop.exo(0, "scope-check", "--command", line, *AGENT)
        assert (found.exit, found.data["items"][0]["rule"]) == (1, "OUR-009")
    assert shop.exo(0, "scope-check", "--command", "git status | cat >log", *AGENT).exit == 0
