"""Serves Keystone on a free loopback port with waitress; the first line of output is the port."""

import signal

from keystone.server import wsgi
import waitress


def main():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the parent may have blocked it
    server = waitress.create_server(wsgi.initialize_public_application(), host="127.0.0.1", port=0, threads=4)
    print(server.effective_port, flush=True)
    server.run()


main()
