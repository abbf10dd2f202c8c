"""Baton with its storage and, if requested, a Keystone: a cloud's image service as clients see it."""

import contextlib
import os
import pathlib
import subprocess
import sys

import glanceclient
import openstack
from keystoneauth1 import session
from keystoneauth1.identity import v3

from fake_keystone import ACCOUNTS, FakeKeystone
from support.baton import Baton
from support.nginx import Nginx
from support.service import clean_environment

COMMANDS = pathlib.Path(sys.executable).parent


class Cloud:
    """`auth` is none or keystone. Uploads go to the backend disk. The backend web is an nginx: members may add locations on it, and
    trusted users may be redirected to it. Without `inspects_format` images may have any bytes."""

    def __init__(self, home: pathlib.Path, auth: str, inspects_format: bool = True):
        self.started = contextlib.ExitStack()
        with self.started:
            self.web = Nginx(home / "web")
            self.started.callback(self.web.stop)
            self.keystone = self.started.enter_context(FakeKeystone()) if auth == "keystone" else None
            mode = {"mode": "keystone", "keystone": {"url": self.keystone.url}} if self.keystone else {"mode": "none"}
            (home / "disk").mkdir()
            self.baton = Baton(
                home / "baton",
                {
                    "web": {"driver": "http", "url": self.web.url, "attach": {"role": "member"}, "redirect": True},
                    "disk": {"driver": "file", "root": str(home / "disk")},
                },
                uploads={"backend": "disk", "inspect_format": inspects_format}, auth=mode)
            self.started.callback(self.baton.stop)
            if self.keystone:
                self.keystone.image_url = self.baton.endpoint
            # All servers have started: they run until `stop`.
            self.started = self.started.pop_all()

    def stop(self):
        self.started.close()

    def run(self, program, *words, user="primary", succeeds=True):
        """Runs one command of a client as a user and returns its output."""
        if self.keystone:
            environment = clean_environment(**ACCOUNTS[user].environment(self.keystone.url))
        else:
            environment = unauthenticated(program, self.baton.endpoint)
        return run(environment, program, *words, succeeds=succeeds)

    def sdk(self, user="primary"):
        """openstacksdk, logged in as a user."""
        if not self.keystone:
            return unauthenticated_sdk(self.baton.endpoint)
        account = ACCOUNTS[user]
        return openstack.connect(
            load_yaml_config=False, load_envvars=False, region_name="RegionOne", auth={
                "auth_url": self.keystone.url, "username": account.name, "password": account.password,
                "project_name": account.project, "user_domain_name": "Default", "project_domain_name": "Default"})

    def glance(self, user="primary"):
        """python-glanceclient, logged in as a user."""
        if not self.keystone:
            return unauthenticated_glance(self.baton.endpoint)
        account = ACCOUNTS[user]
        login = v3.Password(
            auth_url=self.keystone.url, username=account.name, password=account.password, project_name=account.project,
            user_domain_name="Default", project_domain_name="Default")
        return glanceclient.Client("2", session=session.Session(auth=login))


def unauthenticated(program, endpoint):
    """The environment of a command without a login."""
    if program == "glance":
        return clean_environment(OS_IMAGE_URL=endpoint, OS_AUTH_TOKEN="none")
    return clean_environment(OS_AUTH_TYPE="none", OS_ENDPOINT=endpoint)


def unauthenticated_sdk(endpoint):
    return openstack.connect(load_yaml_config=False, load_envvars=False, auth_type="none", auth={"endpoint": endpoint})


def unauthenticated_glance(endpoint):
    return glanceclient.Client("2", endpoint=endpoint, token="none")


def run(environment, program, *words, succeeds=True):
    """Runs one command of a client and returns its output."""
    command = [str(COMMANDS / program), *map(str, words)]
    # Standard input is a terminal: both commands treat any other input as an image to upload.
    terminal, keyboard = os.openpty()
    try:
        done = subprocess.run(command, stdin=keyboard, capture_output=True, text=True, timeout=120, env=environment)
    finally:
        os.close(keyboard)
        os.close(terminal)
    said = f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert (done.returncode == 0) == succeeds, said
    return done.stdout if succeeds else done.stdout + done.stderr
