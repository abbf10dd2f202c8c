"""python-glanceclient as a library against Baton."""

import uuid

import pytest
from glanceclient import exc

from fake_keystone import ACCOUNTS
from support.samples import unique
from support.waiting import wait_until


@pytest.fixture
def glance(cloud):
    return cloud.glance()


@pytest.fixture
def image(glance):
    """An image without data."""
    made = glance.images.create(name=unique("image"), disk_format="raw", container_format="bare")
    yield made
    glance.images.delete(made.id)


@pytest.fixture
def uploaded(glance, image, upload):
    glance.images.upload(image.id, upload[0].open("rb"))
    return glance.images.get(image.id)


def contents(glance, id):
    return b"".join(glance.images.data(id))


def test_an_image_without_data_downloads_nothing(glance, image):
    assert image.status == "queued"
    assert glance.images.data(image.id).wrapped is None


def test_an_upload_is_downloaded_and_its_digest_checked_by_the_client(glance, uploaded, upload):
    _, data = upload
    assert (uploaded.status, uploaded.size, uploaded.checksum) == ("active", data.size, data.digest("md5"))
    assert uploaded.os_hash_value == data.digest(uploaded.os_hash_algo)
    assert contents(glance, uploaded.id) == data.data


def test_a_second_upload_is_a_conflict(glance, uploaded, upload):
    with pytest.raises(exc.HTTPConflict):
        glance.images.upload(uploaded.id, upload[0].open("rb"))


def test_properties_and_tags_are_set_and_removed(glance, image):
    glance.images.update(image.id, os_distro="debian", name="renamed")
    glance.image_tags.update(image.id, "lts")
    found = glance.images.get(image.id)
    assert (found.os_distro, found.name, found.tags) == ("debian", "renamed", ["lts"])
    glance.images.update(image.id, remove_props=["os_distro"])
    glance.image_tags.delete(image.id, "lts")
    found = glance.images.get(image.id)
    assert "os_distro" not in found and found.tags == []


def test_lists_are_filtered_and_paged(glance):
    tag = unique("tag")
    made = [
        glance.images.create(name=f"listed-{number}", disk_format="raw", container_format="bare", tags=[tag]).id
        for number in range(5)]
    assert {each.id for each in glance.images.list(filters={"tag": [tag]}, page_size=2)} == set(made)
    by_name = [each.name for each in glance.images.list(filters={"tag": [tag]}, sort="name:desc")]
    assert by_name == [f"listed-{number}" for number in (4, 3, 2, 1, 0)]
    for id in made:
        glance.images.delete(id)


def test_unknown_images_and_bad_formats_raise_the_clients_errors(glance):
    with pytest.raises(exc.HTTPNotFound):
        glance.images.get(str(uuid.uuid4()))
    with pytest.raises(exc.HTTPNotFound):
        glance.images.data(str(uuid.uuid4()))
    with pytest.raises(exc.HTTPBadRequest):
        glance.http_client.post("/v2/images", data={"disk_format": "wrong", "container_format": "bare"})


def test_every_response_has_a_request_id(glance, image):
    assert glance.images.get(image.id).request_ids[0].startswith("req-")


def test_locations_are_added_and_removed(cloud, upload):
    _, data = upload
    glance = cloud.glance("admin")
    url = cloud.web.put("library.raw", data.data)
    id = glance.images.create(name="located", disk_format="raw", container_format="bare").id
    glance.images.add_location(id, url, {"zone": "a"}, validation_data=data.validation)
    found = glance.images.add_location(id, f"{url}#second", {}, validation_data=data.validation)
    assert found.status == "active" and [each["url"] for each in found.locations] == [url, f"{url}#second"]
    assert (found.checksum, found.os_hash_algo, found.os_hash_value) == (data.digest("md5"), "sha512", data.digest("sha512"))
    assert contents(glance, id) == data.data
    glance.images.delete_locations(id, {url})
    assert [each["url"] for each in glance.images.get(id).locations] == [f"{url}#second"]
    with pytest.raises(exc.HTTPForbidden):
        glance.images.delete_locations(id, {f"{url}#second"})
    glance.images.delete(id)


def test_a_location_added_by_the_new_call_is_hashed_in_the_background(cloud, upload):
    _, data = upload
    glance = cloud.glance()
    id = glance.images.create(name="new call", disk_format="raw", container_format="bare").id
    glance.images.add_image_location(
        id, cloud.web.put("new-call.raw", data.data), {"os_hash_algo": "sha256", "os_hash_value": data.digest()})
    found = wait_until("the image's activation", lambda: (now := glance.images.get(id)).status == "active" and now)
    assert (found.os_hash_algo, found.os_hash_value, found.size) == ("sha256", data.digest(), data.size)
    assert contents(glance, id) == data.data
    glance.images.delete(id)


def test_a_location_with_the_wrong_digest_never_becomes_active(cloud, upload):
    _, data = upload
    glance = cloud.glance()
    id = glance.images.create(name="wrong digest", disk_format="raw", container_format="bare").id
    glance.images.add_image_location(
        id, cloud.web.put("wrong.raw", data.data), {"os_hash_algo": "sha256", "os_hash_value": "ab" * 32})

    def failed():
        tasks = glance.http_client.get(f"/v2/images/{id}/tasks")[1]["tasks"]
        return [each for each in tasks if each["status"] == "failure"]

    wait_until("the task's failure", failed)
    assert glance.images.get(id).status == "queued"
    glance.images.delete(id)


def test_members_and_visibility(keystone_cloud, upload):
    other = ACCOUNTS["alt"].project_id
    mine, theirs = keystone_cloud.glance(), keystone_cloud.glance("alt")
    made = mine.images.create(name="shared", disk_format="raw", container_format="bare")
    mine.images.upload(made.id, upload[0].open("rb"))
    with pytest.raises(exc.HTTPNotFound):
        theirs.images.get(made.id)
    mine.image_members.create(made.id, other)
    assert made.id not in [each.id for each in theirs.images.list()]
    theirs.image_members.update(made.id, other, "accepted")
    assert made.id in [each.id for each in theirs.images.list()]
    assert [each.status for each in mine.image_members.list(made.id)] == ["accepted"]
    assert contents(theirs, made.id) == upload[1].data
    with pytest.raises((exc.HTTPForbidden, exc.HTTPNotFound)):
        theirs.images.update(made.id, name="not mine")
    mine.image_members.delete(made.id, other)
    with pytest.raises(exc.HTTPNotFound):
        theirs.images.get(made.id)


def test_a_reader_can_download_but_not_change(keystone_cloud, upload):
    # Glance requires the role member for a download; Baton requires the role reader.
    mine, reader = keystone_cloud.glance(), keystone_cloud.glance("project_reader")
    made = mine.images.create(name="readable", disk_format="raw", container_format="bare", visibility="private")
    mine.images.upload(made.id, upload[0].open("rb"))
    assert contents(reader, made.id) == upload[1].data
    with pytest.raises(exc.HTTPForbidden):
        reader.images.update(made.id, name="changed")
    with pytest.raises(exc.HTTPForbidden):
        reader.images.create(name="new", disk_format="raw", container_format="bare")
    with pytest.raises(exc.HTTPForbidden):
        reader.images.delete(made.id)
