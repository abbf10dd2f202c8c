"""Child processes of the programs that start real servers for the tests."""

import os
import pathlib
import signal
import subprocess
import sys
import time


def run(*command, **options):
    """Runs a command to its end; what it printed is shown when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {' '.join(map(str, command))} failed, see above")


def end(pid):
    """SIGTERM, and after five seconds SIGKILL: a test runner may start its children with signals blocked."""
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
    """Whether it has ended, be it that nobody took note of it yet."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"
