"""What DynamoDB does and moto does not: one write at a time to an item, and refusals that moto has not learned."""

import io
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_BETWEEN = re.compile(r"BETWEEN (:\w+) AND (:\w+)")
_MAX_DIGITS = 38


def strict(app: Wsgi) -> Wsgi:
    """Wrap moto's application."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        refusal = _refusal(json.loads(body)) if body.startswith(b"{") else None
        if refusal:
            start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
            return [json.dumps({"__type": "x#ValidationException", "message": refusal}).encode()]
        with lock:
            return list(app(environ, start_response))

    return serve


def _refusal(request: dict[str, Any]) -> str | None:
    values = request.get("ExpressionAttributeValues", {})
    for low, high in _BETWEEN.findall(request.get("KeyConditionExpression", "")):
        if values[low]["S"] > values[high]["S"]:
            return "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
    if any(len(number.strip("-0")) > _MAX_DIGITS for number in _numbers(request)):
        return "Attempting to store more than 38 significant digits in a Number"
    return None


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"N"}:
            yield str(value["N"])
        for member in value.values():
            yield from _numbers(member)
    elif isinstance(value, list):
        for member in value:
            yield from _numbers(member)
