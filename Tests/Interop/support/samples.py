"""Test images."""

import dataclasses
import hashlib
import random
import uuid

MEBIBYTE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Sample:
    """An image's bytes and their digests."""

    data: bytes

    @property
    def size(self):
        return len(self.data)

    def digest(self, algorithm="sha256"):
        return hashlib.new(algorithm, self.data).hexdigest()

    @property
    def validation(self):
        """Glance's validation_data."""
        return {"os_hash_algo": "sha512", "os_hash_value": self.digest("sha512"), "checksum": self.digest("md5")}


def sample(size, seed):
    """The same bytes for the same size and seed, so that a failure can be reproduced."""
    return Sample(random.Random(seed).randbytes(size))


def unique(name):
    """A name that no other test uses: openstacksdk refuses to create a second image of the same name."""
    return f"{name}-{uuid.uuid4()}"


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
