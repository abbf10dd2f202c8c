#!/usr/bin/env python3
"""The part of Keystone's API v3 that clients and servers of the Images API use: discovery, tokens for passwords, their validation
and revocation, and a catalog with one image service. Its users are fixed. It stores nothing, and none of its data is secret.

Run by itself, it serves until it is interrupted: fake_keystone.py --image-url http://127.0.0.1:9292 [--port 5000]
"""

import argparse
import dataclasses
import http.server
import json
import secrets
import threading
import time

DOMAIN = {"id": "default", "name": "Default"}
PROJECTS = {"admin": "0" * 31 + "1", "a": "0" * 31 + "a", "b": "0" * 31 + "b", "service": "0" * 31 + "5"}
# As in Keystone, a role includes the roles that it implies.
IMPLIED = {"admin": ["admin", "member", "reader"], "member": ["member", "reader"], "reader": ["reader"], "service": ["service"]}
LIFETIME = 3600


@dataclasses.dataclass(frozen=True)
class Account:
    """A user with one project and a role in it, and with the role trusted if is_trusted."""

    name: str
    project: str
    role: str
    is_trusted: bool = False

    @property
    def password(self):
        return f"{self.name}-password"

    @property
    def id(self):
        return self.name.encode().hex().rjust(32, "0")[-32:]

    @property
    def project_id(self):
        return PROJECTS[self.project]

    def environment(self, keystone_url):
        """The environment with which OpenStack's clients log in as this user."""
        return {
            "OS_AUTH_URL": keystone_url, "OS_IDENTITY_API_VERSION": "3", "OS_USERNAME": self.name, "OS_PASSWORD": self.password,
            "OS_PROJECT_NAME": self.project, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": "RegionOne",
        }


ACCOUNTS = {
    account.name: account
    for account in [
        Account("admin", "admin", "admin"),
        Account("primary", "a", "member", is_trusted=True),
        Account("alt", "b", "member"),
        Account("project_reader", "a", "reader"),
        Account("baton", "service", "service"),
    ]
}


class Refused(Exception):
    """An error response."""

    def __init__(self, code, title, message):
        super().__init__(message)
        self.code, self.title = code, title


@dataclasses.dataclass(frozen=True)
class Token:
    """An issued token."""

    account: Account
    scoped: bool
    issued: float

    def document(self, keystone):
        """The body that describes it, in Keystone's format."""
        def stamp(moment):
            return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(moment))

        account = self.account
        token = {
            "methods": ["password"], "user": {"id": account.id, "name": account.name, "domain": DOMAIN, "password_expires_at": None},
            "audit_ids": [secrets.token_urlsafe(16)], "issued_at": stamp(self.issued), "expires_at": stamp(self.issued + LIFETIME),
        }
        if self.scoped:
            token["project"] = {"id": account.project_id, "name": account.project, "domain": DOMAIN}
            token["is_domain"] = False
            roles = IMPLIED[account.role] + ["trusted"] * account.is_trusted
            token["roles"] = [{"id": name.encode().hex().rjust(32, "0"), "name": name} for name in roles]
            token["catalog"] = keystone.catalog()
        return {"token": token}


class FakeKeystone:
    """The service, which runs in threads of this process."""

    def __init__(self, port=0, image_url=None):
        self.image_url = image_url
        self.tokens = {}
        self.validations = 0
        self.lock = threading.Lock()
        handler = type("BoundHandler", (Handler,), {"keystone": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v3"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def catalog(self):
        def endpoints(name, url):
            return [
                {"id": f"{name}-{interface}", "interface": interface, "region": "RegionOne", "region_id": "RegionOne", "url": url}
                for interface in ["public", "internal", "admin"]]

        services = [("identity", "keystone", self.url.removesuffix("/v3"))]
        if self.image_url:
            services.append(("image", "glance", self.image_url))
        return [{"type": kind, "name": name, "id": name, "endpoints": endpoints(name, url)} for kind, name, url in services]

    def version(self):
        return {
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "media-types": [
                {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
            "links": [{"rel": "self", "href": self.url + "/"}]}

    def issue(self, request):
        """Checks a login and issues a token."""
        try:
            identity = request["auth"]["identity"]
            scope = request["auth"].get("scope")
            if "password" in identity["methods"]:
                user = identity["password"]["user"]
                account = next(
                    (each for each in ACCOUNTS.values() if user.get("id") == each.id or user.get("name") == each.name), None)
                good = account is not None and account.password == user["password"]
            else:
                known = self.known(identity["token"]["id"])
                account, good = (known.account, True) if known else (None, False)
        except (KeyError, TypeError, AttributeError) as error:
            raise Refused(400, "Bad Request", "The request has no complete auth object.") from error
        if not good:
            raise Refused(401, "Unauthorized", "The request you have made requires authentication.")
        project = scope.get("project") if isinstance(scope, dict) else None
        if project is not None and account.project_id != project.get("id") and account.project != project.get("name"):
            raise Refused(401, "Unauthorized", "The user has no role in that project.")
        token = Token(account, project is not None, time.time())
        text = secrets.token_urlsafe(32)
        with self.lock:
            self.tokens[text] = token
        return text, token

    def known(self, text):
        """An issued token that is still valid; None otherwise."""
        with self.lock:
            token = self.tokens.get(text or "")
        return token if token and time.time() < token.issued + LIFETIME else None

    def look_up(self, caller, subject):
        """Validates a token: callers may validate their own, admins and services may validate any."""
        with self.lock:
            self.validations += 1
        asking = self.known(caller)
        if asking is None:
            raise Refused(401, "Unauthorized", "The request you have made requires authentication.")
        token = self.known(subject)
        if caller != subject and asking.account.role not in ("admin", "service"):
            raise Refused(403, "Forbidden", "You are not authorized to perform the requested action.")
        if token is None:
            raise Refused(404, "Not Found", "Could not find token.")
        return token

    def revoke(self, text):
        with self.lock:
            self.tokens.pop(text, None)


class Handler(http.server.BaseHTTPRequestHandler):
    """The HTTP handler of the service."""

    protocol_version = "HTTP/1.1"
    keystone: FakeKeystone

    def log_message(self, *_):
        """Logs nothing: the log of the server under test has what matters."""

    def answer(self, code, document=None, **headers):
        text = b"" if document is None else json.dumps(document).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if code != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].rstrip("/")
        subject = self.headers.get("X-Subject-Token")
        keystone = self.keystone
        try:
            match self.command, path:
                case "GET", "":
                    self.answer(300, {"versions": {"values": [keystone.version()]}})
                case "GET", "/v3":
                    self.answer(200, {"version": keystone.version()})
                case "POST", "/v3/auth/tokens":
                    text, token = keystone.issue(json.loads(body or b"null"))
                    self.answer(201, token.document(keystone), X_Subject_Token=text)
                case ("GET" | "HEAD"), "/v3/auth/tokens":
                    token = keystone.look_up(self.headers.get("X-Auth-Token"), subject)
                    self.answer(200, token.document(keystone), X_Subject_Token=subject)
                case "DELETE", "/v3/auth/tokens":
                    keystone.look_up(self.headers.get("X-Auth-Token"), subject)
                    keystone.revoke(subject)
                    self.answer(204)
                case "GET", _ if path.startswith("/v3/projects"):
                    # In Keystone only admins may look up projects; clients then use the name as an id.
                    keystone.known(self.headers.get("X-Auth-Token"))
                    raise Refused(403, "Forbidden", "You are not authorized to perform the requested action.")
                case _:
                    raise Refused(404, "Not Found", "Could not find the resource.")
        except Refused as refusal:
            self.answer(refusal.code, {"error": {"code": refusal.code, "title": refusal.title, "message": str(refusal)}})
        except ValueError:
            self.answer(400, {"error": {"code": 400, "title": "Bad Request", "message": "The body is not JSON."}})

    do_GET = do_HEAD = do_POST = do_DELETE = handle_request


def main():
    arguments = argparse.ArgumentParser(description="Serves a fake Keystone for experiments.")
    arguments.add_argument("--port", type=int, default=5000)
    arguments.add_argument("--image-url", required=True)
    given = arguments.parse_args()
    with FakeKeystone(given.port, given.image_url) as keystone:
        print(f"{keystone.url} serves; user, project, role, password:")
        for account in ACCOUNTS.values():
            print(f"  {account.name:15} {account.project:8} {account.role:8} {account.password}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
