"""The description of Baton's own API is sound, complete, and what the server answers. Every other test that asks the server through
`support.baton` has its answers checked as well."""

import re

import pytest
from jsonschema import Draft202012Validator

from support import openapi
from support.baton import Baton
from support.nginx import Nginx
from support.samples import MEBIBYTE, sample, unique
from support.waiting import wait_until


def schemas(node, place=""):
    """Every schema of the document, by its place."""
    if isinstance(node, dict):
        for name, value in node.items():
            here = f"{place}/{name}"
            if name == "schema" or place == "/components/schemas":
                yield here, value
            yield from schemas(value, here)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from schemas(value, f"{place}/{index}")


def nodes(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def test_document_is_sound():
    document = openapi.document()
    assert document["openapi"].startswith("3.1.")
    for _, schema in schemas(document):
        Draft202012Validator.check_schema(schema)
    for node in nodes(document):
        if "$ref" in node:
            assert len(node) == 1, node
            openapi.resolve(node)
        if node.get("type") == "object":
            assert "additionalProperties" in node, f"an object of {sorted(node.get('properties', {}))} may have any member"
            assert set(node.get("required", [])) <= set(node.get("properties", {})), node


def test_operations_are_complete():
    names = []
    for method, path, operation in openapi.operations():
        where = f"{method} {path}"
        names.append(operation["operationId"])
        assert operation["summary"] and operation["tags"] and operation["x-baton-role"], where
        assert "default" in operation["responses"], f"{where} says nothing of errors"
        item = openapi.document()["paths"][path]
        parameters = [openapi.resolve(each) for each in item.get("parameters", []) + operation.get("parameters", [])]
        named = {each["name"] for each in parameters if each["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), where
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in openapi.document()["tags"]}
    assert {tag for _, _, operation in openapi.operations() for tag in operation["tags"]} == tags


@pytest.fixture
def web(place):
    nginx = Nginx(place / "web")
    yield nginx
    nginx.stop()


@pytest.fixture
def baton(place, web):
    (place / "disk").mkdir()
    server = Baton(
        place / "baton",
        {
            "web": {"driver": "http", "url": web.url, "redirect": True},
            "disk": {"driver": "file", "root": str(place / "disk")},
        },
        log={"format": "json", "level": "debug"}, uploads={"backend": "disk", "inspect_format": False})
    yield server
    server.stop()


def test_routes_and_roles(baton):
    """The document has every route of Baton's own API, with the role that the server asks for."""
    described = {(method, path): operation["x-baton-role"] for method, path, operation in openapi.operations()}

    def registered():
        return [line for line in baton.log() if line.get("event") == "server.route"]

    wait_until("the routes in the log", registered)
    routes = {
        (line["method"], "/" + line["path"].strip("/")): line["needs"]
        for line in registered() if line["needs"] not in ("another method", "no row") and line["method"] != "HEAD"}
    own = {key: needs for key, needs in routes.items() if key[1].startswith("/baton/v1/")}
    assert own and own.items() <= described.items()
    assert described.items() <= routes.items()


def test_answers(baton, web):
    """A life of a location: `ask` checks each answer."""
    image = sample(MEBIBYTE, seed=41)
    _, made = baton.ask("POST", "/v2/images", {"name": unique("api"), "disk_format": "raw", "container_format": "bare"})
    id = made["id"]
    assert baton.ask("GET", f"/baton/v1/images/{id}/direct")[0] == 204
    path = f"/baton/v1/images/{id}/locations"
    digests = {"sha256": image.digest("sha256")}
    ids = []
    for name in ["one", "two"]:
        status, location = baton.ask(
            "POST", path, {"url": web.put(f"{name}-{id}", image.data), "size": len(image.data), "digests": digests})
        assert status == 201 and location["status"] == "active"
        ids.append(location["id"])
    missing = web.put(f"gone-{id}", image.data).replace("gone-", "missing-")
    status, pending = baton.ask("POST", path, {"url": missing, "size": len(image.data), "digests": digests})
    assert status == 201 and pending["status"] == "pending" and pending["problem"]
    assert len(baton.ask("GET", path)[1]["locations"]) == 3
    one = f"/baton/v1/locations/{ids[0]}"
    assert baton.ask("POST", f"{one}/verify")[0] == 202
    wait_until("the full read", lambda: baton.ask("GET", one)[1]["verified_at"])
    assert baton.ask("PATCH", one, {"weight": 3, "tier": 0, "metadata": {"a": "b"}})[0] == 200
    for purpose in ["whole", "range"]:
        assert baton.ask("GET", f"/baton/v1/images/{id}/explain?for={purpose}")[0] == 200
    assert baton.ask("GET", f"/baton/v1/images/{id}/direct")[1]["locations"]
    for operation in ["disable", "enable", "quarantine", "delete", "restore"]:
        status, _ = baton.ask("POST", f"{one}/{operation}", {"reason": "a test"})
        assert status in (200, 409), operation
    assert baton.ask("GET", f"{one}/history")[1]["history"]
    assert baton.ask("GET", "/baton/v1/backends")[1]["backends"]
    assert baton.ask("GET", "/baton/v1/uploads?limit=5")[0] == 200
    assert baton.ask("GET", "/healthz")[0] == 200 and baton.ask("GET", "/readyz")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/baton/v1/locations/none", None, 404),
        ("GET", "/baton/v1/images/00000000-0000-4000-8000-000000000000/explain", None, 404),
        ("GET", "/baton/v1/images/00000000-0000-4000-8000-000000000000/explain?disk_format=x", None, 400),
        ("GET", "/baton/v1/uploads?orphans=perhaps", None, 400),
        ("POST", "/baton/v1/images/00000000-0000-4000-8000-000000000000/locations", {"url": "x"}, 404),
        ("PUT", "/baton/v1/backends", {}, 405),
    ])
def test_errors(baton, method, path, body, status):
    assert baton.ask(method, path, body)[0] == status
