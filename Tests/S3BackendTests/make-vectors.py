#!/usr/bin/env python3
"""Writes vectors.json: keys, and how botocore signs a ranged GET and a presigned URL for each of them.

Run it by hand (python3 -m pip install botocore) when cases are added; the tests read the file alone. The cases come from a fixed
seed, so that the same botocore writes the same file.
"""

import datetime
import json
import pathlib
import random
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
AWKWARD = [
    "a", "image.qcow2", "a b", "a+b", "a%b", "a%20b", "a%2Fb", "%", "%%", "+", " ", "a//b", "//", "a//", "a/", "./a", "../a",
    "a/../b", "a/./b", "a/..", "..", ".", "a?b", "a#b", "a&b=c", "a;b", "a:b", "a@b", "a,b", "a!b", "a'b", "a(b)c", "a*b", "a$b",
    "a=b", "a\\b", "a\"b", "a<b>", "a[b]", "a{b}", "a|b", "a^b", "a`b", "a~b", "a-b_c.d", "ä", "\u1234", "e\u0301", "\u00e9",
    "日本語/イメージ.raw", "\U0001f4bf", "a\tb", "a\nb", "a\x7fb", "x" * 900,
]
ALPHABET = list("abcXYZ019-_.~/ +%?#&=;:@,!'()*$\\\"<>[]{}|^`") + ["//", "..", "./", "ä", "é", "日", "\U0001f4bf", "%2F", "%00"]
ENDPOINTS = [
    ("http", "127.0.0.1:9000"), ("https", "s3.amazonaws.com"), ("https", "store.example:8443"), ("http", "rgw.example"),
    ("http", "[::1]:7480"),
]
REGIONS = ["us-east-1", "eu-central-1", "default"]


def encoded(key):
    return urllib.parse.quote(key.encode(), safe="/-_.~")


def case(random, key):
    scheme, authority = random.choice(ENDPOINTS)
    style = random.choice(["path", "virtual"]) if "[" not in authority and "127" not in authority else "path"
    bucket = "b%05d" % random.randrange(100000)
    region = random.choice(REGIONS)
    moment = datetime.datetime(2000, 1, 1) + datetime.timedelta(seconds=random.randrange(40 * 366 * 86400))
    first = random.randrange(1 << 40)
    last = first + random.randrange(1 << 30)
    ranged = random.random() < 0.8
    lifetime = random.randrange(1, 604801)
    token = None if random.random() < 0.6 else "".join(random.choices("ABCxyz019+/=", k=80))
    access = random.choice(["AKIDEXAMPLE", "test:tester"])
    secret = "".join(random.choices("ABCDEFxyz0189+/", k=40))
    host = authority if style == "path" else f"{bucket}.{authority}"
    path = f"/{bucket}/{encoded(key)}" if style == "path" else f"/{encoded(key)}"
    url = f"{scheme}://{host}{path}"

    botocore.auth.get_current_datetime = lambda *args, **kwargs: moment
    credentials = Credentials(access, secret, token)
    headers = {"Range": f"bytes={first}-{last}"} if ranged else {}
    request = AWSRequest(method="GET", url=url, headers=headers)
    request.context["payload_signing_enabled"] = True
    botocore.auth.S3SigV4Auth(credentials, "s3", region).add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == EMPTY
    presigned = AWSRequest(method="GET", url=url, params={"response-content-type": "application/octet-stream"})
    botocore.auth.S3SigV4QueryAuth(credentials, "s3", region, expires=lifetime).add_auth(presigned)
    return {
        "scheme": scheme, "authority": authority, "style": style, "bucket": bucket, "key": key, "region": region,
        "time": int(moment.replace(tzinfo=datetime.timezone.utc).timestamp()), "access": access, "secret": secret, "token": token,
        "first": first if ranged else None, "last": last if ranged else None, "lifetime": lifetime,
        "url": url, "date": request.headers["X-Amz-Date"], "authorization": request.headers["Authorization"],
        "presigned": presigned.url,
    }


def main():
    generator = random.Random(4)
    keys = AWKWARD + ["".join(generator.choices(ALPHABET, k=generator.randrange(1, 40))) for _ in range(250)]
    lines = [json.dumps(case(generator, key)) for key in keys]
    target = pathlib.Path(__file__).with_name("vectors.json")
    target.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
