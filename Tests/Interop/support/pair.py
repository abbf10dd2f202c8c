"""An image on two nginx servers behind Baton: the smallest cloud in which one of them can fail."""

import json
import os
import pathlib

from support.baton import Baton
from support.nginx import Nginx
from support.samples import Sample


class Pair:
    """north comes first and is paced; south takes over. Nobody logs in."""

    def __init__(self, home: pathlib.Path, pace=0):
        self.home = home
        self.north = Nginx(home / "north", pace)
        self.south = Nginx(home / "south")
        self.baton = Baton(
            home / "baton",
            {"north": {"driver": "http", "url": self.north.url}, "south": {"driver": "http", "url": self.south.url}})
        self.endpoint = self.baton.endpoint

    def stop(self):
        self.baton.stop()
        self.north.stop()
        self.south.stop()

    def add(self, image: Sample, name="image"):
        """Registers an image with a location on each, north first, and returns its id."""
        _, made = self.baton.ask("POST", "/v2/images", {"name": name, "disk_format": "raw", "container_format": "bare"})
        for origin in [self.north, self.south]:
            status, location = self.baton.ask("POST", f"/baton/v1/images/{made['id']}/locations", {
                "url": origin.put(name, image.data), "size": image.size,
                "digests": {algorithm: image.digest(algorithm) for algorithm in ["sha256", "sha512", "md5"]}})
            assert (status, location["status"]) == (201, "active"), json.dumps(location)
        return made["id"]

    def corrupt_north(self, name="image"):
        """Changes one byte in the middle, and nothing that a server's answer would show."""
        path = self.north.root / name
        before = path.stat()
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        with open(path, "r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def assert_moved(self, image):
        """Both have served, the second from where the first ended, and the log says where the download moved."""
        relay = self.baton.relay(image)
        served = relay["served"]
        assert [part.split(" ")[0] for part in served] == ["north", "south"], served
        (_, end), (start, _) = (map(int, part.split(" ")[1].split("-")) for part in served)
        assert start == end + 1, served
        assert relay["moves"][0].startswith(f"north → south at byte {start} "), relay
