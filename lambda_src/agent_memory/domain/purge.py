"""Purge: everything of one agent, gone from every store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

Kind = Literal[
    "state", "semantic", "facts", "episodic", "procedures", "runs", "s3_objects", "agents", "sessions", "other"
]


@dataclass(frozen=True, slots=True)
class Removed:
    """A part that is gone: records by kind, and the bytes that usage had counted for them."""

    counts: Mapping[Kind, int]
    dynamo_bytes: int = 0
    s3_bytes: int = 0


class Deleted(BaseModel):
    """What was removed: expired records that nothing had swept yet count too, archived objects by version.

    `facts` are what was said of users for that agent alone, repetitions included. `runs` are steps and tool calls,
    `sessions` is how many the agent was known to have had, `other` what stood beside the records: whose session it is,
    markers, and what leads to runs.
    """

    state: int = 0
    semantic: int = 0
    facts: int = 0
    episodic: int = 0
    procedures: int = 0
    runs: int = 0
    s3_objects: int = 0
    sessions: int = 0
    other: int = 0


class PurgeResponse(BaseModel):
    """An agent of which nothing is left."""

    agent_id: str
    deleted: Deleted
