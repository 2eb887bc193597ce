"""Requests about facts, and the answers."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from agent_memory.domain.fact_names import normal_predicate, normal_subject
from agent_memory.domain.fields import Body, Id, JsonObject, Limit, Time, Write
from agent_memory.domain.identifiers import check_id
from agent_memory.domain.json_document import dumps

MAX_BUNDLE = 100
MAX_VALUE_BYTES = 32_768
Cardinality = Literal["one", "many"]
Why = Literal["asserted", "superseded", "outranked", "corrected", "merged", "retracted", "restored"]


def _subject(value: str) -> str:
    return _named(value, normal_subject(check_id(value)))


def _predicate(value: str) -> str:
    return _named(value, normal_predicate(check_id(value)))


def _named(value: str, normal: str) -> str:
    if not normal:
        msg = "must hold more than white space"
        raise ValueError(msg)
    return value


def _value(value: Any) -> Any:
    if len(dumps(value).encode()) > MAX_VALUE_BYTES:
        msg = f"must have at most {MAX_VALUE_BYTES} bytes of JSON"
        raise ValueError(msg)
    return _without_nul(value)


def _without_nul(value: Any) -> Any:
    if _holds_nul(value):
        msg = "must not hold the character NUL"
        raise ValueError(msg)
    return value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(member) for key, member in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


_NAME = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 256})
Subject = Annotated[str, AfterValidator(_subject), _NAME]
Predicate = Annotated[str, AfterValidator(_predicate), _NAME]
Value = Annotated[Any, AfterValidator(_value)]
Metadata = Annotated[JsonObject, AfterValidator(_value)]


class NewFact(Write):
    """Body of PUT /v1/facts, and one item of a bundle; without `agent_id` all agents of the user know it."""

    user_id: Id
    agent_id: Id | None = None
    subject: Subject
    predicate: Predicate
    value: Value
    valid_from: Time | None = None
    valid_to: Time | None = None
    cardinality: Cardinality | None = None
    session_id: Id | None = None
    metadata: Metadata | None = None


class FactBundle(Body):
    """Body of POST /v1/facts/batch: facts of one user, all of which are kept, or none."""

    items: Annotated[list[NewFact], Field(min_length=1, max_length=MAX_BUNDLE)]


class FactsQuery(Body):
    """Query of GET /v1/facts; `as_of` is when it holds, `known_at` since when it is believed."""

    user_id: Id
    agent_id: Id | None = None
    subject: Subject | None = None
    predicate: Predicate | None = None
    as_of: Time | None = None
    known_at: Time | None = None
    purpose: Id | None = None
    limit: Limit = 50
    cursor: str | None = None


class FactHistoryQuery(Body):
    """Query of GET /v1/facts/{fact_id}/history."""

    limit: Limit = 50
    cursor: str | None = None


class FactResponse(BaseModel):
    """What is believed of a fact since `known_from`; without `valid_from` it holds at no time, and `why` says why.

    `by` is the fact that closed it, stands in its way, or says the same.
    """

    id: str
    user_id: str
    agent_id: str | None
    subject: str
    predicate: str
    cardinality: Cardinality
    value: Any
    valid_from: Time | None
    valid_to: Time | None
    known_from: Time
    known_to: Time | None
    why: Why
    by: str | None
    trust: str
    session_id: str | None
    metadata: JsonObject
    purposes: list[str]
    expires_at: Time | None


class ToldFactResponse(BaseModel):
    """A fact, and the facts that it took the place of."""

    fact: FactResponse
    superseded: list[str]


class FactBundleResponse(BaseModel):
    """What became of each item, in order."""

    facts: list[ToldFactResponse]


class FactsResponse(BaseModel):
    """One page of what holds, the newest first."""

    facts: list[FactResponse]
    next_cursor: str | None


class FactHistoryResponse(BaseModel):
    """What was believed of a fact, the newest first."""

    id: str
    history: list[FactResponse]
    next_cursor: str | None
