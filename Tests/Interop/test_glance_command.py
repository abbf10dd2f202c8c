"""The `glance` command (python-glanceclient) against Baton."""

import json

import pytest

from fake_keystone import ACCOUNTS
from support.samples import digest_of, unique

# Without this option the command breaks long values into lines.
WIDE = ["--max-column-width", "1000"]


def table(text):
    """The rows of a table of two columns, as a dictionary."""
    rows = [line.strip("| ").split("|", 1) for line in text.splitlines() if line.startswith("|")]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}


@pytest.fixture
def glance(keystone_cloud):
    return lambda *words, **options: keystone_cloud.run("glance", *words, **options)


@pytest.fixture
def image(glance, upload):
    """An uploaded image: its id."""
    file, _ = upload
    name = unique("image")
    made = table(glance("image-create", "--name", name, "--disk-format", "raw", "--container-format", "bare", "--file", file))
    yield made["id"]
    glance("image-delete", made["id"])


def test_an_upload_is_listed_shown_and_downloaded(glance, image, upload, place):
    _, data = upload
    assert image in glance("image-list")
    found = table(glance("image-show", *WIDE, image))
    assert (found["status"], found["size"], found["checksum"]) == ("active", str(data.size), data.digest("md5"))
    assert found["os_hash_value"] == data.digest(found["os_hash_algo"])
    glance("image-download", "--file", place / "download", image)
    assert digest_of(place / "download") == data.digest()


def test_an_image_is_created_empty_and_filled_later(glance, upload, place):
    file, data = upload
    id = table(glance("image-create", "--name", "later", "--disk-format", "raw", "--container-format", "bare"))["id"]
    assert table(glance("image-show", *WIDE, id))["status"] == "queued"
    glance("image-upload", "--file", file, id)
    glance("image-download", "--file", place / "download", id)
    assert digest_of(place / "download") == data.digest()
    glance("image-delete", id)
    glance("image-show", id, succeeds=False)


def test_properties_and_tags_are_set_and_removed(glance, image):
    glance("image-update", "--property", "os_distro=debian", "--name", "renamed", image)
    glance("image-tag-update", image, "lts")
    found = table(glance("image-show", *WIDE, image))
    assert (found["os_distro"], found["name"], found["tags"]) == ("debian", "renamed", '["lts"]')
    glance("image-update", "--remove-property", "os_distro", image)
    glance("image-tag-delete", image, "lts")
    found = table(glance("image-show", *WIDE, image))
    assert "os_distro" not in found and found["tags"] == "[]"


def test_locations_are_added_changed_and_removed(open_cloud, upload, place):
    _, data = upload
    url = open_cloud.web.put("command.raw", data.data)

    def glance(*words, **options):
        return open_cloud.run("glance", *words, **options)

    id = table(glance("image-create", "--name", "located", "--disk-format", "raw", "--container-format", "bare"))["id"]
    digests = [
        "--checksum", data.digest("md5"), "--hash-algo", "sha512", "--hash-value", data.digest("sha512")]
    glance("location-add", "--url", url, "--metadata", '{"zone": "a"}', *digests, id)
    glance("location-add", "--url", f"{url}#second", *digests, id)
    glance("location-update", "--url", url, "--metadata", '{"zone": "b"}', id)
    locations = json.loads(table(glance("image-show", *WIDE, id))["locations"])
    assert [(each["url"], each["metadata"]) for each in locations] == [(url, {"zone": "b"}), (f"{url}#second", {})]
    glance("image-download", "--file", place / "download", id)
    assert digest_of(place / "download") == data.digest()
    glance("location-delete", "--url", url, id)
    assert [each["url"] for each in json.loads(table(glance("image-show", *WIDE, id))["locations"])] == [f"{url}#second"]
    # The last one stays, as in Glance.
    glance("location-delete", "--url", f"{url}#second", id, succeeds=False)
    glance("image-delete", id)


def test_members_are_added_accept_and_are_removed(glance, upload):
    other = ACCOUNTS["alt"].project_id

    id = table(glance(
        "image-create", "--name", "shared", "--disk-format", "raw", "--container-format", "bare", "--file", upload[0]))["id"]
    glance("member-create", id, other)
    assert "pending" in glance("member-list", "--image-id", id)
    glance("member-update", id, other, "accepted", user="alt")
    assert "accepted" in glance("member-list", "--image-id", id)
    glance("image-show", id, user="alt")
    glance("member-delete", id, other)
    glance("image-show", id, user="alt", succeeds=False)


def test_deactivation_forbids_the_download(glance, upload, place):
    id = table(glance(
        "image-create", "--name", "off", "--disk-format", "raw", "--container-format", "bare", "--file", upload[0]))["id"]
    glance("image-deactivate", id, user="admin")
    assert "deactivated" in glance("image-download", "--file", place / "refused", id, succeeds=False)
    glance("image-reactivate", id, user="admin")
    glance("image-download", "--file", place / "download", id)
    assert digest_of(place / "download") == upload[1].digest()
