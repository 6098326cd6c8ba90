#!/usr/bin/env python3
"""Writes cache entries as sypht-credential would: forge.py DIRECTORY TOKEN_URL CLIENT_ID [TOKEN]

For measurements that are about warm caches and not about how they got warm.
"""

import os
import sys
import time

LIFETIME_S = 3600


def digest(key):
    """FNV-1a, 64 bits, by which the cache names its files."""
    value = 14695981039346656037
    for byte in key:
        value = (value ^ byte) * 1099511628211 % 2**64
    return f"{value:016x}"


def forge(directory, token_url, client_id, token="x" * 43):
    key = f"token_url={token_url}\nclient_id={client_id}\n"
    now = int(time.time())
    text = f"{key}obtained={now}\nexpires={now + LIFETIME_S}\ncredential={token}\n\n"

    os.makedirs(directory, mode=0o700, exist_ok=True)
    path = os.path.join(directory, digest(key.encode()) + ".token")
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


if __name__ == "__main__":
    forge(*sys.argv[1:])
