"""usage: python alone.py PROGRAM [ARGUMENT ...] | runs a program to its end and prints, as JSON, what it took.

A system counts towards a child's peak of memory what its parent held when the child began. So what is measured starts
from a process that holds hardly anything, never from the benchmarks themselves, which may just have made much input.
"""

import json
import os
import subprocess
import sys
import time


def main(argv: list[str]) -> int:
    """Run `argv`; a program's own processor time and peak include those of the programs that it waited for."""
    began = time.perf_counter()
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = (time.perf_counter() - began) * 1000
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    found = {
        "exit": process.returncode,
        "out": out.decode(errors="replace"),
        "used": {"ms": took, "processor_ms": (usage.ru_utime + usage.ru_stime) * 1000, "mib": kib / 1024},
    }
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
