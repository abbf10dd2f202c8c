"""The description of Baton's own API (docs/openapi.yaml): which answers it allows."""

import functools
import pathlib
import re

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE = pathlib.Path(__file__).resolve().parents[3] / "docs/openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")


@functools.cache
def document():
    return yaml.safe_load(FILE.read_text())


def resolve(node):
    """What a node says, where it may be a reference into the document."""
    while "$ref" in node:
        reference = node["$ref"]
        assert reference.startswith("#/"), f"{reference} leads out of the document"
        node = document()
        for name in reference[2:].split("/"):
            node = node[name]
    return node


def operations():
    """Every operation: its method, its path and what the document says of it."""
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


@functools.cache
def validator(pointer):
    """What validates JSON by the schema at a place of the document."""
    registry = Registry().with_resource("urn:baton", Resource(contents=document(), specification=DRAFT202012))
    return Draft202012Validator({"$ref": f"urn:baton#{pointer}"}, registry=registry)


def pointer_to(*names):
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def described(method, path):
    """The path of the document that a request's path belongs to; None if it belongs to none."""
    plain = path.split("?")[0]
    for known, item in document()["paths"].items():
        if method.lower() in item and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), plain):
            return known
    return None


def check(method, path, status, answer):
    """Fails unless the document allows this answer. What it does not describe, such as Glance's API, is let pass."""
    known = described(method, path)
    if known is None:
        assert not path.startswith("/baton/v1/") or status in (404, 405), f"{method} {path} is not in {FILE.name}"
        return
    responses = document()["paths"][known][method.lower()]["responses"]
    name = str(status) if str(status) in responses else "default"
    assert name != "default" or status >= 400, f"{method} {known}: {status} is not in {FILE.name}"
    response = responses[name]
    place = response["$ref"][1:] if "$ref" in response else pointer_to("paths", known, method.lower(), "responses", name)
    content = resolve(response).get("content", {})
    if "application/json" not in content:
        assert answer is None, f"{method} {known}: {status} has no JSON document"
        return
    pointer = f"{place}/content/{'application/json'.replace('/', '~1')}/schema"
    problems = [
        f"{'/'.join(map(str, problem.absolute_path)) or 'the document'}: {problem.message}"
        for problem in validator(pointer).iter_errors(answer)]
    assert not problems, f"{method} {known}, {status}: {'; '.join(problems)}"
