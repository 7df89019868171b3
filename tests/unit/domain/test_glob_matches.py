"""Which paths a scope glob means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exo_sidecar.model import glob


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("**", ("a", "a/b.py"), ()),
        ("src", ("src", "src/a.py", "src/a/b.py"), ("srcs/a.py", "lib/src")),
        ("src/", ("src/a.py",), ("src.py",)),
        ("src/**", ("src/a", "src/a/b"), ("src", "srcs/a")),
        ("src/*", ("src/a",), ("src/a/b",)),
        ("**/test_*.py", ("test_a.py", "x/y/test_b.py"), ("x/atest_b.py",)),
        ("a/**/b", ("a/b", "a/x/b", "a/x/y/b"), ("a/xb",)),
        ("*.{py,toml}", ("a.py", "b.toml"), ("a.pyc", "x/a.py")),
        ("[a-c]?.txt", ("ax.txt",), ("dx.txt", "a/.txt")),
        ("[!a].txt", ("b.txt",), ("a.txt", "/.txt")),
        ("a.b", ("a.b",), ("axb",)),
        ("[^x].c", ("^.c", "x.c"), ("y.c",)),
    ],
)
def test_a_glob_means_its_paths_and_no_others(pattern: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    assert glob.parse(pattern) == pattern
    assert [path for path in inside if not glob.any_matches([pattern], path)] == []
    assert [path for path in outside if glob.any_matches([pattern], path)] == []
    assert not glob.any_matches([], "a")


@pytest.mark.parametrize(
    ("several", "common"),
    [
        ([("src/**",)], ("src/**",)),
        ([("**",), ("src/**",)], ("src/**",)),
        ([("docs/**", "src/**"), ("src/**", "tests/**")], ("src/**",)),
        ([("src",), ("src/a", "lib/a")], ("src/a",)),
        ([("src/",), ("src/*.py",)], ("src/*.py",)),
        ([("src/**",), ("srcs/**", "src/")], ("src/**",)),
        ([("src/**",), ("srcs/**", "src")], ("src/**",)),
        ([("src/**",), ("srcs/**", "lib/")], ()),
        ([("src/*",), ("src/a",)], ()),
        ([("src/**",), ("src/a,docs/**",)], ()),
        ([("a/**",), ("b/**",), ("**",)], ()),
    ],
)
def test_common_globs_allow_what_all_allow_as_far_as_it_is_plain(
    several: list[tuple[str, ...]], common: tuple[str, ...]
) -> None:
    assert glob.common(several) == common


GLOBS = st.sampled_from(
    ["**", "a", "a/", "a/**", "a/*", "a/b", "a/b/**", "{a,b}/**", "a/{b,c}", "a,b/**", "**/b", "[ab]/b", "a/b,c", "?"]
)
PATHS = st.sampled_from(["a", "b", "c", "a/b", "a/c", "a/b/c", "b/b", "b/a/b", "a,b", "a/b,c"])


@given(st.lists(st.lists(GLOBS, min_size=1, max_size=4).map(tuple), min_size=2, max_size=3), PATHS)
def test_common_globs_never_allow_what_one_side_does_not(several: list[tuple[str, ...]], path: str) -> None:
    if glob.any_matches(glob.common(several), path):
        assert all(glob.any_matches(globs, path) for globs in several)
