"""AWS Signature Version 4 of a POST, and of a URL (AWS IAM user guide, "Create a signed AWS API request")."""

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None

    @classmethod
    def from_environment(cls) -> "Credentials":
        """What Lambda gives a function, read at each request: strings in memory, and a rotated set is used at once."""
        return cls(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_SESSION_TOKEN"),
        )


CredentialSource = Callable[[float], Credentials]
"""Whose credentials sign a request that has to be answered by a time of time.monotonic()."""


def own_role(_deadline: float) -> Credentials:
    """`CredentialSource` of the function itself."""
    return Credentials.from_environment()


def signed_headers(
    credentials: Credentials,
    *,
    service: str,
    region: str,
    headers: Mapping[str, str],
    body: bytes,
    path: str = "/",
    at: datetime | None = None,
) -> dict[str, str]:
    """Return the headers to send, signature included; the names in `headers` are lower case, `host` among them.

    `path` is the one that is sent, percent-encoded already: every service but S3 signs it encoded once more.
    """
    timestamp = _timestamp(at)
    signed = {**headers, "x-amz-date": timestamp}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"POST\n{quote(path, safe='/~')}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = _scope(timestamp, region, service)
    signature = _signature(credentials, timestamp, scope, canonical)
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


def connect_token(
    credentials: Credentials, *, region: str, host: str, port: int, user: str, at: datetime | None = None
) -> str:
    """Return a password of PostgreSQL on RDS: a signed URL that opens connections as `user` for 15 minutes."""
    timestamp = _timestamp(at)
    scope = _scope(timestamp, region, "rds-db")
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        query["X-Amz-Security-Token"] = credentials.session_token
    parts = [f"{name}={quote(value, safe='-_.~')}" for name, value in query.items()]
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/\n{'&'.join(sorted(parts))}\nhost:{host}:{port}\n\nhost\n{nothing}"
    signature = _signature(credentials, timestamp, scope, canonical)
    return f"{host}:{port}/?{'&'.join(parts)}&X-Amz-Signature={signature}"


def _timestamp(at: datetime | None) -> str:
    return f"{at or datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def _scope(timestamp: str, region: str, service: str) -> str:
    return f"{timestamp[:8]}/{region}/{service}/aws4_request"


def _signature(credentials: Credentials, timestamp: str, scope: str, canonical: str) -> str:
    to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_access_key, scope)
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
