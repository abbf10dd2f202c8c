#!/usr/bin/env python3
"""Runs tempest's Images API tests against Baton, and writes or checks docs/tempest.md.

  tempest_table.py            runs them and reports differences from the table
  tempest_table.py --write    runs them and writes the table
  tempest_table.py --against IMAGE_URL --keystone KEYSTONE_PORT
                                                            runs them against a running server and prints the table
"""

import argparse
import importlib.metadata
import pathlib
import re
import sys
import tempfile

import tempest_set
from fake_keystone import FakeKeystone
from support.baton import ROOT
from support.cloud import Cloud
from support.samples import MEBIBYTE, sample

TABLE = ROOT / "docs/tempest.md"
PREFIX = "tempest.api.image.v2."
HEAD = """\
# Tempest against Baton

[Tempest](https://docs.openstack.org/tempest/latest/) is OpenStack's own test suite. `make interop` runs the tests below unchanged against
`baton serve` with `auth.mode: keystone`. They are all of its tests for the Images API v2 except those for image import, the image cache
and metadata definitions, and those that need Nova, Cinder or a second Glance: Baton has none of these. Two of the 60 tests are for
servers that do not hash images, so at most 58 can pass.

`make interop` fails when the outcome of a test differs from this table, even for the better. `make tempest` writes the table again.
"""

# The reasons of failures that tempest's own messages do not explain.
UNREAD = (
    "expects no digest for a location that was added without one, since Glance does not read it. Baton reads it before it serves it, "
    "and shows the digest"
)
REASONS = {
    "admin.test_images.ImageLocationsAdminTest.test_delete_locations": UNREAD,
    "test_images.ImageLocationsTest.test_replace_location": UNREAD,
    "test_images.ImageLocationsTest.test_set_location": UNREAD,
}

# One test serves an image from the machine's own address instead of loopback, and skips itself where there is none.
NO_ADDRESS = "Could not bind HTTP location server"


def outcomes(home: pathlib.Path):
    """Runs the tests against a new Baton server."""
    # Tempest uploads random bytes as qcow2, and its configuration declares that (image_format_enforcement).
    cloud = Cloud(home, "keystone", inspects_format=False)
    try:
        # Large enough for hashing to take a moment.
        image_url = cloud.web.put("image.raw", sample(4 * MEBIBYTE, seed=7).data)
        return run(home, cloud.keystone.url, image_url)
    finally:
        cloud.stop()


def run(home, keystone_url, image_url):
    tempest_set.prepare(home / "tempest", keystone_url, image_url)
    return tempest_set.run(home / "tempest", tempest_set.tests())


def short(reason):
    """The line with the reason, without details that differ between runs."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    line = re.sub(r" returned .*|Details: ", "", lines[-1] if lines else "")
    line = re.sub(r"0x[0-9a-f]+|/tmp/\S+|127\.0\.0\.1:\d+", "…", line)
    return line.replace("|", "\\|")[:160]


def table(results):
    count = {kind: sum(each.result == kind for each in results.values()) for kind in ("ok", "skip", "fail")}
    version = importlib.metadata.version("tempest")
    lines = [
        HEAD, f"Tempest {version}, {len(results)} tests: {count['ok']} pass, {count['fail']} fail, {count['skip']} are skipped.", ""]
    lines += ["| test | outcome | why |", "|---|---|---|"]
    for name, outcome in sorted(results.items()):
        why = REASONS.get(name.removeprefix(PREFIX)) if outcome.result == "fail" else None
        why = why or short(outcome.reason)
        lines.append(f"| {name.removeprefix(PREFIX)} | {outcome.result} | {why} |")
    return "\n".join(lines) + "\n"


def expected():
    """The outcomes in the table, by test."""
    rows = re.findall(r"^\| (\S+) \| (ok|skip|fail) \|", TABLE.read_text(), re.MULTILINE) if TABLE.exists() else []
    return {PREFIX + name: result for name, result in rows}


def difference(name, promised, outcome):
    """A sentence about a test whose outcome differs from the table, for better or worse; empty if it does not."""
    if promised == outcome.result or (outcome.result == "skip" and outcome.reason.startswith(NO_ADDRESS)):
        return ""
    return f"{name} was {promised} and is {outcome.result}: {outcome.reason}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--against")
    arguments.add_argument("--keystone", type=int, default=0)
    arguments.add_argument("--image")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="baton-tempest-") as directory:
        home = pathlib.Path(directory)
        home.chmod(0o755)
        if given.against:
            with FakeKeystone(given.keystone, given.against) as keystone:
                results = run(home, keystone.url, given.image)
        else:
            results = outcomes(home)
    if given.write or given.against:
        text = table(results)
        print(text)
        for name, outcome in results.items():
            if outcome.result == "fail":
                print(f"{name}\n{outcome.reason}\n", file=sys.stderr)
        if given.write:
            TABLE.write_text(text)
        return 0
    promised = expected()
    found = [difference(name, promised.get(name, "not in the table"), outcome) for name, outcome in results.items()]
    print("\n\n".join(filter(None, found)) or f"All {len(results)} tests end as docs/tempest.md says.")
    return 1 if any(found) else 0


if __name__ == "__main__":
    sys.exit(main())
