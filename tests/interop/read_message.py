"""Reads a message with Python's own parser and prints what a person would see, as JSON.

usage: read_message.py MESSAGE
"""

import base64
import email
import email.policy
import json
import sys

with open(sys.argv[1], "rb") as file:
    message = email.message_from_binary_file(file, policy=email.policy.default)


def people(name):
    return [[a.display_name, a.addr_spec] for a in message[name].addresses] if name in message else []


def body(kind):
    part = message.get_body(preferencelist=(kind,))
    return part.get_content() if part else None


def content(part):
    found = part.get_content()
    return base64.b64encode(found.encode() if isinstance(found, str) else found).decode()


defects = [str(defect) for part in message.walk() for defect in part.defects]
defects += [f"{name}: {defect}" for part in message.walk() for name in part for defect in part[name].defects]
files = [part for part in message.walk() if part.get_filename() or part["Content-ID"]]
print(
    json.dumps(
        {
            "subject": message["Subject"],
            "from": people("From"),
            "to": people("To"),
            "cc": people("Cc"),
            "bcc": people("Bcc"),
            "date": message["Date"].datetime.isoformat(),
            "message_id": message["Message-ID"],
            "text": body("plain"),
            "html": body("html"),
            "files": [
                {
                    "name": part.get_filename(),
                    "type": part.get_content_type(),
                    "id": part["Content-ID"],
                    "disposition": part.get_content_disposition(),
                    "content": content(part),
                }
                for part in files
            ],
            "defects": defects,
        }
    )
)
