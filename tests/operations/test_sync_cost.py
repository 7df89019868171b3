"""What a sync does not pay for: libraries that it has no use for, and scans that miss nothing for being short."""

import os
import subprocess
import sys
from pathlib import Path

from exo_sidecar.store.scan import changed_paths
from tests.support.repositories import git
from tests.support.stores import a_governed_store, created, file_of
from tests.support.working import a_shop

LOADED = """
import sys
from exo_sidecar.__main__ import main
status = main(["sync", "--quiet"])
print(*sorted({"dulwich.client", "rich", "typer", "urllib3"} & set(sys.modules)))
sys.exit(status)
"""


def test_a_sync_with_a_repository_on_this_machine_loads_nothing_for_http_or_for_parsing_options(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, clones=1)
    shop.ok(0, "ticket-edit", "T1", "--note", "news")
    done = subprocess.run(
        (sys.executable, "-c", LOADED), cwd=shop.clones[0], env=os.environ, capture_output=True, timeout=60, check=True
    )
    assert done.stdout.decode().splitlines()[-1] == "dulwich.client"
    assert shop.tip(0) == git(shop.hub or tmp_path, "rev-parse", "exo-governance")


def test_every_kind_of_change_in_the_mount_is_found_by_the_scan(tmp_path: Path) -> None:
    one = a_governed_store(tmp_path)
    names = [f"TICKET-{letter}{letter}" for letter in "ABCDEF"]
    one.write(*(created(name) for name in names))
    edited, gone, linked, replaced = (file_of(one, name) for name in names[:4])
    fresh = edited.with_name(edited.name.replace("AA", "AAZ"))
    edited.write_text(edited.read_text() + "# changed\n")
    gone.unlink()
    elsewhere = tmp_path / "elsewhere"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    replaced.unlink()
    replaced.mkdir()
    fresh.write_text("title: new\n")
    edited.with_name("notes.txt").write_text("nobody's\n")
    found = changed_paths(one.store.governed)
    sure = {path.relative_to(one.mount).as_posix() for path in (edited, gone, linked, replaced, fresh)}
    assert sure <= found
    assert not any(path.endswith("notes.txt") for path in found)
