"""Processes are recognised by more than their number, and what cannot be seen is unknown."""

import os
import subprocess
import sys

import msgspec
import pytest

from exo_sidecar.host import ancestry
from exo_sidecar.host.ancestry import ProcessFacts

ANSWER = "from exo_sidecar.host import ancestry; a = ancestry.agent_ancestor(); print(a.pid if a else 'none')"


def facts_of_this() -> ProcessFacts:
    answer = (
        "import msgspec, sys; from exo_sidecar.host import ancestry; "
        "sys.stdout.buffer.write(msgspec.json.encode(ancestry.ancestors()[0]))"
    )
    out = subprocess.run([sys.executable, "-c", answer], capture_output=True, check=True).stdout
    return msgspec.json.decode(out, type=ProcessFacts)


def test_the_parent_is_the_first_ancestor_and_lives() -> None:
    facts = facts_of_this()
    assert facts.pid == os.getpid()
    assert ancestry.liveness(facts) == "alive"


def test_a_process_that_ended_is_dead_even_while_it_waits_to_be_counted() -> None:
    code = "import os, sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    seen = ancestry._look(child.pid)
    assert seen is not None
    facts = msgspec.structs.replace(facts_of_this(), pid=child.pid, started=seen.started)
    assert ancestry.liveness(facts) == "alive"
    child.kill()
    child.wait()
    assert ancestry.liveness(facts) == "dead"
    if child.stdin:
        child.stdin.close()


def test_a_number_that_came_round_is_another_process() -> None:
    facts = msgspec.structs.replace(facts_of_this(), started=1)
    assert ancestry.liveness(facts) == "dead"


@pytest.mark.parametrize("change", [{"boot_id": "another"}, {"namespace": "pid:[1]"}])
def test_of_another_boot_or_namespace_nothing_is_known(change: dict[str, str]) -> None:
    facts = msgspec.structs.replace(facts_of_this(), started=1, **change)
    assert ancestry.liveness(facts) == "unknown"


def test_shells_and_wrappers_are_passed_over() -> None:
    line = f"env sh -c '{sys.executable} -c \"{ANSWER}\"; true'; true"
    out = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(os.getpid())


def test_this_program_itself_is_passed_over() -> None:
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ANSWER!r}], check=True)"
    argv = [sys.executable, "-c", outer, "exo_sidecar"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(os.getpid())


def test_a_process_is_the_same_whatever_it_calls_itself() -> None:
    facts = facts_of_this()
    assert ancestry.is_same(facts, msgspec.structs.replace(facts, name="other"))
    assert not ancestry.is_same(facts, msgspec.structs.replace(facts, started=facts.started + 1))


def test_both_ways_of_looking_agree_on_parent_and_name() -> None:
    quick, slow = ancestry._look(os.getpid()), ancestry._look_through_psutil(os.getpid())
    assert quick is not None
    assert slow is not None
    assert (quick.parent, quick.words) == (slow.parent, slow.words)
