"""Whether scopes meet, against an oracle that tries every path; and what a glob means, against git."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exo_sidecar.model import glob, glob_overlap
from exo_sidecar.model.errors import ScopeInvalid
from tests.support import glob_oracle
from tests.support.repositories import a_repository, git

NAMES = st.sampled_from(["a", "b", ".", "?", "*", "a*", "*b", "?a", "[ab]", "[!a]", "a,b", "[a-b]*", "{a,b}", "{a,}b"])
SEGMENTS = st.one_of(NAMES, NAMES, NAMES, st.just("**"))
GLOBS = (
    st.tuples(st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join), st.sampled_from(["", "", "/"]))
    .map("".join)
    .filter(lambda text: not _fault(text))
)
SOME_PATHS = tuple(glob_oracle.paths("ab.,", 2, 2))
DEEP_PATHS = (*SOME_PATHS, *glob_oracle.paths("ab", 4, 1), *glob_oracle.paths("ab", 3, 2), "a/b/c/d/e", "c", "ccc/a")


def _fault(text: str) -> bool:
    try:
        glob.parse(text)
    except ScopeInvalid:
        return True
    return False


@given(GLOBS)
@settings(max_examples=150)
def test_a_glob_matches_what_the_oracle_says(pattern: str) -> None:
    wanted = [path for path in SOME_PATHS if glob_oracle.matches(pattern, path)]
    machine = glob_overlap.machine(pattern)
    assert [path for path in SOME_PATHS if glob.matching([pattern])(path)] == wanted
    assert [path for path in SOME_PATHS if glob_overlap.accepts(machine, path)] == wanted


@given(GLOBS, GLOBS)
@settings(max_examples=200)
def test_scopes_overlap_exactly_when_one_path_is_in_both(one: str, other: str) -> None:
    common = glob_overlap.meeting(one, other)
    if common is None:
        assert not any(glob_oracle.matches(one, path) and glob_oracle.matches(other, path) for path in DEEP_PATHS)
    else:
        assert glob_oracle.matches(one, common)
        assert glob_oracle.matches(other, common)
    assert glob_overlap.overlap(one, other) is glob_overlap.overlap(other, one) is (common is not None)


@given(st.lists(GLOBS, min_size=1, max_size=3), GLOBS)
@settings(max_examples=200)
def test_scopes_cover_a_glob_exactly_when_they_hold_all_its_paths(wide: list[str], narrow: str) -> None:
    beside = glob_overlap.outlier(wide, narrow)
    if beside is None:
        inside = [path for path in DEEP_PATHS if glob_oracle.matches(narrow, path)]
        assert all(any(glob_oracle.matches(each, path) for each in wide) for path in inside)
    else:
        assert glob_oracle.matches(narrow, beside)
        assert not any(glob_oracle.matches(each, beside) for each in wide)
    assert glob_overlap.covers(wide, narrow) is (beside is None)


def test_what_a_third_glob_takes_away_is_no_overlap() -> None:
    assert glob_overlap.overlap("src/**", "**/*.py")
    assert not glob_overlap.overlap("src/**", "**/*.py", ["src/*.py", "src/*/**"])
    assert glob_overlap.meeting("src/*", "src/a*", ["src/a"]) not in {None, "src/a"}
    assert glob_overlap.overlapping(["lib/**", "src/**"], ["**"], ["src/**"]) == ("lib/**", "**")
    assert glob_overlap.overlapping(["src/**"], ["**"], ["src/"]) is None


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        ("**", "**", True),
        ("src/**", "src", True),
        ("src/a*", "src/*b", True),
        ("src/a?", "src/*b/c", False),
        ("src/[a-c]x", "src/[d-f]x", False),
        ("src/[!a]x", "src/[!b]x", True),
        ("{src,lib}/a", "{lib,docs}/a", True),
        ("{src,lib}/a", "docs/a", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "**/y", False),
        ("*.py", "src/*.py", False),
        ("src/a,b", "src/a", False),
        ("a/*", "a/**/b/c", False),
        ("[.]/a", "**", False),  # a segment of one dot is no name
        ("[.]*/a", "**", True),
        ("docs/é*", "docs/*é", True),
    ],
)
def test_an_overlap_is_told_by_what_the_globs_mean(one: str, other: str, *, overlaps: bool) -> None:
    assert glob_overlap.overlap(one, other) is overlaps
    assert (glob_overlap.overlapping(["[.][.]", one], [other]) is not None) is overlaps


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        (["**"], "src/**", True),
        (["src/**"], "src", False),  # a file of that name is outside of the folder
        (["src", "lib"], "{src,lib}/*.py", True),
        (["src/*.py"], "src/a*.py", True),
        (["src/a*.py"], "src/*.py", False),
        (["*/*", "*"], "[ab]/x", True),
        (["[a-m]*", "[!a-m]*"], "*", True),
        (["[a-m]*", "[n-z]*"], "*", False),
        ([], "a", False),
    ],
)
def test_a_cover_is_told_by_what_the_globs_mean(wide: list[str], narrow: str, *, covers: bool) -> None:
    assert glob_overlap.covers(wide, narrow) is covers


@pytest.mark.parametrize("text", ["[z-a]", "src/[]x", "src/[!]", "[", "a/../b", "/a", "~/a", "a//b", "a\\b", "{a,{b}}"])
def test_a_glob_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ScopeInvalid):
        glob.parse(text)


def test_a_comma_is_a_character_where_no_brace_is_open() -> None:
    assert glob.any_matches(["a,b.txt"], "a,b.txt")
    assert not glob.any_matches(["a,b.txt"], "a")
    assert glob.any_matches(["{a,b}[,].txt"], "a,.txt")


def test_a_hostile_glob_costs_no_more_than_its_length() -> None:
    started = time.monotonic()
    stars = "*a" * 250
    assert not glob.any_matches([stars], "a" * 249 + "b" * 1000)
    assert glob.any_matches(["**/" * 160 + "x"], "a/" * 500 + "x")
    assert not glob.any_matches(["{*a,*b}*c*c*c*c*c*d"], "abc" * 1000)
    assert glob_overlap.overlap(stars, "*b" * 250)  # too long to say, so that it counts as one
    assert not glob_overlap.overlap("*a" * 60, "*b" * 60)
    glob_overlap.covers([stars, "*a*b*c*d*e*f*g*h"], "*h*g*f*e*d*c*b*a*")
    assert time.monotonic() - started < 20


GIT_NAMES = st.sampled_from(["a", "b", "ab", "?", "*", "a*", "*b", "?a", "[ab]", "[!a]", "[a-b]*", "a.c", "[b-]"])
GIT_GLOBS = st.one_of(
    st.lists(st.one_of(GIT_NAMES, GIT_NAMES, st.just("**")), min_size=1, max_size=4).map("/".join),
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map("/".join).map("{}/".format),
)
GIT_PATHS = (*glob_oracle.paths("ab", 3, 2), "a.c", "a.c/b", "b/a.c", "-", "a/-", "a/b/ab/a/b", "b/a/b/a")


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose index has every path that can be: folders and files of one name cannot."""
    repository = a_repository(tmp_path_factory.mktemp("globs"), files={})
    blob = git(repository, "hash-object", "-w", "--stdin", stdin="x")
    git(repository, "update-index", "--index-info", stdin="".join(f"100644 {blob}\t{path}\n" for path in _leaves()))
    return repository


@given(GIT_GLOBS)
@settings(max_examples=60)
def test_a_glob_means_what_git_means_by_it(indexed: Path, pattern: str) -> None:
    glob.parse(pattern)
    named = (
        pattern.removesuffix("/") if pattern.endswith("/") else ""
    )  # git asks for a folder there; we take a file too
    ours = [path for path in _leaves() if path != named and glob.any_matches([pattern], path)]
    assert ours == git(indexed, "ls-files", "--", f":(glob){pattern}").splitlines()


def _leaves() -> list[str]:
    return sorted(path for path in GIT_PATHS if not any(other.startswith(f"{path}/") for other in GIT_PATHS))
