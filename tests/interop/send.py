"""Sends one message with smtplib and prints what became of it, as JSON.

usage: send.py ORDER, a JSON file with port, from, to (a list), message (a file), and if wanted ca (a file, for STARTTLS),
user and password.
"""

import json
import smtplib
import ssl
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    order = json.load(file)
with open(order["message"], "rb") as file:
    message = file.read()

seen = {}
with smtplib.SMTP("127.0.0.1", order["port"], local_hostname="python.example", timeout=30) as server:
    server.ehlo()
    seen["extensions"] = sorted(server.esmtp_features)
    if "ca" in order:
        server.starttls(context=ssl.create_default_context(cafile=order["ca"]))
        server.ehlo()
        seen["tls"] = server.sock.version()
    if "user" in order:
        code, _ = server.login(order["user"], order["password"])
        seen["login"] = code
    options = ["BODY=8BITMIME"] if any(byte > 127 for byte in message) else []
    try:
        refused = server.sendmail(order["from"], order["to"], message, mail_options=options)
        seen["refused"] = {recipient: code for recipient, (code, _) in refused.items()}
    except smtplib.SMTPRecipientsRefused as error:
        seen["refused"] = {recipient: code for recipient, (code, _) in error.recipients.items()}
print(json.dumps(seen))
