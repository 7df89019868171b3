"""Programs end: by themselves, at their time limit, or when they say too much."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from exo_sidecar.host import process
from exo_sidecar.host.process import Command, OutputTooLarge, ProgramMissing
from exo_sidecar.model.errors import TimedOut


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_answers_on_both_streams_and_with_its_status(tmp_path: Path) -> None:
    code = "import sys; print('out' * 50000); print('err' * 50000, file=sys.stderr); sys.exit(3)"
    ran = process.run(python(code), cwd=tmp_path, environ=os.environ)
    assert ran.status == 3
    assert len(ran.stdout) == 150_001
    assert len(ran.stderr) == 150_001


def test_a_program_sees_only_the_environment_that_it_is_given(tmp_path: Path) -> None:
    ran = process.run(python("import os; print(os.environ.get('HOME'), os.getcwd())"), cwd=tmp_path, environ={"X": "1"})
    assert ran.stdout.decode().split() == ["None", str(tmp_path)]


def test_a_program_past_its_time_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(TimedOut, match="time limit"):
        process.run(python(code), cwd=tmp_path, environ=os.environ, timeout_seconds=1.0)
    assert mark.exists()
    deadline = time.monotonic() + 5
    while _runs(int(mark.read_text())):
        assert time.monotonic() < deadline


def test_a_program_that_closes_its_output_and_goes_on_is_killed_too(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(TimedOut):
        process.run(python(code), cwd=tmp_path, environ=os.environ, timeout_seconds=0.5)
    assert time.monotonic() - began < 10


def test_output_past_its_limit_ends_the_program(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(OutputTooLarge, match="more than 1000000 bytes"):
        process.run(python(code), cwd=tmp_path, environ=os.environ, output_max_bytes=1_000_000)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match="no-such-program"):
        process.run(["no-such-program"], cwd=tmp_path, environ=os.environ)


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def test_programs_started_together_wait_for_one_another_and_are_told_apart(tmp_path: Path) -> None:
    code = "import sys, time; print(time.monotonic()); sys.exit(int(sys.argv[1]))"
    commands = [Command(tmp_path, (*python(code), str(number))) for number in range(3)]
    before = time.monotonic()
    ran = process.run_together(commands, environ=os.environ)
    assert [each.status for each in ran] == [0, 1, 2]
    assert all(before < float(each.stdout) < time.monotonic() for each in ran)


def test_none_of_several_programs_outlives_the_time_limit(tmp_path: Path) -> None:
    commands = [Command(tmp_path, ("true",)), Command(tmp_path, ("sleep", "60"))]
    began = time.monotonic()
    with pytest.raises(TimedOut):
        process.run_together(commands, environ=os.environ, timeout_seconds=0.5)
    assert time.monotonic() - began < 10


def test_no_programs_are_no_answers() -> None:
    assert process.run_together([], environ=os.environ) == ()


def test_a_detached_program_is_nobodys_child_and_keeps_no_stream_of_ours(tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = (
        "import os, sys; from pathlib import Path; import time\n"
        "parent = int(sys.argv[2])\n"
        "while os.getppid() == parent: time.sleep(0.01)\n"
        "group = os.getpgid(0) != int(sys.argv[3])\n"
        "streams = {os.path.realpath(f'/dev/fd/{n}') == '/dev/null' for n in (0, 1, 2)}\n"
        "Path(sys.argv[1] + '.new').write_text(f'{group} {os.environ.get(\"HOME\")} {streams}')\n"
        "os.replace(sys.argv[1] + '.new', sys.argv[1])\n"
    )
    words = [*python(code), str(told), str(os.getpid()), str(os.getpgid(0))]
    process.start_detached(words, environ={"PATH": os.environ["PATH"]})
    deadline = time.monotonic() + 20
    while not told.exists():
        assert time.monotonic() < deadline
    assert told.read_text() == "True None {True}"


def test_a_detached_program_without_a_shell_is_refused() -> None:
    with pytest.raises(ProgramMissing):
        process.start_detached(["true"], environ={"PATH": "/nowhere"})


def supervised(folder: Path, code: str, *, timeout_seconds: float = 30.0, keep_bytes: int = 1000) -> process.Supervised:
    """Run a line of Python that somebody else wrote."""
    return process.supervise(
        Command(folder, (sys.executable, "-c", code)),
        environ=os.environ,
        timeout_seconds=timeout_seconds,
        keep_bytes=keep_bytes,
        tick=lambda _: None,
    )


def test_of_a_talkative_program_the_last_words_are_kept(tmp_path: Path) -> None:
    found = supervised(
        tmp_path, "import sys; print('x' * 500_000, flush=True); print('end', file=sys.stderr); sys.exit(4)"
    )
    assert (found.status, len(found.output)) == (4, 1000)
    assert found.output.endswith(b"end\n")


def test_a_program_without_children_of_its_own_waits_for_none(tmp_path: Path) -> None:
    code = (
        "import os, signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, flush=True)\nos.wait()"
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run behind nohup ignore it
    try:
        found = supervised(tmp_path, code)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.output.startswith(b"True\n")
    assert b"ChildProcessError" in found.output


def test_a_program_that_closes_its_streams_is_waited_for(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(7)"
    assert supervised(tmp_path, code).status == 7


def test_a_program_that_takes_too_long_has_no_status(tmp_path: Path) -> None:
    found = supervised(tmp_path, "import time; print('up', flush=True); time.sleep(60)", timeout_seconds=0.5)
    assert (found.status, found.output) == (None, b"up\n")
