"""Seals a message with dkimpy and writes the header fields of the new ARC set to standard output.

usage: arc_sign.py MESSAGE KEY SELECTOR DOMAIN AUTHSERV-ID
"""

import sys

import dkim

_, message, key, selector, domain, server = sys.argv
with open(message, "rb") as file:
    message = file.read()
with open(key, "rb") as file:
    key = file.read()
fields = dkim.arc_sign(message, selector.encode(), domain.encode(), key, server.encode())
sys.stdout.buffer.write(b"".join(field.rstrip(b"\r\n") + b"\r\n" for field in fields))
