"""Answers with pyspf, dkimpy and authheaders what it reads as JSON from its input, offline, and prints the answers as JSON.

Each question comes with the records of its own DNS: `[name, type, data]`, the strings of a TXT in base64, or
`{"fail": "timeout" or "servfail"}` for data. They are given to the libraries in the place of their DNS library.
"""

import base64
import json
import logging
import sys
import types

import authheaders
import authheaders.dmarc_lookup
import dkim
import dns.exception
import dns.resolver
import spf
from authres import DKIMAuthenticationResult, SPFAuthenticationResult

logging.disable(logging.CRITICAL)


class Zone:
    """The records of one question."""

    def __init__(self, records):
        self.nodes = {}
        for name, kind, data in records:
            kinds = self.nodes.setdefault(name.lower().rstrip("."), {})
            if kind == "TXT" and isinstance(data, list):
                data = [base64.b64decode(string) for string in data]
            kinds.setdefault(kind, []).append(data)

    def find(self, name, kind):
        """The data of one type at a name, aliases not followed; raises what the DNS library raises for failures."""
        found = self.nodes.get(name.lower().rstrip("."), {}).get(kind, [])
        for data in found:
            if isinstance(data, dict):
                raise dns.exception.Timeout() if data["fail"] == "timeout" else dns.resolver.NoNameservers()
        return found

    def alias(self, name):
        """What a name stands for. No failure of its own: it comes with the answer to another question."""
        found = self.nodes.get(name.lower().rstrip("."), {}).get("CNAME", [])
        return [data for data in found if isinstance(data, str)]

    def follow(self, name, kind):
        for _ in range(16):
            found = self.find(name, kind)
            alias = self.alias(name)
            if found or not alias:
                return found
            name = alias[0]
        return []


def ask_spf(zone, question):
    def lookup(name, kind, strict=True, timeout=30):
        try:
            for alias in zone.alias(name):
                yield (name, "CNAME"), alias
            for data in zone.find(name, kind):
                yield (name, kind), tuple(data) if isinstance(data, list) else data
        except dns.exception.DNSException as error:
            raise spf.TempError(f"DNS {error}")

    spf.DNSLookup = lookup
    query = spf.query(i=question["ip"], s=question["mail_from"], h=question["helo"], receiver="unknown")
    query.set_default_explanation("DEFAULT")
    result, _, words = query.check()
    is_own = result != "fail" or words == "DEFAULT"
    return {"words": [result], "explanation": None if is_own else words}


def key_lookup(zone):
    def lookup(name, timeout=5):
        name = name.decode() if isinstance(name, bytes) else name
        found = zone.follow(name, "TXT")
        return b"".join(found[0]) if found else None

    return lookup


def ask_dkim(zone, question):
    message = base64.b64decode(question["message"])
    # The clock of the case, for this library alone.
    dkim.time = types.SimpleNamespace(time=lambda: question["now"])
    words = []
    try:
        fields = dkim.rfc822_parse(message)[0]
    except dkim.MessageFormatError:
        return {"words": ["permerror"]}
    for index in range(sum(name.lower() == b"dkim-signature" for name, _ in fields)):
        try:
            is_valid = dkim.DKIM(message).verify(idx=index, dnsfunc=key_lookup(zone))
            words.append("pass" if is_valid else "fail")
        except (dkim.DnsTimeoutError, dns.exception.DNSException):
            words.append("temperror")
        except dkim.DKIMException as error:
            words.append("fail" if "body hash mismatch" in str(error) else "permerror")
        except Exception as error:
            words.append(type(error).__name__)
    return {"words": words}


def ask_arc(zone, question):
    try:
        result, _, _ = dkim.ARC(base64.b64decode(question["message"])).verify(dnsfunc=key_lookup(zone))
    except dkim.DKIMException:
        return {"words": ["fail"]}
    except Exception as error:
        return {"words": [type(error).__name__]}
    return {"words": [result.decode() if result else "none"]}


def ask_dmarc(zone, question):
    def resolve(name, kind="TXT"):
        found = zone.follow(str(name), kind.upper())
        if not found:
            raise dns.resolver.NXDOMAIN()
        if kind.upper() != "TXT":
            return found
        return [" ".join('"' + string.decode("utf-8", "replace") + '"' for string in strings) for strings in found]

    authheaders.dmarc_lookup.resolve = resolve
    sender = [
        SPFAuthenticationResult(result=result, smtp_mailfrom=f"ada@{domain}") for domain, result in question["spf"]
    ]
    # It takes one signature: the best outcome of any is its answer.
    outcomes = []
    for domain, result in question["dkim"] or [("", "none")]:
        signature = DKIMAuthenticationResult(result=result, header_d=domain.rstrip(".").lower())
        try:
            result, _, _, policy = authheaders.dmarc_per_from(
                question["from"].lower(),
                sender[0] if sender else None,
                signature,
                dmarcbis=question["tree_walk"],
            )
            outcomes.append((result, policy))
        except dns.exception.DNSException:
            outcomes.append(("temperror", None))
        except authheaders.dmarc_lookup.DMARCException:
            outcomes.append(("permerror", None))
        except Exception as error:
            outcomes.append((type(error).__name__, None))
    result, policy = next((one for one in outcomes if one[0] == "pass"), outcomes[0])
    return {"words": [result], "disposition": policy}


ASK = {"spf": ask_spf, "dkim": ask_dkim, "arc": ask_arc, "dmarc": ask_dmarc}

answers = []
for case in json.load(sys.stdin):
    ((kind, question),) = case["question"].items()
    answers.append(ASK[kind](Zone(case["records"]), question))
print(json.dumps(answers))
