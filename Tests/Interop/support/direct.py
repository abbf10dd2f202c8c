"""Adds `direct=true` to the requests of clients that have no option for it."""


def asked_for_direct(client):
    """Makes a client's requests for data ask for a redirect to a location."""
    plain = client.get

    def get(url, *words, **named):
        return plain(f"{url}?direct=true" if url.endswith("/file") else url, *words, **named)

    client.get = get
    return client
