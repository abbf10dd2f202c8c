"""OpenStack's clients follow a redirect to a location and verify what they read there.

Neither client has an option for `direct=true`: the tests add it to the request for the data and change nothing else."""

import subprocess
import urllib.request

import pytest
from openstack import exceptions

from support.direct import asked_for_direct
from support.samples import MEBIBYTE, digest_of, sample, unique
from support.service import clean_environment
from support.waiting import wait_until


@pytest.fixture(scope="module")
def image():
    return sample(3 * MEBIBYTE, seed=29)


@pytest.fixture
def direct(cloud, image):
    """An image whose only location is at the nginx and has been verified: its name there and its id."""
    name = unique("direct")
    with cloud.sdk() as connection:
        sdk = connection.image
        made = sdk.create_image(name, disk_format="raw", container_format="bare", visibility="private")
        sdk.add_image_location(
            made, cloud.web.put(name, image.data),
            validation_data={"os_hash_algo": "sha512", "os_hash_value": image.digest("sha512")})
        wait_until("the redirection", lambda: sent_to(sdk, made.id))
        yield name, made.id
        sdk.delete_image(made)


def sent_to(sdk, id):
    """The target of the server's redirect; None when the server streams."""
    return sdk.head(f"/images/{id}/file?direct=true", redirect=False).headers.get("Location")


def readers(cloud, name):
    """The user agents that have requested an object from the nginx, the latest last."""
    lines = [line for line in (cloud.web.home / "access.log").read_text().splitlines() if f"/{name} " in line]
    return [line.split('"')[5] for line in lines]


def is_baton(agent):
    """Whether a request came from the server and not from a client."""
    return agent.startswith("baton/")


def with_glanceclient(cloud, id, target):
    glance = cloud.glance()
    asked_for_direct(glance.http_client)
    with open(target, "wb") as file:
        for piece in glance.images.data(id):
            file.write(piece)


def with_openstacksdk(cloud, id, target):
    with cloud.sdk() as connection:
        asked_for_direct(connection.image)
        with open(target, "wb") as file:
            connection.image.download_image(id, output=file)


CLIENTS = {"glanceclient": with_glanceclient, "openstacksdk": with_openstacksdk}


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS.keys())
def download(request):
    return request.param


def test_clients_follow_the_redirect_and_verify(cloud, direct, image, download, place):
    name, id = direct
    download(cloud, id, place / "download")
    assert digest_of(place / "download") == image.digest()
    wait_until("the client at the nginx", lambda: not is_baton(readers(cloud, name)[-1]))


def test_clients_detect_bytes_that_changed_at_the_location(cloud, direct, image, download, place):
    name, id = direct
    wrong = bytearray(image.data)
    wrong[MEBIBYTE] ^= 1
    cloud.web.put(name, bytes(wrong))
    with pytest.raises((OSError, exceptions.SDKException)):
        download(cloud, id, place / "download")


def test_an_untrusted_caller_gets_the_stream(keystone_cloud, image, download, place):
    name = unique("streamed")
    with keystone_cloud.sdk("alt") as connection:
        sdk = connection.image
        made = sdk.create_image(name, disk_format="raw", container_format="bare")
        sdk.add_image_location(
            made, keystone_cloud.web.put(name, image.data),
            validation_data={"os_hash_algo": "sha512", "os_hash_value": image.digest("sha512")})
        wait_until("the image's activation", lambda: sdk.get_image(made).status == "active")
        answer = sdk.get(f"/images/{made.id}/file?direct=true", redirect=False)
        assert (answer.status_code, answer.headers["Baton-Direct"]) == (200, "none; reason=not-trusted")
        assert answer.content == image.data
        assert all(is_baton(reader) for reader in readers(keystone_cloud, name))
        sdk.delete_image(made)


def test_curl_and_urllib_read_the_listed_urls(open_cloud, image, place):
    baton, web = open_cloud.baton, open_cloud.web
    name = unique("listed")
    _, made = baton.ask("POST", "/v2/images", {"name": name, "disk_format": "raw", "container_format": "bare"})
    status, _ = baton.ask("POST", f"/baton/v1/images/{made['id']}/locations", {
        "url": web.put(name, image.data), "size": image.size, "digests": {"sha256": image.digest()}})
    assert status == 201
    # A whole download verifies its only location.
    with urllib.request.urlopen(f"{baton.endpoint}/v2/images/{made['id']}/file", timeout=30) as answer:
        assert answer.read() == image.data

    def listed():
        _, listing = baton.ask("GET", f"/baton/v1/images/{made['id']}/direct")
        return listing["locations"] and listing

    listing = wait_until("the verification", listed)
    assert listing["digests"]["sha256"] == image.digest() and listing["size"] == image.size
    [location] = listing["locations"]
    assert (location["url"], location["backend"], location["expires"]) == (web.url + name, "web", None)
    with urllib.request.urlopen(location["url"], timeout=30) as answer:
        assert answer.read() == image.data
    source = f"{baton.endpoint}/v2/images/{made['id']}/file?direct=true"
    for words, expected in [([], image.data), (["--range", "1000000-1999999"], image.data[1000000:2000000])]:
        target = place / "curl"
        subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", "--location", "--output", str(target), *words, source], check=True,
            timeout=60, env=clean_environment())
        assert target.read_bytes() == expected
    wait_until("curl at the nginx", lambda: readers(open_cloud, name)[-1].startswith("curl/"))
