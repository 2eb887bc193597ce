"""Writes `docs/openapi.json` from the routes and the models: `python lambda_src/openapi.py`."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic.json_schema import models_json_schema

from agent_memory import __version__
from agent_memory.domain.context import ContextRequest, ContextResponse
from agent_memory.domain.episode import EpisodeBatch, EpisodeResponse, EpisodesResponse, NewEpisode
from agent_memory.domain.fact_requests import (
    FactBundle,
    FactBundleResponse,
    FactHistoryQuery,
    FactHistoryResponse,
    FactsQuery,
    FactsResponse,
    NewFact,
    ToldFactResponse,
)
from agent_memory.domain.flags import FlagsResponse
from agent_memory.domain.key_requests import KeysResponse, NewKey, NewKeyResponse
from agent_memory.domain.procedures import (
    MatchesResponse,
    MatchRequest,
    NewProcedure,
    OwnerQuery,
    ProcedureQuery,
    ProcedureResponse,
    ProceduresQuery,
    ProceduresResponse,
    PutProcedureResponse,
    RenderedResponse,
    RenderRequest,
    VersionsResponse,
)
from agent_memory.domain.purge import PurgeResponse
from agent_memory.domain.runs import MAX_STEP, NewStep, RunQuery, RunResponse, RunsQuery, RunsResponse, StepResponse
from agent_memory.domain.semantic import (
    HistoryResponse,
    MemoriesQuery,
    MemoriesResponse,
    MemoryBatch,
    MemoryResponse,
    NewMemory,
    SearchRequest,
    SearchResponse,
    StoredResponse,
)
from agent_memory.domain.sessions import JobAccepted, JobResponse, SessionEnd
from agent_memory.domain.state import (
    NewState,
    SessionsResponse,
    StatePatch,
    StateQuery,
    StateReplacement,
    StateResponse,
)
from agent_memory.domain.timeline import EpisodeQuery, ReplayQuery
from agent_memory.domain.tool_calls import NewClaim, OutcomeOfClaim, ToolCallResponse
from agent_memory.domain.unified import (
    AgentOverviewQuery,
    OverviewQuery,
    OverviewResponse,
    SearchAll,
    SearchAllResponse,
)
from agent_memory.domain.uploads import NewUpload, UploadResponse
from agent_memory.domain.usage import UsageResponse
from agent_memory.entrypoints.http import scopes
from agent_memory.entrypoints.working import SessionsQuery

TARGET = Path(__file__).parent.parent / "docs" / "openapi.json"
_REF = "#/components/schemas/{model}"
_WRITE_ERRORS = {400: "malformed", 401: "bad key", 403: "scope missing", 409: "conflict", 413: "too large"}
_READ_ERRORS = {400: "malformed", 401: "bad key", 403: "scope missing"}


class BatchItem(BaseModel):
    """The outcome of one item: `data` when status is 201, else `error`."""

    status: int
    data: EpisodeResponse | None = None
    error: dict[str, Any] | None = None


class BatchResponse(BaseModel):
    """Outcomes in the order of the items."""

    results: list[BatchItem]


class AnyWrite(RootModel[NewState | NewEpisode | NewMemory]):
    """A write of any layer, which its fields name: `data`; or `type`, `session_id` and `content`; or `content`."""


class AnyWritten(RootModel[StateResponse | EpisodeResponse | StoredResponse]):
    """What the layer's own route answers."""


class StoredBatchItem(BaseModel):
    """The outcome of one item: `data` when status is 201, or 202 where vectors are pending, else `error`."""

    status: int
    data: StoredResponse | None = None
    error: dict[str, Any] | None = None


class StoredBatchResponse(BaseModel):
    """Outcomes in the order of the items."""

    results: list[StoredBatchItem]


class ResultOfCall(OutcomeOfClaim):
    """A call that ended in a result, for good."""

    result: Any


class ErrorOfCall(OutcomeOfClaim):
    """A call that ended in an error, and may be claimed again."""

    error: Any


class Outcome(RootModel[ResultOfCall | ErrorOfCall]):
    """What came of a tool call."""


class HealthResponse(BaseModel):
    """The function runs."""

    status: str
    version: str


class ReadyResponse(BaseModel):
    """Each store's state and latency."""

    status: str
    stores: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """One route in the document."""

    summary: str
    status: int
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    may_be_absent: bool = False
    also: int | None = None  # another status with the same answer


OPERATIONS = {
    "POST /v1/state": Operation(
        "Write a session's state, over whatever is there", 201, StateResponse, NewState, may_be_absent=True
    ),
    "GET /v1/state/{agent_id}": Operation(
        "Read a session's state", 200, StateResponse, query=StateQuery, may_be_absent=True
    ),
    "PUT /v1/state/{agent_id}": Operation(
        "Replace the version that was read", 200, StateResponse, StateReplacement, may_be_absent=True
    ),
    "PATCH /v1/state/{agent_id}": Operation(
        "Apply a JSON Merge Patch", 200, StateResponse, StatePatch, may_be_absent=True
    ),
    "GET /v1/state/{agent_id}/sessions": Operation("List sessions", 200, SessionsResponse, query=SessionsQuery),
    "DELETE /v1/state/{agent_id}/{session_id}": Operation("Delete a session's state", 204, None, may_be_absent=True),
    "PUT /v1/runs/{run_id}/steps/{step}": Operation(
        "Write a step of a run, over whatever is there", 200, StepResponse, NewStep
    ),
    "GET /v1/runs/{run_id}": Operation(
        "Read a run's steps, in their order", 200, RunResponse, query=RunQuery, may_be_absent=True
    ),
    "GET /v1/runs": Operation("List runs that an agent wrote a step of", 200, RunsResponse, query=RunsQuery),
    "POST /v1/runs/{run_id}/tools/{call_id}": Operation(
        "Claim a tool call, or hear the result that it ended in", 201, ToolCallResponse, NewClaim, also=200
    ),
    "PUT /v1/runs/{run_id}/tools/{call_id}": Operation(
        "Record the outcome of a tool call", 200, ToolCallResponse, Outcome, may_be_absent=True
    ),
    "GET /v1/flags": Operation("The tenant's own flags", 200, FlagsResponse),
    "POST /v1/uploads": Operation(
        "Announce a large value, and get a link to upload it", 201, UploadResponse, NewUpload
    ),
    "POST /v1/memory/episodic": Operation("Append an episode", 201, EpisodeResponse, NewEpisode, may_be_absent=True),
    "POST /v1/memory/episodic/batch": Operation("Append up to 100 episodes", 200, BatchResponse, EpisodeBatch),
    "GET /v1/memory/episodic/{agent_id}": Operation(
        "Read an agent's episodes, newest first", 200, EpisodesResponse, query=EpisodeQuery
    ),
    "GET /v1/memory/episodic/{agent_id}/sessions/{session_id}": Operation(
        "Replay a session, oldest first", 200, EpisodesResponse, query=ReplayQuery, may_be_absent=True
    ),
    "POST /v1/context": Operation(
        "What every layer knows that helps to answer a message", 200, ContextResponse, ContextRequest
    ),
    "POST /v1/memory": Operation(
        "Write to the layer that the fields name", 201, AnyWritten, AnyWrite, may_be_absent=True, also=202
    ),
    "GET /v1/memory": Operation(
        "The newest of each layer, for any agent", 200, OverviewResponse, query=AgentOverviewQuery
    ),
    "GET /v1/memory/{agent_id}": Operation("The newest of each layer", 200, OverviewResponse, query=OverviewQuery),
    "POST /v1/memory/search": Operation(
        "Find memories by meaning and episodes by words", 200, SearchAllResponse, SearchAll
    ),
    "DELETE /v1/memory/{agent_id}": Operation("Remove everything of an agent", 200, PurgeResponse),
    "POST /v1/memory/semantic": Operation(
        "Store a text, merged with what says the same", 201, StoredResponse, NewMemory, also=202
    ),
    "POST /v1/memory/semantic/batch": Operation("Store up to 100 texts", 200, StoredBatchResponse, MemoryBatch),
    "POST /v1/memory/semantic/search": Operation(
        "Find the texts that are nearest in meaning", 200, SearchResponse, SearchRequest
    ),
    "GET /v1/memory/semantic": Operation("Read all texts, newest first", 200, MemoriesResponse, query=MemoriesQuery),
    "GET /v1/memory/semantic/{id}": Operation("Read a text", 200, MemoryResponse, may_be_absent=True),
    "GET /v1/memory/semantic/{id}/history": Operation(
        "What a text said earlier, and near repetitions that were kept apart", 200, HistoryResponse, may_be_absent=True
    ),
    "DELETE /v1/memory/semantic/{id}": Operation("Delete a text with its history", 204, None, may_be_absent=True),
    "POST /v1/sessions/{session_id}/end": Operation(
        "End a session: its summary and facts are kept by a job", 202, JobAccepted, SessionEnd
    ),
    "GET /v1/jobs/{job_id}": Operation("Read what has become of a job", 200, JobResponse, may_be_absent=True),
    "PUT /v1/facts": Operation("Say a fact, which closes what it contradicts", 200, ToldFactResponse, NewFact),
    "POST /v1/facts/batch": Operation(
        "Say up to 100 facts of one user, all or none", 200, FactBundleResponse, FactBundle
    ),
    "GET /v1/facts": Operation(
        "Read what holds of a user, or held, as far as it was known", 200, FactsResponse, query=FactsQuery
    ),
    "GET /v1/facts/{fact_id}/history": Operation(
        "What was believed of a fact, the newest first",
        200,
        FactHistoryResponse,
        query=FactHistoryQuery,
        may_be_absent=True,
    ),
    "DELETE /v1/facts/{fact_id}": Operation("Retract a fact", 204, None, may_be_absent=True),
    "POST /v1/facts/{fact_id}/restore": Operation(
        "Let a retracted fact take its place again", 200, ToldFactResponse, may_be_absent=True
    ),
    "PUT /v1/procedures/{name}": Operation(
        "Make a procedure, or a new version of it when it says something new", 200, PutProcedureResponse, NewProcedure
    ),
    "GET /v1/procedures": Operation(
        "Read procedures as they stand now, by name", 200, ProceduresResponse, query=ProceduresQuery
    ),
    "GET /v1/procedures/{name}": Operation(
        "Read a procedure", 200, ProcedureResponse, query=ProcedureQuery, may_be_absent=True
    ),
    "GET /v1/procedures/{name}/versions": Operation(
        "Read a procedure's versions, newest first", 200, VersionsResponse, query=ProceduresQuery, may_be_absent=True
    ),
    "POST /v1/procedures/{name}/render": Operation(
        "Write a procedure with its arguments", 200, RenderedResponse, RenderRequest, may_be_absent=True
    ),
    "POST /v1/procedures/match": Operation(
        "Find the procedures that a message calls for", 200, MatchesResponse, MatchRequest
    ),
    "DELETE /v1/procedures/{name}": Operation(
        "Delete a procedure with all its versions", 204, None, query=OwnerQuery, may_be_absent=True
    ),
    "GET /v1/usage": Operation("What was used this month, what is stored, and the limits", 200, UsageResponse),
    "POST /v1/keys": Operation("Make an API key, shown in this answer only", 201, NewKeyResponse, NewKey),
    "GET /v1/keys": Operation("List API keys, dead ones of the last 90 days included", 200, KeysResponse),
    "DELETE /v1/keys/{key_id}": Operation("Revoke an API key, effective within 60 s", 204, None, may_be_absent=True),
    "GET /v1/health": Operation("The API runs; no store is touched", 200, HealthResponse),
    "GET /v1/health/ready": Operation("Whether each store answers", 200, ReadyResponse),
}


def document() -> dict[str, Any]:
    """Make the OpenAPI 3.1 document."""
    models = {m for o in OPERATIONS.values() for m in (o.answer, o.body) if m is not None}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(m, "validation") for m in ordered], ref_template=_REF)
    paths: dict[str, Any] = {}
    for route, scope in scopes().items():
        if route != "$default":
            method, _, path = route.partition(" ")
            paths.setdefault(path, {})[method.lower()] = _operation(route, OPERATIONS[route], scope)
    return {
        "openapi": "3.1.0",
        "info": {"title": "agent-memory", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {**definitions["$defs"], "Error": _error_schema(), "Meta": _meta_schema()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: str, operation: Operation, scope: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": re.sub(r"\W+", "_", route.lower()).strip("_"),
        "parameters": [*_path_parameters(route), *_query_parameters(operation.query)],
        "responses": _responses(route, operation, scope),
    }
    if not route.startswith("GET "):
        described["parameters"].append(_idempotency_key())
    if operation.body:
        schema = {"$ref": _REF.format(model=operation.body.__name__)}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if scope:
        described |= {"security": [{"key": []}], "x-scope": scope}
    return described


def _path_parameters(route: str) -> list[dict[str, Any]]:
    plain_or_encoded = {"type": "string", "pattern": r"^([A-Za-z0-9._:@+=,-]{1,256}|~[A-Za-z0-9_-]+)$"}
    note = "plain when it holds only A-Za-z0-9._:@+=,- and else ~ and base64url of its UTF-8"
    number = {"type": "integer", "minimum": 0, "maximum": MAX_STEP}
    told: dict[str, Any] = {"step": {"description": "without leading zeros", "schema": number}}
    return [
        {"name": name, "in": "path", "required": True, "description": note, "schema": plain_or_encoded}
        | told.get(name, {})
        for name in re.findall(r"{(\w+)}", route)
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    return [_query_parameter(name, {**field}, name in required) for name, field in schema["properties"].items()]


def _query_parameter(name: str, field: dict[str, Any], required: bool) -> dict[str, Any]:  # noqa: FBT001 (a fact)
    options = [option for option in field.pop("anyOf", []) if option != {"type": "null"}]
    schema = options[0] if options else field
    if name == "metadata":
        note = "metadata.<key>=<value>: episodes whose metadata holds exactly this string"
        return {
            "name": "metadata.{key}",
            "in": "query",
            "required": False,
            "description": note,
            "schema": {"type": "string"},
        }
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    }


def _responses(route: str, operation: Operation, scope: str | None) -> dict[str, Any]:
    responses: dict[str, Any] = {str(operation.status): {"description": "done"}}
    if operation.answer:
        data = {"$ref": _REF.format(model=operation.answer.__name__)}
        responses[str(operation.status)] |= _content({"data": data, "meta": {"$ref": _REF.format(model="Meta")}})
        if operation.also:
            responses[str(operation.also)] = responses[str(operation.status)]
    refusals = _READ_ERRORS if route.startswith("GET ") else _WRITE_ERRORS
    errors = dict(refusals) if scope else {}
    if operation.may_be_absent:
        errors[404] = "absent, expired, or another tenant's"
    if scope and not route.endswith("/ready"):
        errors[429] = "over a limit of the tenant; see Retry-After"
    for status, reason in {**errors, 503: "a store does not answer"}.items():
        body = _content({"error": {"$ref": _REF.format(model="Error")}, "meta": {"$ref": _REF.format(model="Meta")}})
        # The gateway itself answers 401, 429 and 503 in a form of its own, {"message"}.
        responses[str(status)] = {"description": reason} | ({} if status in (401, 429, 503) else body)
    return responses


def _content(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"content": {"application/json": {"schema": schema}}}


def _error_schema() -> dict[str, Any]:
    properties = {"code": {"type": "string"}, "message": {"type": "string"}, "details": {}}
    return {"type": "object", "properties": properties, "required": ["code", "message"]}


def _meta_schema() -> dict[str, Any]:
    properties = {
        "request_id": {"type": "string"},
        "latency_ms": {"type": "number"},
        "partial": {"type": "boolean"},
        "degraded": {"type": "array", "items": {"type": "string"}},
    }
    return {"type": "object", "properties": properties, "required": ["request_id", "latency_ms"]}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(document(), indent=1) + "\n")
    sys.stdout.write(f"{TARGET.name} written\n")
