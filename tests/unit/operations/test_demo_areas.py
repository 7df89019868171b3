"""A demonstration finds real parts in any repository."""

import pytest

from exo_sidecar.operations.demo_areas import Area, areas

DEEP = ("README.md", "src/a/one.py", "src/a/two.py", "src/b/x/one.py", "docs/guide.md")


def test_folders_come_first_the_largest_in_front() -> None:
    assert [area.glob for area in areas(DEEP, 2)] == ["src/**", "docs/**"]


def test_large_folders_are_split_until_there_are_enough() -> None:
    assert [area.name for area in areas(DEEP, 3)] == ["src/a", "docs", "src/b"]


def test_a_folder_with_a_single_folder_in_it_is_split_too() -> None:
    assert [area.name for area in areas(["src/only/a/x.py", "src/only/b/x.py"], 2)] == ["src/only/a", "src/only/b"]


def test_single_files_and_then_notes_make_up_for_missing_folders() -> None:
    found = areas(["LICENSE", "docs/guide.md"], 4)
    assert found[0] == Area("docs", "docs/**", "docs/NOTES.md")
    assert found[1] == Area("LICENSE", "LICENSE", "LICENSE")
    assert [area.file for area in found[2:]] == ["notes/1.md", "notes/2.md"]


@pytest.mark.parametrize("path", ["a b/c.md", "we[ird]/x", "-rf/x", ".exo/x", "tab\t/x"])
def test_names_that_mean_more_than_themselves_are_passed_over(path: str) -> None:
    assert [area.name for area in areas([path], 1)] == ["part 1"]
