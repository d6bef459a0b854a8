"""Prints what moto was sent: by its own pages, and the count that Amazon's SDK reads."""
import json
import sys
import urllib.request

import boto3

base, key_id, secret = sys.argv[1:]
data = json.loads(urllib.request.urlopen(base + "/moto-api/data.json").read())["ses"]
client = boto3.client(
    "ses", endpoint_url=base, region_name="eu-west-1", aws_access_key_id=key_id, aws_secret_access_key=secret
)
print(
    json.dumps(
        {
            "messages": data["Message"],
            "raw": data["RawMessage"],
            "sent": client.get_send_quota()["SentLast24Hours"],
        }
    )
)
