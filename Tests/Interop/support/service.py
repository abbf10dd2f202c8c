"""Processes that a test starts, and stops by process id."""

import os
import pathlib
import signal
import socket
import subprocess


def free_port():
    """A port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(**additions):
    """The environment without proxies and without the variables of OpenStack's clients."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_") and "proxy" not in name.lower()}
    return {**kept, "no_proxy": "127.0.0.1", **additions}


class Service:
    """One process with its output in files."""

    def __init__(self, command, directory: pathlib.Path, name: str):
        self.name = name
        self.output = directory / f"{name}.out"
        self.errors = directory / f"{name}.err"
        with open(self.output, "wb") as output, open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=clean_environment())

    @property
    def pid(self):
        return self.process.pid

    @property
    def runs(self):
        return self.process.poll() is None

    def kill(self):
        """Kills it with all its connections, as a crash would."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Stops it gracefully if it still runs."""
        if not self.runs:
            return
        os.kill(self.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()

    def said(self):
        """Its output so far, for error messages."""
        return self.output.read_text(errors="replace") + self.errors.read_text(errors="replace")
