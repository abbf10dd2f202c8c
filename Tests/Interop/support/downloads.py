"""Downloads by each client, as library and as command, each with a progress callback."""

import subprocess

from support.cloud import COMMANDS, unauthenticated, unauthenticated_glance, unauthenticated_sdk
from support.waiting import wait_until


def with_glanceclient(endpoint, image, target, on_progress):
    with open(target, "wb") as file:
        for piece in unauthenticated_glance(endpoint).images.data(image):
            file.write(piece)
            on_progress(file.tell())


def with_openstacksdk(endpoint, image, target, on_progress):
    answer = unauthenticated_sdk(endpoint).image.download_image(image, stream=True)
    with open(target, "wb") as file:
        for piece in answer.iter_content(1 << 16):
            file.write(piece)
            on_progress(file.tell())


def with_glance_command(endpoint, image, target, on_progress):
    _with_command(endpoint, ["glance", "image-download", "--file", target, image], target, on_progress)


def with_openstack_command(endpoint, image, target, on_progress):
    _with_command(
        endpoint, ["openstack", "image", "save", "--chunk-size", "65536", "--file", target, image], target, on_progress)


def _with_command(endpoint, words, target, on_progress):
    process = subprocess.Popen(
        [str(COMMANDS / words[0]), *map(str, words[1:])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=unauthenticated(words[0], endpoint))

    def ended():
        if target.exists():
            on_progress(target.stat().st_size)
        return process.poll() is not None

    try:
        wait_until(f"the end of {words[0]}", ended, deadline=90)
    finally:
        process.kill()
        said, _ = process.communicate()
    if process.returncode != 0:
        raise DownloadFailed(f"exit {process.returncode}: {said.decode(errors='replace')}")


class DownloadFailed(Exception):
    """A download command failed."""


CLIENTS = {
    "glanceclient": with_glanceclient,
    "openstacksdk": with_openstacksdk,
    "glance command": with_glance_command,
    "openstack command": with_openstack_command,
}
