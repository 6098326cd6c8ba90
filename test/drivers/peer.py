#!/usr/bin/env python3
"""A server that no sandbox would be:  peer.py MODE…

Listens on a loopback port of the kernel's choice and prints its number; ends when its stdin does.

  silent              takes no connection: the kernel drops what comes, as a black hole does
  nonsense            answers every connection with a line that is no HTTP
  refuses BODY        answers every request with status 400 and these bytes
  parrot              the same with an "error" that repeats the assertion, whole and in part
  tls PEM VERSION     the same behind TLS up to that version, with certificate and key from PEM
"""
import json
import os
import re
import socket
import ssl
import sys
import threading


def fill_queue(listener):
    """Once enough wait to be taken, the kernel drops whoever comes."""
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    return waiting


def nonsense(client):
    client.recv(65536)
    client.sendall(b"220 this is not the protocol you are looking for\r\n")
    client.close()


def read_request(client):
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += client.recv(65536)
    return body.decode()


def refuse(client, body):
    client.sendall(b"HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    client.close()


def refuses(body):
    def talk(client):
        read_request(client)
        refuse(client, os.fsencode(body))
    return talk


def parrot(client):
    assertion = re.search("client_assertion=([^&]*)", read_request(client))[1]
    head, claims, signature = assertion.split(".")
    refuse(client, json.dumps({"error": f"parrot: {assertion}",
                               "error_description": f"{head}.{claims} and .{signature}"}).encode())


def behind_tls(pem, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = getattr(ssl.TLSVersion, version)
    return lambda client: nonsense(context.wrap_socket(client, server_side=True))


def serve(listener, talk):
    while True:
        client, _ = listener.accept()
        try:
            talk(client)
        except OSError:
            client.close()


def main():
    mode, *arguments = sys.argv[1:]
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0 if mode == "silent" else 16)
    if mode == "silent":
        waiting = fill_queue(listener)
    else:
        talk = {"tls": behind_tls, "refuses": refuses}[mode](*arguments) if arguments else \
            {"nonsense": nonsense, "parrot": parrot}[mode]
        threading.Thread(target=serve, args=(listener, talk), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


main()
