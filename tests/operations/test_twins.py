"""A copied clone that writes under the same id (a restored backup, a virtual machine's twin): nothing is lost."""

import json
import shutil
from pathlib import Path

from tests.support.process import exo
from tests.support.repositories import a_clone, a_hub, git


def a_twin(clone: Path, name: str) -> Path:
    """Return a copy of a clone that takes itself for the original, as a copied disk does."""
    twin = clone.with_name(name)
    shutil.copytree(clone, twin, symlinks=True)
    identity = twin / ".git" / "exo" / "clone"
    known = json.loads(identity.read_text())
    identity.write_text(json.dumps(known | {"inode": identity.stat().st_ino}))
    return twin


def make(clone: Path, ticket: str) -> None:
    """Make a ticket that needs no parent."""
    ran = exo(clone, "ticket-create", ticket, "--id", f"TICKET-{ticket}", "--type", "practice")
    assert ran.exit == 0, ran.err


def test_twins_keep_all_events_and_go_on_under_ids_of_their_own(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path), "one")
    assert exo(clone, "init").exit == 0
    make(clone, "FIRST")
    assert exo(clone, "sync").exit == 0
    twin = a_twin(clone, "two")

    make(clone, "LEFT")
    assert exo(clone, "sync").exit == 0
    make(twin, "RIGHT")
    assert exo(twin, "sync").exit == 0
    make(twin, "AFTER")
    assert exo(twin, "sync").exit == 0
    assert exo(clone, "sync").exit == 0

    listed = exo(clone, "ticket-list", "--json").answer["data"]["items"]
    assert {"TICKET-FIRST", "TICKET-LEFT", "TICKET-RIGHT", "TICKET-AFTER"} <= {item["id"] for item in listed}
    assert exo(clone, "audit").exit == 0
    assert exo(twin, "audit").exit == 0
    ids = {json.loads((each / ".git" / "exo" / "clone").read_text())["id"] for each in (clone, twin)}
    assert len(ids) == 2
    assert git(clone, "rev-parse", "exo-governance^{tree}") == git(twin, "rev-parse", "exo-governance^{tree}")


def test_a_plain_copy_of_the_folder_mints_an_id_at_its_first_write(tmp_path: Path) -> None:
    clone = a_clone(a_hub(tmp_path), "one")
    assert exo(clone, "init").exit == 0
    copy = clone.with_name("copy")
    shutil.copytree(clone, copy, symlinks=True)
    make(copy, "HERE")
    ids = {json.loads((each / ".git" / "exo" / "clone").read_text())["id"] for each in (clone, copy)}
    assert len(ids) == 2
    assert exo(copy, "audit").exit == 0
    assert git(clone, "-C", ".exo", "status", "--porcelain") == ""
