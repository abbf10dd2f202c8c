"""The direct URLs of a real store: its own clients read them, and it refuses altered and expired ones."""

import hashlib
import subprocess
import urllib.parse

import pytest
import requests
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from swiftclient import client

from support.baton import Baton
from support.cloud import unauthenticated_glance, unauthenticated_sdk
from support.direct import asked_for_direct
from support.samples import MEBIBYTE, sample
from support.service import clean_environment
from support.openstack_swift import OpenStackSwift
from support.waiting import wait_until

NAME = "images/a b+c%.raw"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    swift = OpenStackSwift(tmp_path_factory.mktemp("swift"))
    yield swift
    swift.stop()


@pytest.fixture(scope="module")
def image(store):
    image = sample(3 * MEBIBYTE, seed=31)
    store.put(NAME, image.data)
    return image


def serve(home, store, image, **sections):
    """Starts Baton with a verified image that the store has under both protocols; returns Baton and the image's id."""
    baton = Baton(home, store.backends(), **sections)
    _, made = baton.ask("POST", "/v2/images", {"disk_format": "raw", "container_format": "bare"})
    for scheme, backend in [("swift", "swift"), ("s3", "bucket")]:
        status, location = baton.ask("POST", f"/baton/v1/images/{made['id']}/locations", {
            "url": f"{scheme}://{backend}/{urllib.parse.quote(NAME)}", "size": image.size,
            "digests": {"sha256": image.digest()}})
        assert status == 201, location
        baton.ask("POST", f"/baton/v1/locations/{location['id']}/verify", {"reason": "a test"})
    wait_until("two verified locations", lambda: len(direct(baton, made["id"])) == 2)
    return baton, made["id"]


def direct(baton, id):
    """The direct URLs of an image by backend."""
    _, answer = baton.ask("GET", f"/baton/v1/images/{id}/direct")
    return {place["backend"]: place["url"] for place in answer["locations"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory, store, image):
    baton, id = serve(tmp_path_factory.mktemp("baton"), store, image)
    yield baton, id
    baton.stop()


def with_curl(url):
    done = subprocess.run(
        ["curl", "--silent", "--fail", "--path-as-is", url], capture_output=True, timeout=60, env=clean_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_boto3(url):
    """Uses boto3's HTTP session, since boto3 has no function for a URL that another program presigned."""
    answer = URLLib3Session().send(AWSRequest("GET", url).prepare())
    assert answer.status_code == 200, answer.content
    return answer.content


def with_swiftclient(url):
    parts = urllib.parse.urlsplit(url)
    version, account, container, name = urllib.parse.unquote(parts.path).lstrip("/").split("/", 3)
    _, data = client.get_object(
        f"{parts.scheme}://{parts.netloc}/{version}/{account}", "", container, name, query_string=parts.query)
    return data


@pytest.mark.parametrize("backend, read", [
    ("swift", with_curl), ("swift", with_boto3), ("swift", with_swiftclient), ("bucket", with_curl), ("bucket", with_boto3)])
def test_each_client_reads_the_url_of_each_protocol(served, image, backend, read):
    baton, id = served
    assert hashlib.sha256(read(direct(baton, id)[backend])).hexdigest() == image.digest()


@pytest.mark.parametrize("backend", ["swift", "bucket"])
def test_the_response_has_the_type_that_glanceclient_streams(served, image, backend):
    baton, id = served
    answer = requests.get(direct(baton, id)[backend], headers={"X-Auth-Token": "the-callers"}, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert hashlib.sha256(answer.content).hexdigest() == image.digest()


@pytest.mark.parametrize("backend", ["swift", "bucket"])
def test_an_altered_url_is_refused(served, backend):
    baton, id = served
    url = direct(baton, id)[backend]
    for altered in [url.replace(urllib.parse.quote(NAME), "images/another"), url[:-1] + ("0" if url[-1] != "0" else "1")]:
        assert altered != url
        assert requests.get(altered, timeout=60).status_code in (401, 403)


@pytest.mark.parametrize("backend", ["swift", "bucket"])
def test_an_expired_url_is_refused(tmp_path, store, image, backend):
    baton, id = serve(tmp_path / "baton", store, image, direct={"lifetime": "1s"})
    try:
        url = direct(baton, id)[backend]
        wait_until("the refusal of the expired URL", lambda: requests.get(url, timeout=60).status_code in (401, 403))
    finally:
        baton.stop()


def only_from(baton, id, backend):
    """Enables the image's location on one backend and disables its others."""
    _, answer = baton.ask("GET", f"/baton/v1/images/{id}/locations")
    for location in answer["locations"]:
        word = "enable" if location["backend"] == backend else "disable"
        baton.ask("POST", f"/baton/v1/locations/{location['id']}/{word}", {"reason": "a test"})


@pytest.mark.parametrize("backend", ["swift", "bucket"])
def test_glanceclient_and_openstacksdk_follow_the_redirect_and_verify(served, image, backend, tmp_path):
    baton, id = served
    only_from(baton, id, backend)
    wait_until("the only direct URL", lambda: list(direct(baton, id)) == [backend])
    glance = unauthenticated_glance(baton.endpoint)
    asked_for_direct(glance.http_client)
    assert hashlib.sha256(b"".join(glance.images.data(id))).hexdigest() == image.digest()
    with unauthenticated_sdk(baton.endpoint) as connection:
        asked_for_direct(connection.image)
        connection.image.download_image(id, output=str(tmp_path / "image"))
    assert hashlib.sha256((tmp_path / "image").read_bytes()).hexdigest() == image.digest()
    # No byte came through Baton, which would have logged the download.
    assert not [record for record in baton.log() if record.get("event") == "download.finished"]
