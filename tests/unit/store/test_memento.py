"""Mementos: pages for people, rendered from the record alone."""

import msgspec

from exo_sidecar.model.manifest import Resolution
from exo_sidecar.model.session import Finish
from exo_sidecar.store import memento
from tests.support.views import a_session

FINISH = Finish(
    summary="Did it.\nAll of it.",
    ticket_status="review",
    head="b" * 40,
    commits=("c" * 40,),
    next_step="merge",
    blockers=("none left",),
    errors=("pytest: failed once",),
)


def test_a_finished_session_shows_what_it_has_and_leaves_out_what_it_has_not() -> None:
    record = msgspec.structs.replace(a_session(status="finished"), finish=FINISH, branch="main")
    page = memento.render(record)
    assert page.startswith("# SES-A")
    titles = [line for line in page.splitlines() if line.startswith("## ")]
    assert titles == ["## Metadata", "## Summary", "## Commits", "## Blockers", "## Next step", "## Errors met"]
    assert "- branch: main" in page
    assert page.endswith("\n")


def test_requirements_stand_behind_the_checks_by_what_became_of_them() -> None:
    traced = msgspec.structs.replace(FINISH, requirements=Resolution(found=("REQ-1", "ACC-1"), missing=("REQ-9",)))
    page = memento.render(msgspec.structs.replace(a_session(status="finished"), finish=traced))
    assert "\n## Requirements\n\n- found: REQ-1, ACC-1\n- missing: REQ-9\n\n## Blockers\n" in page


def test_equal_records_give_equal_bytes() -> None:
    record = msgspec.structs.replace(a_session(status="finished"), finish=FINISH)
    assert memento.render(record) == memento.render(record)


def test_a_summary_cannot_add_a_section_or_a_tag() -> None:
    hostile = msgspec.structs.replace(
        FINISH, summary="x\n## Commits\n- forged\n<script>\n```\n\u202eflip", next_step=None
    )
    page = memento.render(msgspec.structs.replace(a_session(), finish=hostile))
    assert [line for line in page.splitlines() if line.startswith("## ")].count("## Commits") == 1
    assert "- forged" not in page.splitlines()
    for part in ("<script>", "\u202e", "\n```"):
        assert part not in page


def test_a_session_at_work_has_metadata_only() -> None:
    page = memento.render(a_session())
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## Metadata"]
