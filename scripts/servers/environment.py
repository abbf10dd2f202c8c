"""Virtual environments for the real servers of the tests."""

import contextlib
import fcntl
import shutil
import sys

from servers.processes import run


@contextlib.contextmanager
def locked(folder):
    """Two runs of the tests must not make the same thing."""
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment(environment, pins, notice):
    """Makes a virtual environment with what a file of pins names, unless it is there and the pins are the same."""
    marker = environment / "pins"
    if marker.exists() and marker.read_text() == pins.read_text():
        return
    print(f"setup: {notice}", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    run(sys.executable, "-m", "venv", environment)
    run(environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins)
    marker.write_text(pins.read_text())
