"""Starts the four servers of one OpenStack Swift node, each as a process, on sockets that are bound before their ports are published:
so two nodes that start at once cannot take each other's ports.

  serve.py DIR SERVER…    writes the ports and the process ids to DIR/node.json; every server logs to DIR/SERVER.log
"""

import json
import os
import pathlib
import signal
import socket
import sys

from eventlet import greenio
from swift.common import wsgi
from swift.common.ring import RingBuilder

STORING = ["account", "container", "object"]


def bound(port):
    """A listening socket on that port, or on a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1024)
    return listener


def make_ring(directory, server, port):
    """Builds the smallest ring: one copy on one device."""
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": "disk"})
    builder.rebalance()
    builder.get_ring().save(str(directory / f"{server}.ring.gz"))


def serve(directory, server, listener):
    """Runs a server in a child process."""
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the parent may have blocked it
    log = os.open(directory / f"{server}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    wsgi.get_socket = lambda conf: greenio.GreenSocket(listener)
    section = f"{server}-server"
    extra = {}
    if server == "object":
        from swift.obj import server as object_server
        extra["global_conf_callback"] = object_server.global_conf_callback
    sys.exit(wsgi.run_wsgi(str(directory / f"{server}.conf"), section, verbose=True, **extra))


def main():
    directory, servers = pathlib.Path(sys.argv[1]), sys.argv[2:]
    state = json.loads((directory / "node.json").read_text())
    ports, pids = state["ports"], state["pids"]
    listeners = {server: bound(ports.get(server, 0)) for server in servers}
    for server, listener in listeners.items():
        port = listener.getsockname()[1]
        if server in STORING and ports.get(server) != port:
            make_ring(directory, server, port)
        ports[server] = port
        conf = directory / f"{server}.conf"
        conf.write_text(conf.read_text().replace("bind_port = PORT", f"bind_port = {port}"))
    for server in servers:
        pid = os.fork()
        if pid == 0:
            for other, listener in listeners.items():
                if other != server:
                    listener.close()
            serve(directory, server, listeners[server])
        pids[server] = pid
    (directory / "node.json").write_text(json.dumps(state, indent=2))


main()
