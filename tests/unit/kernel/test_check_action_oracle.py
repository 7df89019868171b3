"""check_action on real paths, as the host finds them, against an oracle that follows links by hand."""

import random
from pathlib import Path

import pytest

from exo_sidecar.git import locate
from exo_sidecar.host import paths
from exo_sidecar.host.paths import Survey
from exo_sidecar.kernel.check_action import check_action
from exo_sidecar.model.action import Fence, FileAct
from exo_sidecar.model.policy import LockedPaths, Seal, closed
from exo_sidecar.model.role import ROLES
from exo_sidecar.model.rule import FILE_ACTIONS, FilesystemAllow, FilesystemDeny, PatchFirst, RequireLock
from exo_sidecar.model.ticket import Scope
from tests.support import fence_oracle
from tests.support.fence_oracle import Asked, World
from tests.support.repositories import a_repository, git, write_files

BATCH = 500
NFC, NFD = "\u00e9", "e\u0301"
PARTS = (
    *("src", "docs", "secrets", "archive", "a", "b.py", "keys", "deep", ".env", ".env.example", "rules.md", "new"),
    *(".git", ".exo", ".GIT", "ledger", "config", "..", "..", ".", "", "self", "out", "to_src", "home", "loop"),
    *(
        "dangling",
        "file_link",
        "up",
        "nested",
        "tree",
        "outside",
        NFC,
        NFD,
        "SRC",
        "tickets",
        "sub",
        "x",
        ".ssh",
        ".aws",
    ),
)
SCOPES = (
    None,
    Scope(),
    Scope(allow=("src/**",)),
    Scope(allow=("src", "docs/**"), deny=("**/keys", "docs/to_src/**")),
    Scope(allow=("**",), deny=("archive/", f"**/{NFC}")),
    Scope(allow=("{src,docs}/**", "*.md", f"{NFD}/**")),
    Scope(allow=()),
)


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> tuple[Survey, World]:
    """A checkout with links of every kind, two more worktrees, a mount, and a home folder beside it."""
    folder = tmp_path_factory.mktemp("fence").resolve()
    names = ("src/a", "src/b.py", "docs/.env", "docs/.env.example", "docs/rules.md", "secrets/keys", "archive/deep/x")
    repository = a_repository(folder, files=dict.fromkeys((*names, f"{NFC}/a", "src/deep/keys"), "1"))
    home, outside = folder / "home", folder / "outside"
    write_files(home, {".ssh/keys": "1", ".aws/config": "1", "x": "1"})
    write_files(outside, {"a": "1", "secrets/keys": "1"})
    git(repository, "worktree", "add", "-q", "-b", "side", str(folder / "tree"))
    git(repository, "worktree", "add", "-q", "-b", "inner", "nested")
    write_files(repository, {".exo/ledger/x": "1", ".exo/config.yaml": "1", "sub/.git/config": "1", "docs/new": "1"})
    links = {
        "src/out": "../../outside",
        "src/self": "..",
        "docs/to_src": "../src",
        "docs/home": str(home / ".ssh"),
        "docs/loop": "loop",
        "src/dangling": "../secrets/new",
        "docs/file_link": "../secrets/keys",
        "up": "../tree",
        "docs/up": "../.exo",
        "src/up": "../.git",
        "archive/self": str(repository),
    }
    for name, target in links.items():
        (repository / name).symlink_to(target)
    (outside / "self").symlink_to(repository)
    found = paths.survey(locate.locate(repository), repository, home)
    assert found is not None
    roots = sorted([*found.roots, (str(repository / ".exo"), "mount")], key=lambda root: -len(root[0]))
    world = World(
        top=str(repository),
        home=str(home),
        areas=dict(roots),
        tracked=frozenset(git(repository, "-c", "core.quotePath=false", "ls-files").splitlines()),
    )
    return found._replace(roots=tuple(roots)), world


def a_seal(outside: str) -> Seal:
    rules = (
        FilesystemDeny(id="SEC-001", patterns=("~/.aws/**", "~/.ssh/**", "**/.env*"), actions=("read", "write")),
        FilesystemDeny(id="GIT-001", patterns=(".git/**",)),
        FilesystemDeny(id="DEL-001", patterns=("src/**",), actions=("delete",), actors=("agent",)),
        FilesystemDeny(id="OUT-001", patterns=(f"{outside}/secrets/",), actions=("read",)),
        FilesystemAllow(id="OPEN-001", patterns=("docs/.env.example",), overrides=("SEC-001",)),
        FilesystemAllow(id="OPEN-002", patterns=("src/deep/**",), actions=("delete",), overrides=("DEL-001",)),
        RequireLock(id="LOCK-001", actors=("agent",)),
        PatchFirst(id="PATCH-001", patterns=("docs/rules.md",)),
    )
    locked = (LockedPaths(feature="vault", patterns=("secrets/**",)),)
    return closed(Seal(sources={}, lock="0" * 64, rules=rules, locked_paths=locked))


def a_path(chance: random.Random, world: World) -> str:
    parts = [chance.choice(PARTS) for _ in range(chance.randint(1, 5))]
    begins = ("", "", "", "", "", f"{world.top}/", "~/", "/", f"{world.top}/../outside/self/", "./", "~", "~root/")
    return chance.choice(begins) + "/".join(parts)


def a_fence(chance: random.Random, seal: Seal) -> Fence:
    scope = chance.choice(SCOPES)
    return Fence(
        actor="agent" if chance.random() < 0.6 else "human",
        verdict="ok",
        seal=seal,
        session="SES-1",
        ticket=None if scope is None else "TICKET-1",
        holds=chance.random() < 0.85,
        fenced=chance.random() < 0.03,
        role=chance.choice((None, None, None, *ROLES)),
        scope=scope,
    )


def compare(around: tuple[Survey, World], count: int, seed: int) -> dict[str, int]:
    """Judge so many random paths both ways; return how often each layer decided."""
    found, world = around
    chance = random.Random(seed)
    seal = a_seal(str(Path(world.top).parent / "outside"))
    layers: dict[str, int] = {}
    for _ in range(0, count, BATCH):
        texts = [a_path(chance, world) for _ in range(BATCH)]
        for facts in paths.facts(found, texts):
            fence, action = a_fence(chance, seal), chance.choice(FILE_ACTIONS)
            decided = check_action(FileAct(action=action, path=facts), fence)
            wanted = fence_oracle.judge(world, Asked(action, facts.asked), fence)
            assert (decided.decision, decided.layer) == wanted, (action, facts, fence, decided)
            layers[decided.layer] = layers.get(decided.layer, 0) + 1
    return layers


def test_random_real_paths_are_judged_as_the_oracle_judges_them(around: tuple[Survey, World]) -> None:
    layers = compare(around, 5_000, seed=1)
    every = {"action", "mount", "session", "role", "scope_allow", "scope_deny", "filesystem", "delete", "allowed"}
    assert set(layers) == every, layers


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_a_hundred_thousand_random_real_paths_are_judged_so(around: tuple[Survey, World], seed: int) -> None:
    assert sum(compare(around, 25_000, seed).values()) == 25_000
