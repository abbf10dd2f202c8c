"""Virtual environments for the real servers of the tests."""

import contextlib
import fcntl
import shutil
import sys

from servers.processes import run


@contextlib.contextmanager
def locked(folder):
    """Locks a folder, so that two runs of the tests do not make the same environment at once."""
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment(environment, pins, notice):
    """Makes a virtual environment with the packages in a file of pins, unless it exists and the pins have not changed."""
    marker = environment / "pins"
    if marker.exists() and marker.read_text() == pins.read_text():
        return
    print(f"setup: {notice}", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    run(sys.executable, "-m", "venv", environment)
    run(environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins)
    marker.write_text(pins.read_text())
