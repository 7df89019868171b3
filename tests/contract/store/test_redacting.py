"""Redaction between clones: carried out once, it stands everywhere, to the byte, whoever hears of it in what order."""

import random
from pathlib import Path

import pytest

from exo_sidecar.git import tree
from exo_sidecar.git.oid import Oid
from exo_sidecar.model.event import DocumentEdited, Draft, EventRedacted
from exo_sidecar.store import codec, layout, redaction, union
from exo_sidecar.store.redaction import RedactionRefused
from exo_sidecar.sync.verified import SyncRefused
from tests.support.repositories import git
from tests.support.stores import (
    BRANCH,
    Clone,
    a_company,
    a_governed_store,
    a_store,
    assert_sound,
    clone_id_of,
    closing,
    created,
    ledger_lines,
    noted,
    titled,
)

T = "TICKET-000"
SECRET = "hunter2"  # noqa: S105 - what must not be found again


def planned(one: Clone, event: str, reason: str = "a secret") -> EventRedacted:
    return redaction.planned(one.store.view().index.db, event, reason).data


def redact(one: Clone, event: str, reason: str = "a secret") -> None:
    data = planned(one, event, reason)
    one.write(Draft(subject=data.event, data=data))


def everything(one: Clone) -> bytes:
    """Return all bytes of the branch's files and of the mount."""
    objects = one.store.governed.repository.objects
    committed = b"".join(objects.read(entry.oid).data for _, entry in tree.walk(objects, one.tree))
    return committed + b"".join(path.read_bytes() for path in one.mount.rglob("*") if path.is_file())


def notes(one: Clone) -> tuple[str, ...]:
    return one.store.view().find_ticket(T).ticket.notes


def sync_all(clones: list[Clone], rounds: int = 2) -> None:
    for _ in range(rounds):
        for one in clones:
            one.sync()
    assert len({one.tip for one in clones}) == 1


def test_a_redacted_event_does_nothing_any_more_and_its_chain_goes_on(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        me = clone_id_of(one)
        one.write(created(T), noted(T, f"the word is {SECRET}"), titled(T, "New title"))
        assert SECRET.encode() in everything(one)
        redact(one, f"{me}:3")
        assert SECRET.encode() not in everything(one)
        assert notes(one) == ()
        assert one.store.view().find_ticket(T).ticket.title == "New title"
        one.write(noted(T, "afterwards"))
        assert notes(one) == ("afterwards",)
        assert one.store.view().quarantined() == ()
        (entry,) = [each for each in one.store.view().history(T, limit=9) if each.event == f"{me}:3"]
        assert (entry.type, entry.quarantined, entry.summary) == ("ticket.noted", "redacted: a secret", "")
        assert_sound(one)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_every_clone_has_the_same_bytes_after_a_redaction_whoever_syncs_first(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    with closing(a_company(tmp_path, 3)) as clones:
        clones[0].write(created(T), noted(T, SECRET))
        sync_all(clones)
        target = f"{clone_id_of(clones[0])}:3"
        clones[0].write(noted(T, "by the first"))
        clones[2].write(noted(T, "by the third"))
        redact(clones[1], target)
        for number in order:
            clones[number].sync()
        sync_all(clones)
        assert len({one.tree for one in clones}) == 1
        for one in clones:
            assert SECRET.encode() not in everything(one)
            assert sorted(notes(one)) == ["by the first", "by the third"]
            assert one.store.view().quarantined() == ()
            assert_sound(one)
        tip = clones[0].tip
        sync_all(clones)
        assert clones[0].tip == tip


def test_two_redactions_of_one_event_leave_one_line_everywhere(tmp_path: Path) -> None:
    with closing(a_company(tmp_path, 3)) as clones:
        clones[0].write(created(T), noted(T, SECRET))
        sync_all(clones)
        target = f"{clone_id_of(clones[0])}:3"
        first, second = planned(clones[0], target, "one reason"), planned(clones[1], target, "another reason")
        redact(clones[0], target, "one reason")
        redact(clones[1], target, "another reason")
        sync_all(clones)
        standing = min(first, second, key=lambda each: each.kept).reason
        for one in clones:
            (line,) = [line for _, line in ledger_lines(one) if b'"redacted":' in line]
            assert codec.decode(line).redacted == standing
            assert_sound(one)


def test_a_fresh_clone_that_never_saw_the_original_accepts_it_and_writes_on(tmp_path: Path) -> None:
    clones = a_company(tmp_path, 2)
    clones[0].write(created(T), noted(T, SECRET), noted(T, "kept"))
    redact(clones[0], f"{clone_id_of(clones[0])}:3")
    clones[0].sync()
    with closing(clones):
        clones[1].sync()
        clones[1].write(noted(T, "from here"))
        sync_all(clones)
        assert sorted(notes(clones[0])) == sorted(notes(clones[1])) == ["from here", "kept"]
        assert_sound(clones[1])


def test_a_redacted_line_without_the_event_that_says_so_is_refused_and_put_back(tmp_path: Path) -> None:
    clones = [*a_company(tmp_path, 2)]
    clones[0].write(created(T), noted(T, "not for taking"), noted(T, "kept"))
    sync_all(clones)
    forge(tmp_path / "hub0.git", clones[0], "nobody said so")
    fresh = a_store(tmp_path, "fresh")
    git(fresh.folder, "remote", "add", "origin", str(tmp_path / "hub0.git"))
    with closing([*clones, fresh]):
        tip = clones[1].tip
        with pytest.raises(SyncRefused) as refused:
            clones[1].sync()
        assert refused.value.details["events"] == (f"{clone_id_of(clones[0])}:4",)
        assert clones[1].tip == tip
        fresh.pull()
        (left,) = fresh.store.view().quarantined()
        assert (left.event, left.count) == (f"{clone_id_of(clones[0])}:3", 2)
        assert redaction.UNANNOUNCED in left.reason
        git(tmp_path / "hub0.git", "update-ref", f"refs/heads/{BRANCH}", tip)
        redact(clones[0], f"{clone_id_of(clones[0])}:3", "now somebody does")
        clones[0].sync()
        fresh.pull()
        assert fresh.store.view().quarantined() == ()
        assert notes(fresh) == ("kept",)


def test_an_original_that_is_here_stands_against_a_made_up_line_of_its_digest(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        me = clone_id_of(one)
        one.write(created(T), noted(T, "a"), noted(T, "b"))
        objects = one.store.governed.repository.objects
        lines = union.lines_of(objects, one.tree, me)
        forged = [*lines[:2], codec.redacted(lines[2], "made up").replace(b"human:jane", b"human:mallory"), lines[3]]
        root = with_lines(one, forged)
        assert union.unite(objects, one.tree, root) == {}
        assert union.unite(objects, root, one.tree) == union.segments(me, lines, forged)


def test_events_of_leases_and_their_authority_and_redactions_stay(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        me = clone_id_of(one)
        one.write(created(T), noted(T, SECRET))
        with pytest.raises(RedactionRefused):
            planned(one, f"{me}:1")
        redact(one, f"{me}:3")
        with pytest.raises(RedactionRefused):
            planned(one, f"{me}:4")
        line = union.lines_of(one.store.governed.repository.objects, one.tree, me)[0]
        data = EventRedacted(
            event=f"{me}:1", digest=codec.digest_of(line), kept=codec.digest_of(line), reason="by another program"
        )
        one.write(Draft(subject=data.event, data=data))
        assert one.store.view().authority() is not None
        assert_sound(one)


def test_both_forms_that_a_pull_by_plain_git_kept_are_one_event_again(tmp_path: Path) -> None:
    clones = a_company(tmp_path, 2)
    me = clone_id_of(clones[0]) if clones else ""
    clones[0].write(created(T), noted(T, SECRET), noted(T, f"{SECRET} again"), noted(T, "kept"))
    with closing(clones):
        sync_all(clones)
        clones[0].write(noted(T, "later"))
        for number in (3, 4):
            redact(clones[1], f"{me}:{number}")
        clones[1].sync()
        git(clones[0].mount, "pull", "-q", "--no-edit", "--no-rebase", "origin", BRANCH)
        clones[0].write(noted(T, "after the pull"))
        assert notes(clones[0]) == ("kept", "later", "after the pull")
        assert clones[0].store.view().quarantined() == ()
        sync_all(clones)
        assert SECRET.encode() not in everything(clones[0])
        assert_sound(clones[0])


def test_segments_are_cut_anew_alike_in_every_clone(tmp_path: Path) -> None:
    clones = a_company(tmp_path, 2)
    me = clone_id_of(clones[0])
    clones[0].write(created(T))
    for number in range(24):
        clones[0].write(noted(T, f"{number} " + "x" * 8000))
    with closing(clones):
        sync_all(clones)
        assert len(segments(clones[0])) == 3
        redact(clones[1], f"{me}:5")
        clones[0].write(noted(T, "last"))
        sync_all(clones)
        assert len(notes(clones[0])) == 24
        for one in clones:
            assert_sound(one)


def test_a_text_that_later_edits_left_behind_goes_from_a_document(tmp_path: Path) -> None:
    with closing([a_governed_store(tmp_path)]) as (one,):
        me = clone_id_of(one)
        for text in ("## A\n\none\n", f"## A\n\n{SECRET}\n", "## A\n\ntwo\n"):
            base = one.store.view().document("CONSTITUTION.md")
            one.write(
                Draft(subject="CONSTITUTION.md", data=DocumentEdited(base=base.digest if base else "0" * 64, text=text))
            )
        redact(one, f"{me}:3")
        document = one.store.view().document("CONSTITUTION.md")
        assert document is not None
        assert (document.text, document.conflicts) == ("## A\n\ntwo\n", ())
        assert SECRET.encode() not in everything(one)


def test_clones_that_redact_much_at_once_converge(tmp_path: Path) -> None:
    rng = random.Random(5)
    clones = a_company(tmp_path, 4)
    with closing(clones):
        clones[0].write(created(T))
        for number in range(12):
            clones[rng.randrange(4)].write(noted(T, f"note {number}"))
            clones[rng.randrange(4)].sync()
        sync_all(clones)
        names = [f"{writer}:{codec.decode(line).seq}" for writer, line in ledger_lines(clones[0])]
        for one in clones:
            for name in rng.sample(names, 2):
                if name.endswith(":1"):
                    continue
                redact(one, name, f"by {one.folder.name}")
        sync_all(clones)
        for one in clones:
            assert_sound(one)


def segments(one: Clone) -> list[str]:
    names = git(one.folder, "ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    return [name for name in names if name.endswith(".jsonl")]


def with_lines(one: Clone, lines: list[bytes]) -> Oid:
    """Store the clone's tree with other lines of its own chain and return it."""
    objects = one.store.governed.repository.objects
    me = clone_id_of(one)
    data = b"".join(line + b"\n" for line in lines)
    blob = objects.write([("blob", data)])[0]
    spliced = tree.splice(objects, one.tree, {layout.segment_path(me, 1): blob})
    objects.write([("tree", each) for each in spliced.trees])
    return spliced.root


def forge(hub: Path, one: Clone, reason: str) -> None:
    """Let the hub hold a redacted line that no event announces."""
    me = clone_id_of(one)
    lines = union.lines_of(one.store.governed.repository.objects, one.tree, me)
    root = with_lines(one, [*lines[:2], codec.redacted(lines[2], reason), *lines[3:]])
    commit = git(one.folder, "commit-tree", str(root), "-p", BRANCH, "-m", "by hand")
    git(one.folder, "push", "-q", str(hub), f"+{commit}:refs/heads/{BRANCH}")
