"""Procedural memory: named, versioned ways of doing something, as steps or a template that take arguments."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from agent_memory.domain.fields import Body, Count, Id, JsonObject, Limit, Time, Write
from agent_memory.domain.semantic import Query, Text

MAX_PHRASES = 8
MAX_PHRASE_CHARACTERS = 500
MAX_STEPS = 64
MAX_TOP_K = 100
MAX_VERSION = 2**31 - 1


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _distinct(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        msg = "must not name a phrase twice"
        raise ValueError(msg)
    return value


Phrase = Annotated[Text, Field(max_length=MAX_PHRASE_CHARACTERS)]
_PHRASE = {"type": "string", "minLength": 1, "maxLength": MAX_PHRASE_CHARACTERS}
_PHRASES = {"type": "array", "items": _PHRASE, "minItems": 1, "maxItems": MAX_PHRASES}
Phrases = Annotated[
    list[Phrase],
    Field(min_length=1, max_length=MAX_PHRASES),
    BeforeValidator(_several),
    AfterValidator(_distinct),
    WithJsonSchema({"anyOf": [_PHRASE, _PHRASES]}),
]
Version = Annotated[Count, Field(ge=1, le=MAX_VERSION)]


class NewProcedure(Write):
    """Body of PUT /v1/procedures/{name}, and what a file of procedures holds."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["steps"]}, {"required": ["template"]}]})

    trigger: Phrases
    steps: Annotated[list[Text], Field(min_length=1, max_length=MAX_STEPS)] | None = None
    template: Text | None = None
    input_schema: JsonObject | None = None
    agent_id: Id | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "NewProcedure":
        if (self.steps is None) == (self.template is None):
            msg = "must have exactly one of steps and template"
            raise ValueError(msg)
        return self

    @property
    def templates(self) -> dict[str, str]:
        """What is rendered, by the name of its field."""
        if self.template is not None:
            return {"template": self.template}
        return {f"steps.{place}": step for place, step in enumerate(self.steps or ())}

    def content(self) -> JsonObject:
        """What a version says; its expiry is the procedure's."""
        return {
            "trigger": self.trigger,
            "steps": self.steps,
            "template": self.template,
            "input_schema": self.input_schema,
            "user_id": self.user_id,
            "purposes": sorted(set(self.purposes or ())),
            "metadata": self.metadata or {},
            "source": dict(self.source) if self.source else None,
            "trust": self.trust or "direct_user",
        }


class ProcedureQuery(Body):
    """Query of GET /v1/procedures/{name}."""

    agent_id: Id | None = None
    version: Version | None = None


class OwnerQuery(Body):
    """Query of DELETE /v1/procedures/{name}: whose procedure it is that is deleted."""

    agent_id: Id | None = None


class ProceduresQuery(Body):
    """Query of GET /v1/procedures, and of a procedure's versions."""

    agent_id: Id | None = None
    limit: Limit = 50
    cursor: str | None = None


class RenderRequest(Body):
    """Body of POST /v1/procedures/{name}/render."""

    arguments: JsonObject = Field(default_factory=dict)
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)] | None = None
    agent_id: Id | None = None


class MatchRequest(Body):
    """Body of POST /v1/procedures/match."""

    message: Query
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 5
    agent_id: Id | None = None
    user_id: Id | None = None
    purpose: Id | None = None
    threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0


class ProcedureResponse(BaseModel):
    """One version of a procedure; `agent_id` null means all agents of the tenant. Either steps or template is null."""

    name: str
    agent_id: str | None
    version: int
    trigger: list[str]
    steps: list[str] | None
    template: str | None
    input_schema: JsonObject | None
    user_id: str | None
    metadata: JsonObject
    trust: str
    created_at: Time
    updated_at: Time
    expires_at: Time | None


class PutProcedureResponse(ProcedureResponse):
    """What stands now: `created` false when the newest version said the same already."""

    created: bool


class MatchResponse(ProcedureResponse):
    """A procedure that a message calls for, by which phrase, and the parts of its score."""

    phrase: str
    score: float
    similarity_score: float | None
    overlap: float


class ProceduresResponse(BaseModel):
    """One page of procedures, by name."""

    procedures: list[ProcedureResponse]
    next_cursor: str | None


class VersionsResponse(BaseModel):
    """One page of a procedure's versions, the newest first."""

    versions: list[ProcedureResponse]
    next_cursor: str | None


class MatchesResponse(BaseModel):
    """What was found, the best first."""

    procedures: list[MatchResponse]


class RenderedResponse(BaseModel):
    """A procedure with its arguments in it; `text` is the template, or the steps in lines of their own."""

    name: str
    agent_id: str | None
    version: int
    text: str
    steps: list[str] | None


@dataclass(frozen=True, slots=True)
class Procedure:
    """One version. `created_at` is the procedure's first time, `updated_at` this version's; the expiry is shared."""

    name: str
    agent_id: str | None
    version: int
    content: JsonObject
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None

    @property
    def templates(self) -> list[str]:
        """What is rendered."""
        return [self.content["template"]] if self.content["steps"] is None else self.content["steps"]

    def response(self) -> JsonObject:
        """`ProcedureResponse`, with purposes and source where they were given."""
        content: dict[str, Any] = dict(self.content)
        given = {name: value for name in ("purposes", "source") if (value := content.pop(name))}
        return {
            "name": self.name,
            "agent_id": self.agent_id,
            "version": self.version,
            **content,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "expires_at": self.expires_at,
            **given,
        }
