"""An HTTP API event (payload 2.0) as the routes see it."""

import base64
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from agent_memory.domain.idempotency import Attempt
from agent_memory.domain.identifiers import from_path
from agent_memory.domain.json_document import parse
from agent_memory.domain.limits import NO_LIMITS, Limits
from agent_memory.errors import Forbidden, InvalidRequest, PayloadTooLarge, Unauthorized
from agent_memory.service.validation import invalid_request

MAX_BODY_BYTES = 2_500_000
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Caller:
    """What the authorizer says; nothing of it ever comes from the request."""

    tenant_id: str
    scopes: tuple[str, ...]
    cursor_key: bytes
    limits: Limits = NO_LIMITS

    @classmethod
    def of(cls, event: dict[str, Any]) -> "Caller":
        """Read the authorizer's context.

        Raises:
            Unauthorized: it names no tenant.
        """
        if not tenant_of(event):
            raise Unauthorized("the API key is malformed, unknown, expired or revoked")
        context = _context(event)
        scopes, cursor_key = tuple(context["scopes"].split()), bytes.fromhex(context["cursor_key"])
        return cls(context["tenant_id"], scopes, cursor_key, Limits.read(context.get("limits")))

    def check(self, scope: str) -> None:
        """Look whether the key is good for it.

        Raises:
            Forbidden: the key lacks the scope.
        """
        if scope not in self.scopes:
            raise Forbidden(f"the API key lacks the scope {scope}", details={"scope": scope})


def tenant_of(event: dict[str, Any]) -> str | None:
    """Whose key the request carries, whatever the key may do."""
    tenant_id: str | None = _context(event).get("tenant_id")
    return tenant_id or None


def _context(event: dict[str, Any]) -> dict[str, Any]:
    return (event["requestContext"].get("authorizer") or {}).get("lambda") or {}


@dataclass
class Request:
    """One request of an authenticated caller."""

    event: dict[str, Any]
    caller: Caller
    attempt: Attempt = field(default_factory=Attempt)
    began: float = field(default_factory=time.monotonic)  # when this function took it up

    @property
    def tenant_id(self) -> str:
        """Whose records the request is about."""
        return self.caller.tenant_id

    @cached_property
    def raw_body(self) -> bytes:
        """The body's bytes.

        Raises:
            PayloadTooLarge: over 2.5 MB.
            InvalidRequest: the gateway's base64 cannot be read.
        """
        body = self.event.get("body") or ""
        if not self.event.get("isBase64Encoded"):
            raw = body.encode("utf-8", "surrogatepass")
        else:
            try:
                raw = base64.b64decode(body, validate=True)
            except ValueError:
                raise InvalidRequest.of("body", "must be readable") from None
        if len(raw) > MAX_BODY_BYTES:
            raise PayloadTooLarge(
                f"the body has {len(raw)} bytes; at most {MAX_BODY_BYTES} are taken",
                details={"bytes": len(raw), "limit": MAX_BODY_BYTES},
            )
        return raw

    def path_id(self, name: str) -> str:
        """Read an id out of the path.

        Raises:
            InvalidRequest: neither plain nor the `~` form.
        """
        segment = (self.event.get("pathParameters") or {}).get(name) or ""
        try:
            return from_path(segment)
        except ValueError as exc:
            raise InvalidRequest.of(name, str(exc)) from None

    @cached_property
    def json(self) -> Any:
        """The body as it was written.

        Raises:
            InvalidRequest: not UTF-8, or not strict JSON.
        """
        try:
            text = self.raw_body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest.of("body", "must be UTF-8") from None
        return parse(text)

    def body(self, model: type[ModelT]) -> ModelT:
        """Read the body as a model.

        Raises:
            InvalidRequest: not UTF-8, not strict JSON, or against a rule of the model.
        """
        return _validated(model, self.json)

    def query(self, model: type[ModelT]) -> ModelT:
        """Read the query as a model; `metadata.<key>=<value>` becomes an entry of `metadata`.

        Raises:
            InvalidRequest: broken UTF-8, a name given twice, or against a rule of the model.
        """
        given: dict[str, str] = {}
        for name, value in self._query_pairs():
            if name in given:
                raise InvalidRequest.of(name, "must be given once")
            given[name] = value
        if "metadata" in given:
            raise InvalidRequest.of("metadata", "must be given as metadata.<key>=<value>")
        prefix = "metadata."
        fields: dict[str, Any] = {name: value for name, value in given.items() if not name.startswith(prefix)}
        if metadata := {name.removeprefix(prefix): given[name] for name in sorted(given.keys() - fields.keys())}:
            fields["metadata"] = metadata
        try:
            return model.model_validate_strings(fields)
        except ValidationError as exc:
            raise invalid_request(exc) from None

    def _query_pairs(self) -> list[tuple[str, str]]:
        try:
            return parse_qsl(self.event.get("rawQueryString") or "", keep_blank_values=True, errors="strict")
        except ValueError:
            raise InvalidRequest.of("query", "must be percent-encoded UTF-8") from None


def _validated(model: type[ModelT], value: Any) -> ModelT:
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise invalid_request(exc) from None
