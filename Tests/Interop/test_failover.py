"""Every client gets the exact image while one of its two locations fails."""

import pytest
import requests

from support.downloads import CLIENTS, DownloadFailed
from support.pair import Pair
from support.samples import MEBIBYTE, digest_of, sample


def nothing(_):
    """A progress callback that does nothing."""


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS.keys())
def download(request):
    return request.param


@pytest.fixture
def pair(place):
    """Two origins, of which the first sends 8 MiB/s: slow enough to be killed in mid-stream."""
    pair = Pair(place, pace=8 * MEBIBYTE)
    yield pair
    pair.stop()


@pytest.fixture
def fast_pair(place):
    pair = Pair(place)
    yield pair
    pair.stop()


def test_killing_the_serving_origin_in_mid_stream_completes_the_download(download, pair, place):
    image = sample(24 * MEBIBYTE, seed=1)
    id = pair.add(image)
    target = place / "download"

    def kill_north(received):
        if received > 3 * MEBIBYTE and pair.north.service.runs:
            pair.north.kill()

    download(pair.endpoint, id, target, kill_north)
    assert not pair.north.service.runs, "the download was over before north could be killed"
    assert digest_of(target) == image.digest()
    pair.assert_moved(id)


def test_a_dead_first_location_costs_the_client_nothing(download, fast_pair, place):
    image = sample(4 * MEBIBYTE, seed=2)
    id = fast_pair.add(image)
    fast_pair.north.kill()
    download(fast_pair.endpoint, id, place / "download", nothing)
    assert digest_of(place / "download") == image.digest()


def test_a_first_location_without_the_object_costs_the_client_nothing(download, fast_pair, place):
    image = sample(4 * MEBIBYTE, seed=3)
    id = fast_pair.add(image)
    (fast_pair.north.root / "image").unlink()
    download(fast_pair.endpoint, id, place / "download", nothing)
    assert digest_of(place / "download") == image.digest()


def test_a_corrupt_first_location_of_a_small_image_costs_the_client_nothing(download, fast_pair, place):
    image = sample(MEBIBYTE // 2, seed=4)
    id = fast_pair.add(image)
    fast_pair.corrupt_north()
    download(fast_pair.endpoint, id, place / "download", nothing)
    assert digest_of(place / "download") == image.digest()


def test_a_corrupt_download_of_a_large_image_fails_and_the_next_succeeds(download, fast_pair, place):
    image = sample(8 * MEBIBYTE, seed=5)
    id = fast_pair.add(image)
    fast_pair.corrupt_north()
    with pytest.raises((DownloadFailed, requests.RequestException)):
        download(fast_pair.endpoint, id, place / "first", nothing)
    assert fast_pair.baton.relay(id)["outcome"] == "digest-mismatch"
    # The failed location is a suspect now, and the other one is tried first.
    download(fast_pair.endpoint, id, place / "second", nothing)
    assert digest_of(place / "second") == image.digest()
