"""Serves SMTP with aiosmtpd until it is stopped, and writes each message it accepts as JSON into a folder.

usage: aiosmtpd_server.py PORT FOLDER CHAIN KEY USER PASSWORD [--implicit]
"""

import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# It warns that implicit TLS might be no TLS, and complains of clients that do not trust it: the test looks at both.
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

port, folder, chain, key, user, password, *rest = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(chain, key)


class Postbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        with open(f"{folder}/message.json", "w", encoding="utf-8") as file:
            json.dump(
                {
                    "from": envelope.mail_from,
                    "options": envelope.mail_options,
                    "to": envelope.rcpt_tos,
                    "content": envelope.content.decode(),
                    "user": session.auth_data,
                    "tls": session.ssl is not None or "--implicit" in rest,
                    "smtputf8": envelope.smtp_utf8,
                },
                file,
            )
        return "250 2.0.0 queued as 7"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == user.encode() and data.password == password.encode()
    return AuthResult(success=right, auth_data=user if right else None)


def serve():
    tls = {} if "--implicit" in rest else {"tls_context": context, "require_starttls": True}
    return SMTP(
        Postbox(),
        hostname="aiosmtpd.example",
        enable_SMTPUTF8=True,
        auth_required=True,
        auth_require_tls="--implicit" not in rest,
        authenticator=authenticate,
        **tls,
    )


async def main():
    implicit = {"ssl": context} if "--implicit" in rest else {}
    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", int(port), **implicit)
    await server.serve_forever()


asyncio.run(main())
