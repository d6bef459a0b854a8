"""Validates the ARC chain of messages with dkimpy, offline, and prints the result of each and why, as JSON.

usage: arc_verify.py RECORDS MESSAGE..., the former a JSON object from a TXT record's name to its text.
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


found = []
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        result, _, why = dkim.arc_verify(file.read(), dnsfunc=dns)
    found.append([result.decode() if result else None, why])
print(json.dumps(found))
