"""What the deployment's routes take, read from the files that they are made of.

A route that comes to `routes.json` comes to the matrix by itself. What it takes is read from `docs/openapi.json`; an id
that nobody here knows a foreign value of leaves its cell unfilled, and an unfilled cell fails the run.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from agent_memory.domain.identifiers import to_path
from tests.isolation.wire import Ask

ROOT = Path(__file__).resolve().parent.parent.parent
Ids = Mapping[str, str]
# What a request says beside ids, where it has to say something.
_FILLERS: Mapping[str, Any] = {
    "data": {"note": "nothing"},
    "content": "Nothing that matters.",
    "summary": "Nothing that matters.",
    "type": "observation",
    "query": "what matters",
    "message": "what matters",
    "trigger": "what matters",
    "steps": ["Nothing that matters."],
    "template": "Nothing that matters.",
    "version": 1,
    "scopes": ["read"],
    "label": "attack",
    "bytes": 6,
    "sha256": "0" * 64,
    "state": {"note": "nothing"},
    "status": "waiting",
    "tool": "search",
    "arguments_hash": "0" * 64,
    "lease_s": 60,
    "result": {"note": "nothing"},
    "error": {"note": "nothing"},
    "subject": "the spare key",
    "predicate": "lies under",
    "value": "the first stone",
}


# What a deployment may not take: no form of a body is made of it.
_OPTIONAL = {"transcript"}
# What stands in a path beside ids.
_NUMBERS = {"step": "1"}


class Unfilled(AssertionError):
    """The pack does not know how to attack something: that is a hole in it, not a wall."""


def is_id(name: str) -> bool:
    """Whether a field names something of a tenant's."""
    return name in {"id", "name", "namespace"} or (name.endswith("_id") and name != "tenant_id")


@dataclass(frozen=True)
class Route:
    """One route: where ids stand in its requests, and whatever else it takes."""

    name: str
    scope: str | None
    operation: Mapping[str, Any]

    @property
    def method(self) -> str:
        """The method; GET for what has no route of its own."""
        return self.name.partition(" ")[0] if " " in self.name else "GET"

    @property
    def template(self) -> str:
        """The path; of what has no route of its own, one that does not exist."""
        return self.name.partition(" ")[2] or "/v1/no/such/route"

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET" and self.scope not in (None, "read")

    @property
    def path_ids(self) -> tuple[str, ...]:
        """Names of the ids in the path."""
        return tuple(filter(is_id, re.findall(r"\{(\w+)\+?\}", self.template)))

    @property
    def query_fields(self) -> tuple[str, ...]:
        """Names of what stands in the query."""
        return tuple(each["name"] for each in self.operation.get("parameters", []) if each["in"] == "query")

    @property
    def query_ids(self) -> tuple[str, ...]:
        """Names of the ids in the query."""
        return tuple(filter(is_id, self.query_fields))

    @property
    def required_query(self) -> tuple[str, ...]:
        """Names of what has to stand in the query."""
        return tuple(
            e["name"] for e in self.operation.get("parameters", []) if e["in"] == "query" and e.get("required")
        )

    @property
    def body_ids(self) -> tuple[str, ...]:
        """Names of the ids in the body, in whichever form of it."""
        return tuple(dict.fromkeys(name for form in self.forms for name in form["properties"] if is_id(name)))

    @property
    def body_fields(self) -> frozenset[str]:
        """Names of all that may stand in the body, in whichever form of it."""
        return frozenset(name for form in self.forms for name in form["properties"])

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of all ids."""
        return tuple(dict.fromkeys(self.path_ids + self.query_ids + self.body_ids))

    @property
    def takes_cursor(self) -> bool:
        """Whether it gives pages."""
        return "cursor" in self.query_fields or "cursor" in self.body_fields

    @property
    def forms(self) -> list[Any]:
        """The schemas that a body may follow: of a batch, those of its items."""
        content = self.operation.get("requestBody", {}).get("content", {})
        if not content:
            return []
        forms = _forms(content["application/json"]["schema"])
        return _batched(self.name) if self.is_batch(forms) else forms

    @staticmethod
    def is_batch(forms: list[Any]) -> bool:
        """Whether a body holds items and nothing else."""
        return any(set(form["properties"]) == {"items"} for form in forms)

    def asks(self, ids: Ids, extra: Mapping[str, Any] | None = None, *, all_ids: bool = True) -> Iterator[Ask]:
        """The requests of this route, one for each form of its body, with these ids wherever they may stand.

        With `all_ids` false only what is required is said. `extra` goes into the body, or else into the query.
        """
        extra = extra or {}
        query = [(n, self._value(n, ids)) for n in self.query_ids if all_ids or n in self.required_query]
        for form in self.forms or [None]:
            body = None if form is None else self._body(form, ids, extra, all_ids=all_ids)
            told = [] if form else [(name, str(value)) for name, value in extra.items()]
            yield Ask(self.method, self.path(ids), (*query, *told), body)

    def path(self, ids: Ids) -> str:
        """The path with these ids, written as the contract says."""
        return re.sub(r"\{(\w+)\+?\}", lambda found: self._in_path(found[1], ids), self.template)

    def _in_path(self, name: str, ids: Ids) -> str:
        return _NUMBERS.get(name) or to_path(self._value(name, ids))

    def _body(self, form: Any, ids: Ids, extra: Mapping[str, Any], *, all_ids: bool) -> Any:
        required = form.get("required", [])
        body = {}
        for name in form["properties"]:
            if name in extra:
                body[name] = extra[name]
            elif is_id(name):
                if all_ids or name in required:
                    body[name] = self._value(name, ids)
            elif name in required:
                if name not in _FILLERS:
                    raise Unfilled(f"{self.name} wants {name}: give the pack a value for it (routes.py)")
                body[name] = _FILLERS[name]
        return {"items": [body]} if self._takes_items() else body

    def _takes_items(self) -> bool:
        return self.is_batch(_forms(self.operation["requestBody"]["content"]["application/json"]["schema"]))

    def _value(self, name: str, ids: Ids) -> str:
        if name not in ids:
            raise Unfilled(f"{self.name} takes {name}: let the pack plant one (planting.py)")
        return ids[name]


@cache
def document() -> Any:
    """The description of the API."""
    return json.loads((ROOT / "docs" / "openapi.json").read_text())


@cache
def routes() -> tuple[Route, ...]:
    """Every route that Terraform makes, in its order."""
    listed = json.loads((ROOT / "terraform" / "modules" / "agent-memory" / "routes.json").read_text())
    return tuple(Route(each["route"], each["scope"], _operation(each["route"])) for each in listed)


def route(name: str) -> Route | None:
    """The route of this name, if there is one."""
    return next((each for each in routes() if each.name == name), None)


def _operation(name: str) -> Mapping[str, Any]:
    method, _, path = name.partition(" ")
    if not path:
        return {}
    try:
        operation: Mapping[str, Any] = document()["paths"][path][method.lower()]
    except KeyError:
        raise Unfilled(f"{name} is not described in docs/openapi.json") from None
    return operation


def _forms(schema: Any) -> list[Any]:
    if "$ref" in schema:
        return _forms(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return [form for each in schema["anyOf"] for form in _forms(each)]
    return list(_alternatives(schema)) if "oneOf" in schema else [schema]


def _alternatives(schema: Any) -> Iterator[Any]:
    """A form for each of the fields of which exactly one is given."""
    ways = [way["required"] for way in schema["oneOf"]]
    for way in ways:
        if not _OPTIONAL.isdisjoint(way):
            continue
        others = {name for each in ways for name in each} - set(way)
        properties = {name: field for name, field in schema["properties"].items() if name not in others}
        yield schema | {"properties": properties, "required": [*schema.get("required", []), *way]}


def _batched(name: str) -> list[Any]:
    """An item of a batch is what the route takes that the batch is of."""
    alone = name.removesuffix("/batch")
    one = route(alone) or route(alone.replace("POST ", "PUT "))
    if one is None or one.name == name:
        raise Unfilled(f"{name} takes items of an unknown shape")
    return one.forms
