"""Our signatures are the ones that the AWS SDK makes."""

from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import quote

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.adapters.sigv4 import Credentials, connect_token, signed_headers

word = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
secret = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
credentials = st.tuples(secret, secret, st.none() | secret)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
model_ids = st.text("abc.:/-_~ %+é", max_size=40).map("m{}".format)  # "." alone would be a step in the path
paths = st.just("/") | st.just("/Execute") | model_ids.map(lambda model: f"/model/{quote(model, safe='')}/invoke")


@given(credentials, word, word, word, paths, st.binary(max_size=300), moments)
def test_the_signature_equals_botocores(
    keys: tuple[str, str, str | None], service: str, region: str, target: str, path: str, body: bytes, at: datetime
) -> None:
    host = f"{service}.{region}.amazonaws.com"
    headers = {"host": host, "content-type": "application/x-amz-json-1.0", "x-amz-target": target}
    ours = signed_headers(
        Credentials(*keys),
        service=service,
        region=region,
        headers=headers,
        body=body,
        path=path,
        at=at.replace(tzinfo=UTC),
    )

    theirs = AWSRequest("POST", f"https://{host}{path}", headers=headers, data=body)
    with patch.object(botocore.auth, "get_current_datetime", lambda: at):
        botocore.auth.SigV4Auth(BotoCredentials(*keys), service, region).add_auth(theirs)

    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


@settings(max_examples=20)  # each makes a client of the SDK
@given(credentials, word.map("a{}".format), word.map("a{}".format), st.integers(1, 65535), secret, moments)
def test_the_token_that_logs_in_equals_botocores(
    keys: tuple[str, str, str | None], region: str, host: str, port: int, user: str, at: datetime
) -> None:
    ours = connect_token(Credentials(*keys), region=region, host=host, port=port, user=user, at=at.replace(tzinfo=UTC))

    client = boto3.Session(*keys).client("rds", region_name="us-east-1")
    with patch.object(botocore.auth, "get_current_datetime", lambda: at):
        theirs = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user, Region=region)

    assert ours == theirs
