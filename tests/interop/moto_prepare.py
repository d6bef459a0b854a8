"""Makes a user of moto's who may send, and a verified domain; from then on moto checks signatures. Prints the key."""
import json
import sys
import urllib.request

import boto3

base = sys.argv[1]
client = dict(
    endpoint_url=base, region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
)
iam = boto3.client("iam", **client)
iam.create_user(UserName="mailer")
key = iam.create_access_key(UserName="mailer")["AccessKey"]
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:*", "Resource": "*"}]}
iam.put_user_policy(UserName="mailer", PolicyName="send", PolicyDocument=json.dumps(policy))
boto3.client("sesv2", **client).create_email_identity(EmailIdentity="example.com")
# A content type of a form would be read as one.
checked = urllib.request.Request(
    base + "/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST"
)
urllib.request.urlopen(checked).read()
print(json.dumps({"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}))
