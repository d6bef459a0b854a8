"""Sends one message with aiosmtplib and prints what became of it, as JSON.

usage: aiosmtplib_send.py ORDER, a JSON file with port, implicit (TLS from the first octet), ca (a file), user, password, from, to (a
list) and message (a file).
"""

import asyncio
import json
import ssl
import sys

import aiosmtplib

with open(sys.argv[1], encoding="utf-8") as file:
    order = json.load(file)
with open(order["message"], "rb") as file:
    message = file.read()


async def main():
    server = aiosmtplib.SMTP(
        hostname="localhost",
        port=order["port"],
        local_hostname="python.example",
        use_tls=order["implicit"],
        start_tls=not order["implicit"],
        tls_context=ssl.create_default_context(cafile=order["ca"]),
    )
    async with server:
        await server.login(order["user"], order["password"])
        refused, reply = await server.sendmail(order["from"], order["to"], message, mail_options=["BODY=8BITMIME"])
    print(json.dumps({"refused": {recipient: answer.code for recipient, answer in refused.items()}, "reply": reply}))


asyncio.run(main())
