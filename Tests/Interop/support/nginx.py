"""A real nginx that serves a directory: an origin that can be killed."""

import pathlib
import shutil
import socket

from support.service import Service, free_port
from support.waiting import wait_until

CONFIGURATION = """\
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{}}
http {{
    access_log {home}/access.log;
    default_type application/octet-stream;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    server {{ listen {address}:{port}; root {root}; sendfile on; sendfile_max_chunk 64k; limit_rate {pace}; }}
}}
"""


class Nginx:
    """A server with a single process, so that killing it ends all connections."""

    def __init__(self, home: pathlib.Path, pace=0, address="127.0.0.1"):
        """`pace` limits one response, in bytes per second; 0 is unlimited. `address` is one of 127.0.0.0/8."""
        self.home = home
        self.address = address
        self.root = home / "data"
        self.root.mkdir(parents=True)
        home.chmod(0o755)
        self.port = free_port()
        self.url = f"http://{address}:{self.port}/"
        configuration = home / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(home=home, root=self.root, address=address, port=self.port, pace=pace))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.service = Service([program, "-e", home / "error.log", "-c", configuration], home, "nginx")
        wait_until(f"nginx at port {self.port}", self.listens)

    def listens(self):
        assert self.service.runs, f"nginx exited: {self.service.said()}"
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    def put(self, name, data):
        """Stores a file and returns its URL."""
        (self.root / name).write_bytes(data)
        return self.url + name

    def kill(self):
        self.service.kill()

    def stop(self):
        self.service.stop()
