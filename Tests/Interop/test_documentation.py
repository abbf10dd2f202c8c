"""The commands in docs/openstack.md work as the page says."""

import contextlib
import json
import os
import re
import signal
import subprocess

import openstack
import pytest

from support.baton import PROGRAM, ROOT, Baton
from support.cloud import COMMANDS
from support.samples import MEBIBYTE, sample
from support.service import clean_environment, free_port

PAGE = ROOT / "docs/openstack.md"
KEYSTONE = ROOT / "scripts/keystone"
# The default ports on the page, which may be taken here.
PORTS = ["9292", "9001", "9002"]


def commands(language, replacements):
    """All blocks in a language of the page, as one script."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    script = "set -euo pipefail\n" + "\n".join(blocks)
    for old, new in replacements.items():
        script = script.replace(old, new)
    return script


def run(script, place):
    """Runs a script as at a terminal, and ends the processes that it leaves running: Baton and nginx."""
    (place / "page.sh").write_text(script)
    path = ":".join([str(PROGRAM.parent), str(COMMANDS), "/usr/sbin", os.environ["PATH"]])
    terminal, keyboard = os.openpty()
    with open(place / "page.out", "w") as output:
        process = subprocess.Popen(
            ["bash", "page.sh"], cwd=place, stdin=keyboard, stdout=output, stderr=subprocess.STDOUT,
            env=clean_environment(PATH=path), start_new_session=True)
    os.close(keyboard)
    try:
        process.wait(timeout=120)
    finally:
        if (place / "nginx.pid").exists():
            os.kill(int((place / "nginx.pid").read_text()), signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        os.close(terminal)
    said = (place / "page.out").read_text()
    assert process.returncode == 0, said
    return said


def test_every_command_of_the_page_works(place):
    said = run(commands("sh", {f":{port}": f":{free_port()}" for port in PORTS}), place)
    assert (place / "copy.raw").stat().st_size == 32 << 20
    assert "active" in said and "south" in said


@pytest.fixture
def real_keystone(place):
    """A real Keystone with the users that the page names and with itself in its catalog, as in a cloud."""
    home = place / "keystone"
    subprocess.run([KEYSTONE, "start", home], check=True, env=clean_environment())
    try:
        url = json.loads((home / "keystone.json").read_text())["url"]
        with openstack.connect(
            load_yaml_config=False, load_envvars=False, region_name="RegionOne", identity_endpoint_override=f"{url}/v3", auth={
                "auth_url": f"{url}/v3", "username": "admin", "password": "admin-password", "project_name": "admin",
                "user_domain_name": "Default", "project_domain_name": "Default"}) as admin:
            admin.identity.create_region(id="RegionOne")
            service = admin.identity.create_service(type="identity", name="keystone")
            admin.identity.create_endpoint(service_id=service.id, interface="public", region_id="RegionOne", url=url)
        yield url
    finally:
        subprocess.run([KEYSTONE, "stop", home], check=True, env=clean_environment())


def test_every_command_of_the_page_works_with_a_real_keystone(real_keystone, place):
    (place / "uploads").mkdir()
    (place / "debian.raw").write_bytes(sample(4 * MEBIBYTE, seed=21).data)
    baton = Baton(
        place / "baton", {"disk": {"driver": "file", "root": str(place / "uploads")}}, uploads={"backend": "disk"},
        auth={"mode": "keystone", "keystone": {"url": real_keystone}})
    try:
        run(commands("sh keystone", {
            "https://keystone.example:5000": real_keystone, "https://images.example:9292": baton.endpoint}), place)
    finally:
        baton.stop()
