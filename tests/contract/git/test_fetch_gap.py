"""A server that takes something to be here that is not: its answer cannot be put together, and all is asked for."""

import hashlib
import io
import zlib
from pathlib import Path

import pytest

from exo_sidecar.git import fetch
from exo_sidecar.git.locate import locate
from exo_sidecar.git.oid import Oid
from exo_sidecar.git.remote import Remote
from exo_sidecar.git.repository import Repository
from tests.support.repositories import a_hub, a_repository, commit_files, git


def a_difference_to_nothing() -> bytes:
    """Return a pack of one blob, told as a difference to an object that nobody has."""
    delta = b"\x04\x04\x90\x04"  # four bytes become four bytes: copy them all
    body = b"PACK" + (2).to_bytes(4, "big") + (1).to_bytes(4, "big")
    body += bytes([0x70 | len(delta)]) + bytes(20) + zlib.compress(delta)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


@pytest.mark.parametrize("loose_max", [0, 100])
def test_an_answer_with_a_gap_is_known_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loose_max: int) -> None:
    monkeypatch.setattr(fetch, "LOOSE_OBJECTS_MAX", loose_max)
    repository = Repository(locate(a_repository(tmp_path)))
    sink = io.BytesIO()
    sink.write(a_difference_to_nothing())
    with pytest.raises(fetch._GapError):
        fetch._store(repository, Remote("origin", "nowhere"), sink)
    repository.close()


def test_after_a_gap_nothing_is_named_and_everything_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = a_hub(tmp_path)
    top = a_repository(tmp_path, "reader")
    repository = Repository(locate(top))
    source = tmp_path / "source"
    git(tmp_path, "clone", "-q", str(hub), str(source))
    tip = Oid(commit_files(source, {"a.txt": "a\n"}, "one"))
    git(source, "push", "-q", "origin", "HEAD:refs/heads/thing")
    really, named = fetch._fetched, []

    def once(*given: object) -> fetch.Fetched:
        haves = given[4]
        named.append(haves)
        if len(named) == 1:
            raise fetch._GapError
        assert next(haves) is None  # type: ignore[call-overload]
        return really(*given[:4], fetch._Haves(repository.objects, tuple, tuple, set()), given[5])  # type: ignore[arg-type, call-arg]

    monkeypatch.setattr(fetch, "_fetched", once)
    found = fetch.fetch(repository, Remote("origin", str(hub)), lambda refs: list(refs.values()), ["refs/heads/thing"])
    assert (found.refs, len(named)) == ({"refs/heads/thing": tip}, 2)
    assert repository.objects.contains(tip)
    repository.close()
