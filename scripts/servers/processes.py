"""Child processes of the scripts that start real servers for the tests."""

import os
import pathlib
import signal
import subprocess
import sys
import time


def run(*command, **options):
    """Runs a command to its end, and prints its output if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {' '.join(map(str, command))} failed, see above")


def end(pid):
    """Sends SIGTERM, and SIGKILL after five seconds, since a test runner may start its children with signals blocked."""
    deadline = time.monotonic() + 5
    number = signal.SIGTERM
    try:
        while not is_gone(pid):
            os.kill(pid, number)
            time.sleep(0.05)
            if time.monotonic() > deadline:
                number = signal.SIGKILL
    except ProcessLookupError:
        pass


def is_gone(pid):
    """Whether a process has exited, even if it has not been reaped yet."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"
