"""Verifies every DKIM signature of a message with dkimpy, offline, and prints a list of verdicts as JSON.

usage: dkim_verify.py MESSAGE RECORDS, the latter a JSON object from a TXT record's name to its text.
"""

import json
import sys

import dkim

with open(sys.argv[1], "rb") as file:
    message = file.read()
with open(sys.argv[2], encoding="utf-8") as file:
    records = json.load(file)


def dns(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    found = records.get(name.rstrip("."))
    return found.encode() if found else None


count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(message)[0])
verdicts = []
for index in range(count):
    try:
        verdicts.append(bool(dkim.DKIM(message).verify(idx=index, dnsfunc=dns)))
    except dkim.DKIMException as error:
        verdicts.append(f"{type(error).__name__}: {error}")
print(json.dumps(verdicts))
