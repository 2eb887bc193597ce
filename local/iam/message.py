"""An HTTP request as it arrived, and who signed it for which service."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

_Value = TypeVar("_Value")

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


class Unreadable(Exception):
    """A request that is not understood here to the last detail, so that nobody knows what it would do."""


@dataclass(frozen=True)
class Signer:
    """Whose key, and what for; `token` proves that a temporary key came with its secret."""

    key: str
    token: str
    region: str
    service: str


@dataclass(frozen=True)
class Message:
    """One request; header names are in lower case, the target is as it was sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The JSON object that was sent. A name that comes twice could be read in two ways."""
        try:
            body = json.loads(self.body or b"{}", object_pairs_hook=single)
        except ValueError:
            raise Unreadable("no JSON") from None
        if not isinstance(body, dict) or "content-encoding" in self.headers:
            raise Unreadable("no plain JSON object")
        return body

    def signer(self) -> Signer | None:
        """Who signed; None for nobody. A request signed in two ways is not understood."""
        query = dict(self.query) if "X-Amz-" in self.target else {}
        presigned, header = query.get("X-Amz-Credential", ""), self.headers.get("authorization", "")
        if presigned and header:
            raise Unreadable("signed twice")
        found = _SCOPE.search(f"Credential={presigned}" if presigned else header)
        if found is None:
            return None
        token = query.get("X-Amz-Security-Token") or self.headers.get("x-amz-security-token", "")
        return Signer(found[1], token, found[2], found[3])


def single(pairs: list[tuple[str, _Value]]) -> dict[str, _Value]:
    """Names and values of a query, a form or an object; one that comes twice could be read in two ways."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a parameter comes twice")
    return found


def decoded(text: str) -> str:
    """A percent-encoded path, as the service reads it."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Unreadable("the path is no UTF-8") from None
