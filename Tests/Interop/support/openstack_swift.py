"""A real OpenStack Swift, as scripts/openstack-swift starts it."""

import json
import pathlib
import subprocess

from swiftclient import client

from support.service import clean_environment

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "scripts/openstack-swift"


class OpenStackSwift:
    """One node, stored below a directory. It serves the same objects over its own API and over S3."""

    def __init__(self, home: pathlib.Path):
        self.home = home
        self._run("start")
        for name, value in json.loads((home / "swift.json").read_text()).items():
            setattr(self, name, value)
        self.user = "test:tester"
        self.key = self.users[self.user]

    def put(self, name, data):
        """Stores an object as python-swiftclient does."""
        url, token = client.get_auth(self.auth_url, self.user, self.key)
        client.put_object(url, token, self.container, name, contents=data)

    def backends(self):
        """Baton's backends for it, one per protocol."""
        key, temporary = self.home / "key", self.home / "temporary"
        key.write_text(self.key)
        temporary.write_text(self.temp_url_key)
        return {
            "swift": {
                "driver": "swift", "auth_url": self.auth_url, "user": self.user, "key_file": str(key),
                "container": self.container, "temp_url_key_file": str(temporary), "redirect": True},
            "bucket": {
                "driver": "s3", "url": self.url, "bucket": self.container, "access_key": self.user,
                "secret_key_file": str(key), "redirect": True},
        }

    def stop(self):
        self._run("stop")

    def _run(self, word):
        done = subprocess.run(
            [SCRIPT, word, str(self.home)], capture_output=True, text=True, timeout=120, env=clean_environment())
        assert done.returncode == 0, f"scripts/openstack-swift {word}: {done.stdout}{done.stderr}"
