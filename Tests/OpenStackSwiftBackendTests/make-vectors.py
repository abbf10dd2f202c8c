#!/usr/bin/env python3
"""Writes vectors.json: keys, the URLs that python-swiftclient asks for with them, and the temporary URLs that it makes.

Run it by hand (.venv-openstack/swift/bin/python) when cases are added; the tests read the file alone. The cases come from a fixed
seed, so that the same python-swiftclient writes the same file.
"""

import base64
import json
import pathlib
import random

from swiftclient import client, utils

AWKWARD = [
    "a", "image.qcow2", "a b", "a+b", "a%b", "a%20b", "a%2Fb", "%", "%%", "+", " ", "a//b", "//", "a//", "a/", "/a", "./a", "../a",
    "a/../b", "a/./b", "a/..", "..", ".", "a?b", "a#b", "a&b=c", "a;b", "a:b", "a@b", "a,b", "a!b", "a'b", "a(b)c", "a*b", "a$b",
    "a=b", "a\\b", "a\"b", "a<b>", "a[b]", "a{b}", "a|b", "a^b", "a`b", "a~b", "a-b_c.d", "ä", "\u1234", "e\u0301", "\u00e9",
    "日本語/イメージ.raw", "\U0001f4bf", "a\tb", "a\nb", "a\x7fb", "x" * 900,
]
ALPHABET = list("abcXYZ019-_.~/ +%?#&=;:@,!'()*$\\\"<>[]{}|^`") + ["//", "..", "./", "ä", "é", "日", "\U0001f4bf", "%2F", "%00"]
ACCOUNTS = ["http://127.0.0.1:8080/v1/AUTH_test", "https://store.example/v1/AUTH_4c5f", "http://rgw.example:7480/swift/v1"]
CONTAINERS = ["images", "im ages", "ä"]


def case(generator, key):
    account = generator.choice(ACCOUNTS)
    container = generator.choice(CONTAINERS)
    secret = "".join(generator.choices("ABCDEFxyz0189+/ ", k=generator.randrange(1, 90)))
    digest = generator.choice(["sha1", "sha256", "sha512"])
    end = generator.randrange(1, 1 << 33)
    path = f"/{account.partition('://')[2].partition('/')[2]}/{container}/{key}"
    made = utils.generate_temp_url(path, end, secret, "GET", absolute=True, digest=digest)
    signature = made.rpartition("temp_url_sig=")[2].partition("&")[0]
    if digest == "sha512":  # swiftclient writes it in base 64; the store takes hexadecimal digits as well
        signature = base64.urlsafe_b64decode(signature.partition(":")[2] + "==").hex()
    url = f"{account}/{client.quote(container)}/{client.quote(key)}"
    return {
        "account": account, "container": container, "key": key, "secret": secret, "digest": digest, "end": end, "url": url,
        "direct": f"{url}?temp_url_sig={signature}&temp_url_expires={end}",
    }


def main():
    generator = random.Random(4)
    keys = AWKWARD + ["".join(generator.choices(ALPHABET, k=generator.randrange(1, 40))) for _ in range(250)]
    lines = [json.dumps(case(generator, key)) for key in keys]
    target = pathlib.Path(__file__).with_name("vectors.json")
    target.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
