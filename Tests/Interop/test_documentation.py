"""The commands of docs/openstack.md do what the page says."""

import os
import re
import signal
import subprocess

from support.baton import PROGRAM, ROOT
from support.cloud import COMMANDS
from support.service import clean_environment, free_port

PAGE = ROOT / "docs/openstack.md"
# The ports on the page are the usual ones; here they may be taken.
PORTS = ["9292", "9001", "9002"]


def commands():
    """All blocks that are marked as shell commands, as one script."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    script = "set -euo pipefail\n" + "\n".join(blocks)
    for port in PORTS:
        script = script.replace(f":{port}", f":{free_port()}")
    return script


def test_every_command_of_the_page_works(place):
    (place / "page.sh").write_text(commands())
    path = ":".join([str(PROGRAM.parent), str(COMMANDS), "/usr/sbin", os.environ["PATH"]])
    terminal, keyboard = os.openpty()
    # A process group of its own, to end what the page leaves running: Baton and nginx.
    process = subprocess.Popen(
        ["bash", "page.sh"], cwd=place, stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=clean_environment(PATH=path), start_new_session=True)
    os.close(keyboard)
    try:
        process.wait(timeout=120)
    finally:
        if (place / "nginx.pid").exists():
            os.kill(int((place / "nginx.pid").read_text()), signal.SIGTERM)
        os.killpg(process.pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        os.close(terminal)
    assert process.returncode == 0, said
    assert "active" in said and (place / "copy.raw").stat().st_size == 32 << 20
