"""`exo init`: a repository becomes governed, once, and shares it."""

from pathlib import Path

from exo_sidecar.domain import first_settings
from exo_sidecar.model.config import Config
from exo_sidecar.store import settings
from tests.support.clones import BRANCH, a_fleet
from tests.support.inprocess import exo_in_process as exo
from tests.support.process import Ran
from tests.support.repositories import a_repository, git

EVERYTHING = ["CONSTITUTION.md", "config.yaml", "features.yaml", "requirements.yaml", "TICKET-001"]


def an_init(cwd: Path, *args: str) -> Ran:
    """Run `init` and expect it to go well."""
    ran = exo(cwd, "init", "--json", *args)
    assert ran.exit == 0, ran.out + ran.err
    return ran


def test_a_fresh_repository_gets_its_documents_and_a_first_ticket(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    data = an_init(repository).data
    assert len(data.pop("policy_digest")) == 64
    assert data == {
        "created": EVERYTHING,
        "mounted": True,
        "branch": BRANCH,
        "seeded_tickets": ["TICKET-001"],
        "scan": {"primary_language": None, "rules": ["DEL-001"], "checks": []},
        "gitignore_updated": True,
    }
    assert git(repository / ".exo", "status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "rev-list", "--count", BRANCH) == "1"
    ticket = exo(repository, "ticket-show", "TICKET-001", "--json").data["ticket"]
    assert (ticket["type"], ticket["checks"], ticket["parent"]) == ("governance", [], None)


def test_the_quick_start_works_as_written(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    an_init(repository)
    made = exo(repository, "intent-create", "Fast start", "--brain-dump", "it must be fast", "--json")
    assert made.exit == 0, made.err
    ran = exo(repository, "ticket-create", "Measure it", "--parent", made.data["id"], "--json")
    assert ran.exit == 0, ran.err
    assert exo(repository, "status", "--json").exit == 0


def test_a_second_run_creates_nothing(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    an_init(repository)
    tip = git(repository, "rev-parse", BRANCH)
    assert an_init(repository).data["created"] == []
    assert git(repository, "rev-parse", BRANCH) == tip


def test_an_existing_document_is_never_overwritten(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert exo(repository, "sidecar-init").exit == 0
    (repository / ".exo" / "CONSTITUTION.md").write_text("# Ours\n")
    assert "CONSTITUTION.md" not in an_init(repository).data["created"]
    assert (repository / ".exo" / "CONSTITUTION.md").read_text() == "# Ours\n"


def test_the_settings_that_are_written_are_the_defaults() -> None:
    assert settings.read(first_settings.text()) == (Config(), ())


def test_seed_adds_an_intent_with_one_task(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    assert an_init(repository).data["created"] == EVERYTHING
    assert an_init(repository, "--seed").data["seeded_tickets"] == ["INTENT-001", "TICKET-002"]
    assert exo(repository, "ticket-show", "TICKET-002", "--json").data["ticket"]["parent"] == "INTENT-001"


def test_the_branch_is_pushed_and_the_next_clone_mounts_it_and_creates_nothing(tmp_path: Path) -> None:
    fleet = a_fleet(tmp_path, 2)
    assert an_init(fleet[0]).data["created"] == EVERYTHING
    assert git(fleet.hub, "rev-parse", BRANCH) == git(fleet[0], "rev-parse", BRANCH)
    data = an_init(fleet[1]).data
    assert (data["created"], data["mounted"]) == ([], True)
    assert git(fleet.hub, "rev-parse", BRANCH) == fleet.tips()[0] == fleet.tips()[1]


def test_a_dry_run_says_what_would_be_and_writes_nothing(tmp_path: Path) -> None:
    repository = a_repository(tmp_path)
    before = sorted(repository.rglob("*"))
    assert an_init(repository, "--dry-run", "--seed").data["created"] == [*EVERYTHING, "INTENT-001", "TICKET-002"]
    assert sorted(repository.rglob("*")) == before
    an_init(repository)
    tip = git(repository, "rev-parse", BRANCH)
    assert an_init(repository, "--dry-run", "--seed").data["created"] == ["INTENT-001", "TICKET-002"]
    assert git(repository, "rev-parse", BRANCH) == tip


def test_a_repository_without_a_commit_is_governed_too(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, files={})
    assert an_init(repository).data["created"] == EVERYTHING
    assert git(repository, "status", "--porcelain") == ""
