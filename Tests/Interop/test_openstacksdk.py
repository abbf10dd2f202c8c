"""openstacksdk against Baton."""

import uuid

import pytest
from openstack import exceptions

from fake_keystone import ACCOUNTS
from support.samples import digest_of, unique
from support.waiting import wait_until


@pytest.fixture
def sdk(cloud):
    with cloud.sdk() as connection:
        yield connection.image


@pytest.fixture
def image(sdk, upload):
    """An uploaded image."""
    made = sdk.create_image(
        unique("image"), filename=str(upload[0]), disk_format="raw", container_format="bare", wait=True)
    yield made
    sdk.delete_image(made)


def test_an_upload_is_found_shown_and_downloaded(sdk, image, upload, place):
    _, data = upload
    found = sdk.find_image(image.name)
    assert (found.id, found.status, found.size, found.checksum) == (image.id, "active", data.size, data.digest("md5"))
    assert found.hash_value == data.digest(found.hash_algo)
    with open(place / "download", "wb") as file:
        sdk.download_image(image, output=file)
    assert digest_of(place / "download") == data.digest()


def test_an_upload_of_the_same_data_is_not_repeated(sdk, upload):
    name = unique("same")
    made = [
        sdk.create_image(name, filename=str(upload[0]), disk_format="raw", container_format="bare", validate_checksum=True)
        for _ in range(2)]
    assert made[0].id == made[1].id
    sdk.delete_image(made[0])


def test_properties_and_tags_are_set(sdk, image):
    sdk.update_image(image, name="renamed", os_distro="debian")
    sdk.add_tag(image, "lts")
    found = sdk.get_image(image)
    assert (found.name, found.os_distro, found.tags) == ("renamed", "debian", ["lts"])
    sdk.remove_tag(image, "lts")
    assert sdk.get_image(image).tags == []


def test_lists_are_filtered_and_paged(sdk):
    tag = unique("tag")
    made = [
        sdk.create_image(f"{tag}-{number}", tags=[tag], disk_format="raw", container_format="bare") for number in range(3)]
    assert {each.id for each in sdk.images(tag=tag, limit=2)} == {each.id for each in made}
    assert [each.name for each in sdk.images(tag=tag, sort="name:desc")] == [f"{tag}-{number}" for number in (2, 1, 0)]
    for each in made:
        sdk.delete_image(each)


def test_schemas_are_served(sdk):
    assert sdk.get_image_schema().name == "image"
    assert sdk.get_images_schema().name == "images"
    assert sdk.get_member_schema().name == "member"
    assert sdk.get_members_schema().name == "members"


def test_unknown_images_raise_the_sdks_error(sdk):
    assert sdk.find_image(str(uuid.uuid4())) is None
    with pytest.raises(exceptions.NotFoundException):
        sdk.get_image(str(uuid.uuid4()))


def test_a_location_is_added_and_served(cloud, upload, place):
    _, data = upload
    with cloud.sdk() as connection:
        sdk = connection.image
        image = sdk.create_image(unique("located"), disk_format="raw", container_format="bare")
        sdk.add_image_location(
            image, cloud.web.put("sdk.raw", data.data),
            validation_data={"os_hash_algo": "sha512", "os_hash_value": data.digest("sha512")})
        wait_until("the image's activation", lambda: sdk.get_image(image).status == "active")
        with open(place / "download", "wb") as file:
            sdk.download_image(image, output=file)
        assert digest_of(place / "download") == data.digest()
        sdk.delete_image(image)


def test_a_location_without_a_digest_gets_one_from_a_full_read(cloud, upload):
    _, data = upload
    with cloud.sdk() as connection:
        sdk = connection.image
        image = sdk.create_image(unique("unhashed"), disk_format="raw", container_format="bare")
        sdk.add_image_location(image, cloud.web.put("unhashed.raw", data.data))
        found = wait_until(
            "the image's digest", lambda: (now := sdk.get_image(image)).status == "active" and now.hash_value and now)
        assert (found.hash_value, found.size) == (data.digest(found.hash_algo), data.size)
        sdk.delete_image(image)


def test_services_see_the_locations_of_an_image(keystone_cloud, upload):
    _, data = upload
    url = keystone_cloud.web.put("seen.raw", data.data)
    with keystone_cloud.sdk() as mine, keystone_cloud.sdk("baton") as service:
        image = mine.image.create_image(unique("seen"), disk_format="raw", container_format="bare", visibility="community")
        mine.image.add_image_location(
            image, url, validation_data={"os_hash_algo": "sha512", "os_hash_value": data.digest("sha512")})
        wait_until("the image's activation", lambda: mine.image.get_image(image).status == "active")
        assert [each.url for each in service.image.image_locations(image)] == [url]
        with pytest.raises(exceptions.ForbiddenException):
            list(mine.image.image_locations(image))


def test_deactivation_forbids_the_download(keystone_cloud, upload):
    with keystone_cloud.sdk() as mine, keystone_cloud.sdk("admin") as admin:
        image = mine.image.create_image(
            unique("off"), filename=str(upload[0]), disk_format="raw", container_format="bare", wait=True)
        admin.image.deactivate_image(image)
        assert mine.image.get_image(image).status == "deactivated"
        assert mine.image.get(f"/images/{image.id}/file").status_code == 403
        admin.image.reactivate_image(image)
        assert mine.image.download_image(image).content == upload[1].data


def test_members_are_added_accept_and_are_removed(keystone_cloud, upload):
    other = ACCOUNTS["alt"].project_id
    with keystone_cloud.sdk() as mine, keystone_cloud.sdk("alt") as theirs:
        image = mine.image.create_image(
            unique("shared"), filename=str(upload[0]), disk_format="raw", container_format="bare", wait=True)
        mine.image.add_member(image, member_id=other)
        theirs.image.update_member(other, image, status="accepted")
        assert [each.status for each in mine.image.members(image)] == ["accepted"]
        assert theirs.image.download_image(image).content == upload[1].data
        mine.image.remove_member(other, image)
        with pytest.raises(exceptions.NotFoundException):
            theirs.image.get_image(image.id)
