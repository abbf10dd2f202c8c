"""The `openstack` command (python-openstackclient) against Baton."""

import json
import uuid

import pytest

from fake_keystone import ACCOUNTS
from support.cloud import run, unauthenticated
from support.samples import digest_of, unique


@pytest.fixture
def openstack(keystone_cloud):
    """Runs `openstack image …` and parses its output."""
    return lambda *words, **options: shown(keystone_cloud, *words, **options)


def shown(cloud, *words, **options):
    is_json = words[0] in ("create", "show", "list")
    text = cloud.run("openstack", "image", *words, *(["-f", "json"] if is_json else []), **options)
    return json.loads(text) if is_json and options.get("succeeds", True) else text


@pytest.fixture
def image(openstack, upload):
    """An uploaded image."""
    file, _ = upload
    made = openstack("create", unique("image"), "--file", file, "--disk-format", "raw", "--container-format", "bare")
    yield made
    openstack("delete", made["id"])


def test_an_image_without_data_is_queued_listed_and_deleted(openstack):
    name = unique("queued")
    made = openstack("create", name, "--disk-format", "qcow2", "--container-format", "bare", "--min-disk", "3")
    assert (made["status"], made["name"], made["min_disk"]) == ("queued", name, 3)
    assert made["id"] in [each["ID"] for each in openstack("list")]
    assert [each["ID"] for each in openstack("list", "--name", name)] == [made["id"]]
    openstack("delete", name)
    assert made["id"] not in [each["ID"] for each in openstack("list")]
    openstack("show", made["id"], succeeds=False)


def test_an_upload_is_active_with_size_and_digests(openstack, image, upload):
    _, data = upload
    found = openstack("show", image["id"])
    assert (found["status"], found["size"], found["checksum"]) == ("active", data.size, data.digest("md5"))
    algorithm = found["properties"]["os_hash_algo"]
    assert found["properties"]["os_hash_value"] == data.digest(algorithm)


def test_an_upload_is_downloaded(openstack, image, upload, place):
    openstack("save", "--file", place / "download", image["id"])
    assert digest_of(place / "download") == upload[1].digest()


def test_properties_name_and_tags_are_set_and_unset(openstack, image):
    name = unique("renamed")
    openstack("set", "--name", name, "--property", "os_distro=debian", "--property", "os_version=12", "--tag", "lts", image["id"])
    found = openstack("show", name)
    assert (found["id"], found["tags"]) == (image["id"], ["lts"])
    assert (found["properties"]["os_distro"], found["properties"]["os_version"]) == ("debian", "12")
    openstack("unset", "--property", "os_distro", "--tag", "lts", image["id"])
    found = openstack("show", image["id"])
    assert "os_distro" not in found["properties"] and found["tags"] == []


def test_a_protected_image_is_not_deleted(openstack, image):
    openstack("set", "--protected", image["id"])
    openstack("delete", image["id"], succeeds=False)
    openstack("set", "--unprotected", image["id"])


def test_lists_are_filtered_and_sorted(openstack, image):
    tag = unique("tag")
    openstack("set", "--tag", tag, image["id"])
    assert [each["ID"] for each in openstack("list", "--tag", tag)] == [image["id"]]
    assert image["id"] in [each["ID"] for each in openstack("list", "--status", "active", "--sort", "size:desc")]
    assert len(openstack("list", "--limit", "1")) == 1


def test_an_unknown_image_is_reported(openstack):
    assert "No Image found" in openstack("show", str(uuid.uuid4()), succeeds=False)


def test_a_deactivated_image_is_not_downloaded(keystone_cloud, upload, place):
    made = shown(
        keystone_cloud, "create", unique("off"), "--file", upload[0], "--disk-format", "raw", "--container-format", "bare")
    shown(keystone_cloud, "set", "--deactivate", made["id"], user="admin")
    assert shown(keystone_cloud, "show", made["id"])["status"] == "deactivated"
    shown(keystone_cloud, "save", "--file", place / "refused", made["id"], succeeds=False)
    shown(keystone_cloud, "set", "--activate", made["id"], user="admin")
    shown(keystone_cloud, "save", "--file", place / "download", made["id"])
    assert digest_of(place / "download") == upload[1].digest()


def test_a_shared_image_is_seen_by_the_project_that_accepted_it(keystone_cloud, upload, place):
    other = ACCOUNTS["alt"].project_id
    made = shown(
        keystone_cloud, "create", unique("shared"), "--shared", "--file", upload[0], "--disk-format", "raw", "--container-format", "bare")
    shown(keystone_cloud, "show", made["id"], user="alt", succeeds=False)
    shown(keystone_cloud, "add", "project", made["id"], other)
    assert other in shown(keystone_cloud, "member", "list", made["id"])
    shown(keystone_cloud, "set", "--accept", made["id"], user="alt")
    assert made["id"] in [each["ID"] for each in shown(keystone_cloud, "list", "--shared", user="alt")]
    shown(keystone_cloud, "save", "--file", place / "download", made["id"], user="alt")
    assert digest_of(place / "download") == upload[1].digest()
    shown(keystone_cloud, "remove", "project", made["id"], other)
    shown(keystone_cloud, "show", made["id"], user="alt", succeeds=False)


def test_no_login_is_needed_with_auth_mode_none(open_cloud, upload, place):
    made = shown(
        open_cloud, "create", unique("open"), "--file", upload[0], "--disk-format", "raw", "--container-format", "bare")
    assert made["id"] in [each["ID"] for each in shown(open_cloud, "list")]
    shown(open_cloud, "save", "--file", place / "download", made["id"])
    assert digest_of(place / "download") == upload[1].digest()
    shown(open_cloud, "delete", made["id"])


def test_a_caller_without_a_login_is_refused_by_keystone_mode(keystone_cloud):
    environment = unauthenticated("openstack", keystone_cloud.baton.endpoint)
    assert "401" in run(environment, "openstack", "image", "list", succeeds=False)
