"""Commits: what we write reads back; what others wrote is understood."""

import pytest

from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.objects import ObjectDamaged
from exo_sidecar.git.oid import EMPTY_TREE, Oid

PARENT = Oid("1" * 40)
COMMIT = Commit(
    EMPTY_TREE, (PARENT,), "Ünë <u@example>", 1_700_000_000, "exo <exo@localhost>", 1_700_000_001, "s\n\nbody\n"
)
HEAD = b"tree %s\nauthor A <a@b> 12 +0200\ncommitter C <c@d> 34 -0730\n" % EMPTY_TREE.encode()


@pytest.mark.parametrize("parents", [(), (PARENT,), (PARENT, Oid("2" * 40))])
def test_a_commit_reads_back_as_it_was_written(parents: tuple[Oid, ...]) -> None:
    commit = COMMIT._replace(parents=parents)
    assert commits.parse(commits.serialise(commit)) == commit


def test_a_name_cannot_forge_a_header() -> None:
    commit = COMMIT._replace(author="x\nparent " + "3" * 40 + " <u@example>")
    assert commits.parse(commits.serialise(commit)).parents == (PARENT,)


def test_signatures_and_unknown_headers_are_passed_over() -> None:
    data = HEAD + b"gpgsig -----BEGIN\n tree " + b"9" * 40 + b"\n parent x\n -----END\nfuture thing\n\nmessage\n"
    found = commits.parse(data)
    assert (found.tree, found.parents, found.message) == (EMPTY_TREE, (), "message\n")
    assert (found.author, found.author_time, found.commit_time) == ("A <a@b>", 12, 34)


@pytest.mark.parametrize(
    ("header", "body", "expected"),
    [
        (b"encoding ISO-8859-1\n", b"gr\xfc\xdfe", "grüße"),
        (b"encoding nonsense\n", "grüße".encode(), "grüße"),
        (b"", b"\xff", "\udcff"),
    ],
)
def test_messages_in_other_encodings_are_read(header: bytes, body: bytes, expected: str) -> None:
    assert commits.parse(HEAD + header + b"\n" + body).message == expected


@pytest.mark.parametrize("person", [b"nobody", b"A <a@b>", b"A <a@b> soon +0000", b"A <a@b> " + b"9" * 30])
def test_a_person_without_a_readable_time_has_time_zero(person: bytes) -> None:
    data = b"tree %s\nauthor %s\ncommitter %s\n\n" % (EMPTY_TREE.encode(), person, person)
    assert commits.parse(data).commit_time == 0


@pytest.mark.parametrize("data", [b"", b"tree abc\n\n", HEAD.replace(b"author", b"writer"), b"parent x\n" + HEAD])
def test_bytes_that_are_no_commit_are_damage(data: bytes) -> None:
    with pytest.raises(ObjectDamaged):
        commits.parse(data)
