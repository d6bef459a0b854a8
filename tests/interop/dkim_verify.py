"""Verifies every DKIM signature of messages with dkimpy, offline, and prints a list of verdicts for each message, as JSON.

usage: dkim_verify.py RECORDS MESSAGE..., the former a JSON object from a TXT record's name to its text.
"""

import json
import sys

import dkim

with open(sys.argv[1], encoding="utf-8") as file:
    records = json.load(file)


def dns(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    found = records.get(name.rstrip("."))
    return found.encode() if found else None


def verdicts(message):
    count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.rfc822_parse(message)[0])
    for index in range(count):
        try:
            yield bool(dkim.DKIM(message).verify(idx=index, dnsfunc=dns))
        except dkim.DKIMException as error:
            yield f"{type(error).__name__}: {error}"


found = []
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        found.append(list(verdicts(file.read())))
print(json.dumps(found))
