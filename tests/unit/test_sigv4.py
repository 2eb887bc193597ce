"""Our signature is the one that the AWS SDK makes."""

from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.adapters.sigv4 import Credentials, signed_headers

word = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
secret = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001


@given(st.tuples(secret, secret, st.none() | secret), word, word, word, st.binary(max_size=300), moments)
def test_the_signature_equals_botocores(
    credentials: tuple[str, str, str | None], service: str, region: str, target: str, body: bytes, at: datetime
) -> None:
    host = f"{service}.{region}.amazonaws.com"
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": target}
    ours = signed_headers(
        Credentials(*credentials),
        service=service,
        region=region,
        host=host,
        headers=headers,
        body=body,
        at=at.replace(tzinfo=UTC),
    )

    theirs = AWSRequest("POST", f"https://{host}/", headers=headers, data=body)
    with patch.object(botocore.auth, "get_current_datetime", lambda: at):
        botocore.auth.SigV4Auth(BotoCredentials(*credentials), service, region).add_auth(theirs)

    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")
