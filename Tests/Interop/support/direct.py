"""Clients that want to be sent to a location: none of them has a word for it."""


def asked_for_direct(client):
    """A client whose requests for data ask to be sent to a location."""
    plain = client.get

    def get(url, *words, **named):
        return plain(f"{url}?direct=true" if url.endswith("/file") else url, *words, **named)

    client.get = get
    return client
