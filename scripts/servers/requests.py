"""Requests to the real servers of the tests."""

import json
import time
import urllib.error
import urllib.request

from servers.processes import is_gone


def ask(url, method, token=None, body=None, headers=None):
    """Sends a request; returns the response's JSON, if any, and its header fields."""
    headers = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {}), **(headers or {})}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        text = answer.read()
        return json.loads(text) if text.startswith(b"{") else {}, answer.headers


def ask_until_ready(pids, *arguments, **options):
    """Repeats a request while a server does not listen yet or is not ready, as long as all processes run."""
    while True:
        try:
            return ask(*arguments, **options)
        except OSError as error:
            ended = [server for server, pid in pids.items() if is_gone(pid)]
            is_early = error.code == 503 if isinstance(error, urllib.error.HTTPError) else True
            if ended or not is_early:
                raise RuntimeError(f"{arguments[1]} {arguments[0]}: {error}; ended: {', '.join(ended) or 'none'}") from error
            time.sleep(0.1)
