"""An image on two nginx servers behind Baton: the smallest setup in which one location can fail."""

import json
import os
import pathlib

from support.baton import Baton
from support.nginx import Nginx
from support.samples import Sample
from support.waiting import wait_until


class Pair:
    """north ranks first and is paced; south takes over. There is no authentication."""

    def __init__(self, home: pathlib.Path, pace=0, **options):
        """`options` are further keys of both backends."""
        self.home = home
        # Some clients, among them aria2, treat several ports of one host as one server.
        self.north = Nginx(home / "north", pace, address="127.0.0.2")
        self.south = Nginx(home / "south", address="127.0.0.3")
        self.baton = Baton(
            home / "baton",
            {
                "north": {"driver": "http", "url": self.north.url, **options},
                "south": {"driver": "http", "url": self.south.url, **options},
            })
        self.endpoint = self.baton.endpoint

    def stop(self):
        self.baton.stop()
        self.north.stop()
        self.south.stop()

    def add(self, image: Sample, name="image"):
        """Registers an image with a location on each server, north first, and returns its id."""
        _, made = self.baton.ask("POST", "/v2/images", {"name": name, "disk_format": "raw", "container_format": "bare"})
        for origin in [self.north, self.south]:
            status, location = self.baton.ask("POST", f"/baton/v1/images/{made['id']}/locations", {
                "url": origin.put(name, image.data), "size": image.size,
                "digests": {algorithm: image.digest(algorithm) for algorithm in ["sha256", "sha512", "md5"]}})
            assert (status, location["status"]) == (201, "active"), json.dumps(location)
        return made["id"]

    def verify(self, id):
        """Has each location of an image read in full."""
        def locations():
            return self.baton.ask("GET", f"/baton/v1/images/{id}/locations")[1]["locations"]

        for location in locations():
            status, answer = self.baton.ask("POST", f"/baton/v1/locations/{location['id']}/verify", {"reason": "a test"})
            assert status == 202, answer
        wait_until("the verification of both locations", lambda: all(
            location["verified_at"] and location["status"] == "active" for location in locations()))

    def corrupt_north(self, name="image"):
        """Changes one byte in the middle without a change in the server's response head."""
        path = self.north.root / name
        before = path.stat()
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        with open(path, "r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def assert_moved(self, image):
        """Asserts that both have served, the second from where the first ended, and that the log has the move."""
        relay = self.baton.relay(image)
        served = relay["served"]
        assert [part.split(" ")[0] for part in served] == ["north", "south"], served
        (_, end), (start, _) = (map(int, part.split(" ")[1].split("-")) for part in served)
        assert start == end + 1, served
        assert relay["moves"][0].startswith(f"north → south at byte {start} "), relay
