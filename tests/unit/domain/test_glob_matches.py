"""Which paths a scope glob means."""

import pytest

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
