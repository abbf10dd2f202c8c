"""aria2c downloads with Baton's Metalink documents, verifies the pieces, and replaces wrong ones."""

import hashlib

import pytest

from support.metalink import MEDIA_TYPE, aria2c, described, document, with_pieces
from support.pair import Pair
from support.samples import MEBIBYTE, digest_of, sample, unique
from support.waiting import wait_until


@pytest.fixture(scope="module")
def image():
    """Six chunks, of which the last is short."""
    return sample(5 * MEBIBYTE + 4711, seed=37)


@pytest.fixture
def hidden(place):
    """Two servers whose URLs are not in Metalink documents."""
    pair = Pair(place)
    yield pair
    pair.stop()


@pytest.fixture
def listed(place):
    """Two servers whose URLs are in the Metalink documents of trusted clients, as all clients are here."""
    # The first is slow enough for the second to be used, too.
    pair = Pair(place, pace=4 * MEBIBYTE, redirect=True)
    yield pair
    pair.stop()


@pytest.fixture
def target(place):
    target = place / "downloads"
    target.mkdir()
    return target


def verified(pair, image, name="image"):
    """Registers the image, has both of its locations read in full, and returns its id."""
    id = pair.add(image, name)
    pair.verify(id)
    return id


def has_read(origin):
    """Whether aria2c has sent a request to a server."""
    return "aria2/" in (origin.home / "access.log").read_text()


def own(pair, id):
    return f"{pair.endpoint}/v2/images/{id}/file?disk_format=raw&container_format=bare&metalink=false"


def test_the_document_conforms_to_rfc_5854(listed, image):
    id = verified(listed, image)
    listed.baton.ask("PATCH", f"/v2/images/{id}", [{"op": "replace", "path": "/name", "value": "../<a&b>\"c\"'d'\n\u20ac"}],
                      {"Content-Type": "application/openstack-images-v2.1-json-patch"})
    told = described(with_pieces(listed.baton, id))
    assert told.name == "__a&b__c_'d'_\u20ac"
    assert told.size == image.size
    assert told.digests == {
        "sha-256": image.digest(), "sha-512": image.digest("sha512"), "md5": image.digest("md5")}
    assert told.urls == [listed.north.url + "image", listed.south.url + "image", own(listed, id)]
    assert told.piece_length == MEBIBYTE
    assert told.pieces == [
        hashlib.sha256(image.data[start:start + MEBIBYTE]).hexdigest() for start in range(0, image.size, MEBIBYTE)]


def test_aria2c_downloads_from_baton_and_verifies_each_piece(hidden, image, target):
    id = verified(hidden, image)
    text = with_pieces(hidden.baton, id)
    assert described(text).urls == [own(hidden, id)]
    status, log = aria2c(target, "--metalink-file=-", given=text)
    assert status == 0, log
    assert digest_of(target / "image") == image.digest()
    # With a wrong digest of one piece the download fails: aria2c does verify.
    wrong = text.replace(described(text).pieces[3].encode(), b"0" * 64)
    (target / "image").unlink()
    status, log = aria2c(target, "--metalink-file=-", "--max-tries=2", given=wrong)
    assert status != 0 and "index=3" in log, log


@pytest.mark.parametrize("words, query", [([], "?metalink=true"), ([f"--header=Accept: {MEDIA_TYPE}"], "")])
def test_one_command_requests_the_document_and_downloads(hidden, image, target, words, query):
    id = verified(hidden, image)
    with_pieces(hidden.baton, id)
    status, log = aria2c(
        target, "--follow-metalink=mem", *words, f"{hidden.endpoint}/v2/images/{id}/file{query}")
    assert status == 0, log
    assert digest_of(target / "image") == image.digest()
    assert [file.name for file in target.iterdir() if file.suffix != ".log"] == ["image"]


def test_aria2c_gets_the_bytes_by_default(hidden, image, target):
    id = hidden.add(image)
    status, log = aria2c(target, f"{hidden.endpoint}/v2/images/{id}/file")
    assert status == 0, log
    assert digest_of(target / "file") == image.digest()


def test_aria2c_reads_from_the_locations(listed, image, target):
    id = verified(listed, image)
    text = with_pieces(listed.baton, id)
    status, log = aria2c(
        target, "--metalink-file=-", "--split=2", "--max-connection-per-server=1", "--min-split-size=1M",
        "--uri-selector=inorder", given=text)
    assert status == 0, log
    assert digest_of(target / "image") == image.digest()
    for origin in [listed.north, listed.south]:
        wait_until("aria2c in the log of each", lambda: has_read(origin))
    assert "GET /v2/" not in log


def test_a_wrong_piece_of_one_location_is_replaced(listed, image, target):
    id = verified(listed, image)
    text = with_pieces(listed.baton, id)
    listed.corrupt_north()
    status, log = aria2c(
        target, "--metalink-file=-", "--split=1", "--max-tries=1", "--uri-selector=inorder", given=text)
    assert log.count("Chunk checksum validation failed. checksumIndex=2,") == 1, log
    assert status == 0, log
    assert digest_of(target / "image") == image.digest()
    wait_until("aria2c at south", lambda: has_read(listed.south))


def test_an_untrusted_caller_gets_only_batons_url_and_sends_a_token(keystone_cloud, image, target):
    name = unique("metalink")
    with keystone_cloud.sdk("alt") as connection:
        sdk = connection.image
        made = sdk.create_image(name, disk_format="raw", container_format="bare")
        sdk.add_image_location(
            made, keystone_cloud.web.put(name, image.data),
            validation_data={"os_hash_algo": "sha512", "os_hash_value": image.digest("sha512")})
        wait_until("the image's activation", lambda: sdk.get_image(made).status == "active")
        token = connection.session.get_token()
        text = document(keystone_cloud.baton, made.id, token)
        assert [url.split("/v2/")[0] for url in described(text).urls] == [keystone_cloud.baton.endpoint]
        status, log = aria2c(target, "--metalink-file=-", f"--header=X-Auth-Token: {token}", given=text)
        assert status == 0, log
        assert digest_of(target / name) == image.digest()
        status, _ = aria2c(target, "--metalink-file=-", "--allow-overwrite=true", "--out=other", given=text)
        assert status != 0
        sdk.delete_image(made)
