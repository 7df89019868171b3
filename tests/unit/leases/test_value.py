"""A lease as a commit: it comes back as it went, and nothing malformed is taken for a lease."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from exo_sidecar.git import commits
from exo_sidecar.git.commits import Commit
from exo_sidecar.git.oid import EMPTY_TREE, Oid
from exo_sidecar.leases import value
from exo_sidecar.leases.value import LeaseDamaged
from tests.support.leasing import TICKET, a_lease

PARENT = Oid("1" * 40)


def _commit(message: str, tree: Oid = EMPTY_TREE) -> bytes:
    return commits.serialise(Commit(tree, (), commits.AUTHOR, 0, commits.AUTHOR, 0, message))


def _changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return a lease's commit with its JSON changed."""
    text = commits.parse(value.encode(a_lease(), None)).message.removeprefix(value.HEADER)
    fields = json.loads(text)
    change(fields)
    return _commit(value.HEADER + json.dumps(fields))


def test_a_lease_comes_back_as_it_went() -> None:
    lease = a_lease(epoch=7)
    assert value.decode(TICKET, value.encode(lease, PARENT)) == lease


def test_the_same_lease_on_the_same_parent_gives_the_same_bytes() -> None:
    assert value.encode(a_lease(), PARENT) == value.encode(a_lease(), PARENT)
    assert value.encode(a_lease(), PARENT) != value.encode(a_lease(), None)


def test_the_commit_has_an_empty_tree_and_the_replaced_value_as_its_parent() -> None:
    commit = commits.parse(value.encode(a_lease(), PARENT))
    assert (commit.tree, commit.parents, commit.author) == (EMPTY_TREE, (PARENT,), "exo <exo@localhost>")
    assert commit.message.startswith("exo-lease/1\n{")


def test_unknown_fields_do_not_hinder_reading() -> None:
    assert value.decode(TICKET, _changed(lambda fields: fields.update(later="x"))) == a_lease()


@pytest.mark.parametrize(
    "change",
    [
        {"ticket": "TICKET-0002"},
        {"epoch": 0},
        {"epoch": -1},
        {"epoch": 2**53},
        {"epoch": "1"},
        {"epoch": 1.5},
        {"epoch": True},
        {"state": "stolen"},
        {"nonce": ""},
        {"nonce": "../../x"},
        {"nonce": "F" * 32},
        {"ttl_seconds": 59},
        {"ttl_seconds": 604801},
        {"ttl_seconds": None},
        {"branch": "-x"[:0]},
        {"branch": "a..b"},
        {"branch": "a b"},
        {"branch": "a\u202eb"},
        {"branch": "x" * 256},
        {"claimed_at": "yesterday"},
        {"renewed_at": "2026-01-02T03:04:05+02:00"},
        {"holder": None},
        {"holder": {"session": "ses", "clone": "c" * 16, "actor": "human:jane"}},
        {"holder": {"session": "SES-AAAA", "clone": "../x", "actor": "human:jane"}},
        {"holder": {"session": "SES-AAAA", "clone": "c" * 16, "actor": "root\n"}},
    ],
)
def test_a_field_out_of_its_form_is_damage(change: dict[str, Any]) -> None:
    with pytest.raises(LeaseDamaged) as caught:
        value.decode(TICKET, _changed(lambda fields: fields.update(change)))
    assert (caught.value.code, caught.value.exit_status) == ("LEASE_DAMAGED", 7)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a commit",
        _commit("exo-lease/2\n{}"),
        _commit("exo-lease/1\n"),
        _commit("exo-lease/1\n[]"),
        _commit("exo-lease/1\n" + "[" * 5000),
        _commit("exo-lease/1\n" + " " * 9000),
        commits.serialise(Commit(Oid("2" * 40), (), "a <a>", 0, "a <a>", 0, "exo-lease/1\n{}")),
    ],
)
def test_what_is_no_lease_commit_is_damage(data: bytes) -> None:
    with pytest.raises(LeaseDamaged, match="TICKET-0001"):
        value.decode(TICKET, data)
