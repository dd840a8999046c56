"""Run a command, and write down what it cost: ``measured FILE COMMAND...``.

A process of its own, and a small one: the memory that the system counts of a child begins with that of whoever
started it, and whoever measures is larger than some of what is measured.
"""

import json
import os
import sys
import time


def main():  # type: () -> int
    file, command = sys.argv[1], sys.argv[2:]
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    # It counts the child and every descendant that was waited for.
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    # Linux counts in KiB, others in bytes.
    peak = usage.ru_maxrss * (1024 if os.uname().sysname == "Linux" else 1) / 1e6
    with open(file, "w") as stream:
        json.dump({"cpu": usage.ru_utime + usage.ru_stime, "wall": wall, "peak": peak}, stream)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
