"""Parsing of Baton's Metalink documents, and aria2c, which downloads with them."""

import dataclasses
import subprocess
import urllib.request
import xml.etree.ElementTree as ElementTree

from support.service import clean_environment
from support.waiting import wait_until

MEDIA_TYPE = "application/metalink4+xml"
NAMESPACE = "{urn:ietf:params:xml:ns:metalink}"


def document(baton, id, token=None):
    """The Metalink document of an image, as the server sends it."""
    fields = {"Accept": MEDIA_TYPE, **({"X-Auth-Token": token} if token else {})}
    request = urllib.request.Request(f"{baton.endpoint}/v2/images/{id}/file", headers=fields)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        text = answer.read()
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        assert int(answer.headers["Content-Length"]) == len(text)
        return text


@dataclasses.dataclass
class Description:
    """The content of a document about its one file."""

    name: str
    size: int
    digests: dict
    urls: list
    piece_length: int | None
    pieces: list


def described(text):
    """Parses a document and checks it against RFC 5854."""
    root = ElementTree.fromstring(text)
    assert root.tag == NAMESPACE + "metalink" and not root.attrib
    children = [child.tag.removeprefix(NAMESPACE) for child in root]
    assert sorted(children) == ["file", "generator", "published"], children
    published = root.findtext(NAMESPACE + "published")
    assert published.endswith("Z") and published[10] == "T", published
    [file] = root.findall(NAMESPACE + "file")
    assert list(file.attrib) == ["name"]
    known = {"size": set(), "hash": {"type"}, "url": {"priority"}, "pieces": {"length", "type"}}
    for child in file:
        assert set(child.attrib) == known[child.tag.removeprefix(NAMESPACE)], child.tag
    [size] = file.findall(NAMESPACE + "size")
    digests = {each.get("type"): each.text for each in file.findall(NAMESPACE + "hash")}
    assert len(digests) == len(file.findall(NAMESPACE + "hash")), "two digests of one type"
    urls = sorted((int(each.get("priority")), each.text) for each in file.findall(NAMESPACE + "url"))
    assert [priority for priority, _ in urls] == list(range(1, len(urls) + 1)) and urls
    lists = file.findall(NAMESPACE + "pieces")
    assert len(lists) <= 1
    pieces, length = [], None
    for each in lists:
        assert each.get("type") == "sha-256"
        assert all(piece.tag == NAMESPACE + "hash" and not piece.attrib for piece in each)
        length, pieces = int(each.get("length")), [piece.text for piece in each]
    return Description(file.get("name"), int(size.text), digests, [url for _, url in urls], length, pieces)


def with_pieces(baton, id, token=None):
    """Waits until an image's document has the digests of its pieces, and returns it."""
    def told():
        text = document(baton, id, token)
        return text if described(text).pieces else None
    return wait_until("the digests of the pieces", told)


def aria2c(place, *words, given=None):
    """Runs aria2c in a directory; returns its exit status and its log."""
    log = place / "aria2.log"
    done = subprocess.run(
        ["aria2c", "--no-conf", f"--dir={place}", "--log-level=info", f"--log={log}", "--console-log-level=warn",
         "--summary-interval=0", "--retry-wait=0", *map(str, words)],
        input=given, capture_output=True, timeout=120, env=clean_environment())
    return done.returncode, log.read_text(errors="replace") if log.exists() else done.stdout.decode() + done.stderr.decode()
