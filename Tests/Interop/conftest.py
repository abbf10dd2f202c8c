"""Fixtures that the tests of OpenStack's clients share. All servers listen on loopback and end with the test."""

import pytest

from support.cloud import Cloud
from support.samples import MEBIBYTE, sample

# Tests that may be skipped, each with its reason. Any other skip fails the run.
ALLOWED_SKIPS = {}


@pytest.fixture(scope="session")
def open_cloud(tmp_path_factory):
    """Baton with uploads and without authentication."""
    yield from _cloud(tmp_path_factory, "none")


@pytest.fixture(scope="session")
def keystone_cloud(tmp_path_factory):
    """Baton with uploads and Keystone."""
    yield from _cloud(tmp_path_factory, "keystone")


@pytest.fixture(params=["open_cloud", "keystone_cloud"])
def cloud(request):
    """Each of the two clouds in turn."""
    return request.getfixturevalue(request.param)


def _cloud(tmp_path_factory, auth):
    home = readable(tmp_path_factory.mktemp(auth))
    cloud = Cloud(home, auth)
    yield cloud
    cloud.stop()


def readable(directory):
    """Makes a directory of pytest, which other users cannot read, readable for nginx, which runs as another user."""
    for each in [directory, *directory.parents[:2]]:
        each.chmod(0o755)
    return directory


@pytest.fixture
def upload(place):
    """A file of 3 MiB and its sample: longer than the tail that Baton holds back, and still quick."""
    image = sample(3 * MEBIBYTE, seed=11)
    file = place / "upload.raw"
    file.write_bytes(image.data)
    return file, image


@pytest.fixture
def place(tmp_path):
    """A directory that servers of another user can read."""
    return readable(tmp_path)


def pytest_sessionfinish(session, exitstatus):
    """Counts skipped tests as failures unless ALLOWED_SKIPS lists them."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = {report.nodeid for report in reporter.stats.get("skipped", [])} if reporter else set()
    unknown = sorted(skipped - ALLOWED_SKIPS.keys())
    if unknown and exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"\nSkipped without a reason in ALLOWED_SKIPS: {', '.join(unknown)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
