"""The edge that every HTTP function shares: who calls, which route, and what goes back.

A request passes: authorizer context -> limits -> scope -> idempotency key -> route -> envelope. Every error of the
tree becomes its status here and nowhere else; whatever is not in the tree is a bug and becomes the same plain 500.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from agent_memory import errors, logs
from agent_memory.acting import acting_for
from agent_memory.bootstrap import clients, counting, records
from agent_memory.domain import idempotency
from agent_memory.domain.fields import JsonObject
from agent_memory.domain.idempotency import AlreadyAnswered, Answer, Attempt, IdempotencyRecord
from agent_memory.domain.json_document import RawJson, dumps
from agent_memory.domain.times import now
from agent_memory.entrypoints.request import Caller, Request, tenant_of

_STATUS: Mapping[type[errors.AgentMemoryError], tuple[int, str]] = {
    errors.InvalidRequest: (400, "VALIDATION_ERROR"),
    errors.Unauthorized: (401, "UNAUTHORIZED"),
    errors.Forbidden: (403, "FORBIDDEN"),
    errors.NotFound: (404, "NOT_FOUND"),
    errors.Conflict: (409, "CONFLICT"),
    errors.InProgress: (409, "IN_PROGRESS"),
    errors.PayloadTooLarge: (413, "PAYLOAD_TOO_LARGE"),
    errors.RateLimited: (429, "RATE_LIMITED"),
    errors.StoreUnavailable: (503, "UNAVAILABLE"),
}
# These say nothing of the request itself, so a repetition has to be judged afresh.
_NEVER_REMEMBERED = (errors.InProgress, errors.RateLimited, errors.StoreUnavailable)


@dataclass(frozen=True)
class Response:
    """What a route answers: `data` goes into the envelope, `meta` beside the request's id and latency."""

    status: int
    data: Any = None
    meta: JsonObject = field(default_factory=dict)


Route = Callable[[Request], Response]
Handler = Callable[[dict[str, Any], object], JsonObject]


def api(routes: Mapping[str, Route], *, counted: bool = True) -> Handler:
    """Make the Lambda handler of a function that serves these routes, which count as usage unless told otherwise.

    What is not counted is not limited either.
    """

    def handler(event: dict[str, Any], context: object) -> JsonObject:
        # Whatever became of the request before, and whatever becomes of this one.
        with acting_for(tenant_of(event)):
            return serve(event, context)

    def serve(event: dict[str, Any], _context: object) -> JsonObject:
        started, calls = time.perf_counter(), clients.data_calls()
        request_id, route = event["requestContext"]["requestId"], event["routeKey"]
        status, answer, headers = _answer(event, routes, route, counted=counted)
        # Written before the clock is read: of a large answer this is most of the work.
        body = {name: RawJson(dumps(part)) for name, part in answer.items() if name != "meta"}
        data_calls = clients.data_calls() - calls
        if counted and (tenant_id := tenant_of(event)):
            _count(tenant_id, request_id)
        latency_ms = round((time.perf_counter() - started) * 1000, 1)
        meta = {**answer.get("meta", {}), "request_id": request_id, "latency_ms": latency_ms}
        said = {"request_id": request_id, "route": route, "status": status, "latency_ms": latency_ms}
        logs.line(**said, data_calls=data_calls, **clients.session_metrics())
        reply: JsonObject = {"statusCode": status, "headers": {"content-type": "application/json", **headers}}
        return reply if status == 204 else reply | {"body": dumps({**body, "meta": meta})}

    return handler


@cache
def scopes() -> dict[str, str | None]:
    """The scope of each route, from the same file that Terraform makes the routes of."""
    text = (Path(__file__).parent.parent / "routes.json").read_text()
    return {route["route"]: route["scope"] for route in json.loads(text)}


class Answerable(Protocol):
    """A record that can be shown; one with a `status` is told of with that, and otherwise with 201."""

    def response(self) -> JsonObject:
        """What the caller sees of it."""


def batch_results(outcomes: Sequence[Answerable | errors.AgentMemoryError]) -> JsonObject:
    """The answer to a batch: what became of each item, in order."""
    return {
        "results": [
            {"status": error_status(outcome), "error": error_body(outcome)}
            if isinstance(outcome, errors.AgentMemoryError)
            else {"status": getattr(outcome, "status", 201), "data": outcome.response()}
            for outcome in outcomes
        ]
    }


def partial_meta(partial: bool, degraded: Sequence[str] = ()) -> JsonObject:  # noqa: FBT001 (a fact, not a switch)
    """What `meta` says of a page that does not hold all that was asked for, and of what could not be asked."""
    return ({"partial": True} if partial else {}) | ({"degraded": list(degraded)} if degraded else {})


def error_body(error: errors.AgentMemoryError) -> JsonObject:
    """The content of `error` in an answer."""
    body: JsonObject = {"code": _known(error)[1], "message": error.message}
    return body if error.details is None else body | {"details": error.details}


def error_status(error: errors.AgentMemoryError) -> int:
    """The status of an answer."""
    return _known(error)[0]


def _known(error: errors.AgentMemoryError) -> tuple[int, str]:
    """An error that refines another one has the other's status."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def _answer(
    event: dict[str, Any], routes: Mapping[str, Route], route: str, *, counted: bool
) -> tuple[int, JsonObject, dict[str, str]]:
    request_id, began = event["requestContext"]["requestId"], time.monotonic()
    try:
        scope = scopes()[route]
        caller = Caller.of(event) if scope else Caller("", (), b"")
        if scope:
            if counted:
                _admit(caller, request_id)
            caller.check(scope)
            if not route.startswith("GET ") and routes[route] not in _TAKING_QUERIES:
                _refuse_query(event)
        return _once(Request(event, caller, began=began), routes[route], route)
    except tuple(_STATUS) as exc:
        headers = {} if exc.retry_after_s is None else {"retry-after": str(exc.retry_after_s)}
        return error_status(exc), {"error": error_body(exc)}, headers
    except Exception as exc:  # noqa: BLE001 - the one place that turns a bug into the documented 500
        logs.crash(request_id, exc)
        return 500, {"error": {"code": "INTERNAL_ERROR", "message": "an unexpected error"}}, {}


def _admit(caller: Caller, request_id: str) -> None:
    """Count the request before it is served, whatever its key may do, and say what it may use."""
    if failure := counting.admission().take(caller.tenant_id, caller.limits):
        logs.crash(request_id, failure)
    counting.tally().begin(counting.reservations().quota(caller.tenant_id, caller.limits), now())


def _count(tenant_id: str, request_id: str) -> None:
    """Count what the request did. Its answer is made: whatever goes wrong here must not keep it back."""
    try:
        done = counting.tally().taken()
        counting.admission().give_back()
        counting.reservations().settle(tenant_id, done)
        counting.meter().settle(tenant_id, done)
    except Exception as exc:  # noqa: BLE001 - even a bug in counting is no reason to fail a request that is done
        logs.crash(request_id, exc)


def _refuse_query(event: dict[str, Any]) -> None:
    if event.get("rawQueryString"):
        raise errors.InvalidRequest.of("query", "must be empty: writes say everything in their body")


def _once(request: Request, serve: Route, route: str) -> tuple[int, JsonObject, dict[str, str]]:
    key = request.event.get("headers", {}).get("idempotency-key")
    # An open route has no tenant to keep an answer for, and its callers no key to write with.
    if key is None or not request.tenant_id or route.startswith("GET "):
        return _success(serve(request))
    fingerprint = "\n".join([request.event["rawPath"], request.event.get("rawQueryString") or ""]).encode()
    record = idempotency.begin(request.tenant_id, route, key, fingerprint + b"\n" + request.raw_body, now())
    request.attempt = Attempt(record)
    try:
        try:
            return _success(serve(request))
        except _NEVER_REMEMBERED:
            raise
        except tuple(_STATUS) as exc:
            if request.attempt.record is not None:  # else it is kept already
                records.idempotency().put(_refusal(record, exc), now())
            raise
    except AlreadyAnswered as exc:
        return _replay(idempotency.first_answer(exc.stored, record))


def claimed(serve: Route) -> Route:
    """Serve a write whose effect another store commits: its key is claimed before, and its answer kept behind it.

    An attempt that died in between is taken over; the other store then tells what the first one did.
    """

    def serve_claimed(request: Request) -> Response:
        if request.attempt.record is None:
            return serve(request)
        store = records.idempotency()
        record = store.claim(request.attempt.record, now())
        request.attempt = Attempt(record)
        try:
            response = serve(request)
        except tuple(_STATUS) as exc:
            if isinstance(exc, _NEVER_REMEMBERED):
                store.release(record, now())
            else:
                _finish(_refusal(record, exc))
                request.attempt = Attempt()
            raise
        except AlreadyAnswered as exc:
            _finish(record.answered(exc.stored.answer.status, exc.stored.answer.body) if exc.stored.answer else record)
            raise
        except Exception:
            store.release(record, now())  # a bug is no answer
            raise
        _finish(record.answered(response.status, dumps(response.data)))
        return response

    return serve_claimed


_TAKING_QUERIES: set[Route] = set()


def takes_query(serve: Route) -> Route:
    """A deletion of which the path does not say enough: bodies of deletions get lost on the way, queries do not."""
    _TAKING_QUERIES.add(serve)
    return serve


def _finish(record: IdempotencyRecord) -> None:
    try:
        records.idempotency().finish(record)
    except errors.PayloadTooLarge:
        # Too long to be kept: a repetition is told by the other store what was done, and makes the same answer of it.
        records.idempotency().release(record, now())


def _refusal(record: IdempotencyRecord, error: errors.AgentMemoryError) -> IdempotencyRecord:
    return record.answered(error_status(error), dumps(error_body(error)))


def _success(response: Response) -> tuple[int, JsonObject, dict[str, str]]:
    return response.status, {"data": response.data, "meta": response.meta}, {}


def _replay(answer: Answer) -> tuple[int, JsonObject, dict[str, str]]:
    name, body = "data" if answer.status < 400 else "error", RawJson(answer.body or "null")
    if answer.body_kept is not None:
        body = records.large_values().told_again(body, answer.body_kept)
    return answer.status, {name: body}, {"idempotency-replayed": "true"}
