"""A running `baton serve` with its own configuration, catalog and log."""

import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

from support import openapi
from support.service import Service, clean_environment
from support.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = pathlib.Path(os.environ.get("BATON") or ROOT / ".build/debug/baton")


class Baton:
    """One server. `sections` are further sections of its configuration, by name (JSON is valid YAML)."""

    def __init__(self, home: pathlib.Path, backends: dict, **sections):
        home.mkdir(parents=True, exist_ok=True)
        assert PROGRAM.exists(), f"there is no {PROGRAM}: run swift build first, or name another in BATON"
        self.home = home
        configuration = {
            "server": {"listen": "127.0.0.1:0"},
            "catalog": f"sqlite:{home}/catalog.sqlite",
            "log": {"format": "json"},
            "relay": {"connect_timeout": "1s", "stall_timeout": "2s"},
            # Tests choose which location serves first.
            "selection": {"strategy": "ordered"},
            # Without background reads tests know which bytes were verified.
            "manifests": {"eager": False},
            **sections,
            "backends": backends,
        }
        file = home / "baton.yaml"
        file.write_text(json.dumps(configuration, indent=2))
        self.service = Service([PROGRAM, "serve", "--config", file], home, "baton")
        wait_until("Baton's address", self.address)
        self.endpoint = self.address()

    def address(self):
        """The endpoint, once the server has printed it."""
        assert self.service.runs, f"baton exited: {self.service.said()}"
        words = self.service.output.read_text().split()
        return words[-1] if words and words[-1].startswith("http") else None

    def ask(self, method, path, body=None, headers=None):
        """Sends a JSON request; returns the status and the document, which docs/openapi.yaml must allow."""
        status, answer = self.send(method, path, body, headers)
        openapi.check(method, path, status, answer)
        return status, answer

    def send(self, method, path, body=None, headers=None):
        """Sends a JSON request; returns the status and the document of the response."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.endpoint + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as refusal:
            text = refusal.read()
            return refusal.code, json.loads(text) if text else None

    def command(self, *words, **environment):
        """Runs the `baton` command against this server and returns its output."""
        done = subprocess.run(
            [str(PROGRAM), *map(str, words)], capture_output=True, text=True, timeout=60,
            env=clean_environment(BATON_ENDPOINT=self.endpoint, **environment))
        assert done.returncode == 0, f"baton {' '.join(map(str, words))}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def log(self):
        """Its log so far, without a line that is still being written."""
        lines = self.service.errors.read_text(errors="replace").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def relay(self, image):
        """Waits for the log line of an image's download and returns it."""
        def lines():
            return [record for record in self.log() if record.get("event") == "download.finished" and record.get("image") == image]
        return wait_until(f"the log about the download of {image}", lines)[-1]

    def stop(self):
        self.service.stop()
