"""The selection of tempest's tests, and how to run them: configuration, accounts and runner for a new directory."""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys

from fake_keystone import ACCOUNTS
from support.service import clean_environment

HERE = pathlib.Path(__file__).resolve().parent

# The Images API v2 without import, metadata definitions, the cache, and tests that need Nova or Cinder.
SELECTION = (
    r"tempest\.api\.image\.v2\.(test_versions\.|test_images\.(BasicOperationsImagesTest|ListUserImagesTest|ListSharedImagesTest"
    r"|ImageLocationsTest|LocationImportTest|MultistoreLocationImportTest|HashCalculationRemoteDeletionTest)\."
    r"|test_images_negative\.ImagesNegativeTest|test_images_tags|test_images_member"
    r"|admin\.test_images\.(BasicOperationsImagesAdminTest|ImageLocationsAdminTest)\.)")

CONFIGURATION = """\
[DEFAULT]
log_dir = {home}
log_file = tempest.log
debug = true
[auth]
use_dynamic_credentials = false
test_accounts_file = {home}/accounts.yaml
[oslo_concurrency]
lock_path = {home}/locks
[identity]
uri_v3 = {keystone}
auth_version = v3
region = RegionOne
[service_available]
glance = true
nova = false
neutron = false
cinder = false
swift = false
horizon = false
[image]
http_image = {image}
container_formats = bare
disk_formats = raw,qcow2
build_interval = 1
build_timeout = 30
hashing_algorithm = {hashing}
[image-feature-enabled]
import_image = false
manage_locations = true
http_store_enabled = true
do_secure_hash = true
image_format_enforcement = false
os_glance_reserved = true
"""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of one test: ok, skip or fail, and the reason of the last two."""

    result: str
    reason: str = ""


def prepare(home: pathlib.Path, keystone_url, image_url, hashing="sha512"):
    """Writes tempest's configuration and accounts."""
    home.mkdir(parents=True, exist_ok=True)
    accounts = [
        {
            "username": each.name, "password": each.password, "project_name": each.project, "domain_name": "Default",
            "user_domain_name": "Default", "project_domain_name": "Default", "roles": [each.role],
        }
        for each in ACCOUNTS.values() if each.role != "service"]
    (home / "accounts.yaml").write_text(json.dumps(accounts, indent=2))
    (home / "tempest.conf").write_text(CONFIGURATION.format(home=home, keystone=keystone_url, image=image_url, hashing=hashing))


def tests():
    """The names of the selected tests, which do not depend on the configuration."""
    return [line for line in _runner("--list").stdout.splitlines() if re.match(SELECTION, line)]


def run(home: pathlib.Path, names, deadline=280):
    """Runs tests one after another; returns the outcomes by name."""
    done = _runner(*names, cwd=home, timeout=deadline, TEMPEST_CONFIG_DIR=str(home), TEMPEST_CONFIG="tempest.conf")
    (home / "run.txt").write_text(done.stdout + done.stderr)
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    outcomes = {}
    for name in names:
        # A failure or skip of a whole class is reported under the name of the class.
        report = next((each for each in reports if each["test"] in (name, name.rpartition(".")[0])), None)
        outcomes[name] = Outcome(report["result"], report["reason"]) if report else Outcome("fail", "it was not run")
    return outcomes


def _runner(*words, timeout=120, cwd=None, **additions):
    done = subprocess.run(
        [sys.executable, HERE / "tempest_runner.py", *words], capture_output=True, text=True, timeout=timeout, cwd=cwd,
        env=clean_environment(**additions))
    assert done.returncode == 0, f"tempest cannot be run: {done.stderr[-2000:]}"
    return done
