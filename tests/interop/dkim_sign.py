"""Signs a message with dkimpy and writes the DKIM-Signature header field to standard output.

usage: dkim_sign.py MESSAGE KEY SELECTOR DOMAIN ALGORITHM HEADER-CANONICALIZATION BODY-CANONICALIZATION
"""

import sys

import dkim

_, message, key, selector, domain, algorithm, header, body = sys.argv
with open(message, "rb") as file:
    message = file.read()
with open(key, "rb") as file:
    key = file.read()
signature = dkim.sign(
    message,
    selector.encode(),
    domain.encode(),
    key,
    canonicalize=(header.encode(), body.encode()),
    signature_algorithm=algorithm.encode(),
)
sys.stdout.buffer.write(signature)
