"""Calls the handlers with the events that API Gateway sends."""

import copy
import importlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from agent_memory.domain.limits import NO_LIMITS, Limits
from agent_memory.entrypoints.http import scopes

EVENTS = Path(__file__).parent / "events"
ROUTES = Path(__file__).parent.parent / "terraform/modules/agent-memory/routes.json"


@cache
def functions() -> dict[str, str]:
    """The function of each route."""
    return {route["route"]: route["function"] for route in json.loads(ROUTES.read_text())}


@cache
def an_event(name: str = "request") -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@dataclass
class Reply:
    """An answer as the caller sees it."""

    status: int
    headers: dict[str, str]
    text: str | None

    @property
    def json(self) -> Any:
        return json.loads(self.text or "null")

    @property
    def data(self) -> Any:
        assert self.status < 300, self.text
        return self.json["data"]

    @property
    def error(self) -> Any:
        assert set(self.json) == {"error", "meta"}
        return self.json["error"]


@dataclass
class Edge:
    """The API as one caller sees it; `context` is what the authorizer says of the caller."""

    tenant_id: str = "acme"
    scopes: str = "read write"
    limits: Limits = NO_LIMITS

    @property
    def context(self) -> dict[str, str]:
        key = self.tenant_id.encode().hex()
        told = {"tenant_id": self.tenant_id, "scopes": self.scopes, "key_id": "k", "cursor_key": key}
        return told | ({"limits": self.limits.write()} if self.limits != NO_LIMITS else {})

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **fields: Any) -> Reply:
        """Send a request; `body` is JSON or text, `key` an idempotency key, `fields` overwrite the event's."""
        event = self.event(method, path, body, key) | fields
        answer = self.invoke(event)
        return Reply(answer["statusCode"], answer["headers"], answer.get("body"))

    def event(self, method: str, path: str, body: Any = None, key: str | None = None) -> dict[str, Any]:
        """The event of a request."""
        raw_path, _, query = path.partition("?")
        route, parameters = _route(method, raw_path)
        event = copy.deepcopy(an_event())
        event |= {"routeKey": route, "rawPath": raw_path, "rawQueryString": query}
        event["requestContext"]["authorizer"] = {"lambda": self.context} if scopes()[route] else None
        if parameters:
            event["pathParameters"] = parameters
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        return event

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let the function of the event's route answer."""
        module = importlib.import_module(f"agent_memory.entrypoints.{functions()[event['routeKey']]}")
        answer: dict[str, Any] = module.handler(event, None)
        return answer


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    """Match as the gateway does: the most literal route first, parameters decoded."""
    for route in sorted(functions(), key=lambda route: route.count("{")):
        wanted, _, template = route.partition(" ")
        match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
        if wanted == method and match:
            return route, {name: unquote(value) for name, value in match.groupdict().items()}
    return "$default", {}
