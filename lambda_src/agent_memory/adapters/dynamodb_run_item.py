"""Runs as DynamoDB items: steps, what the highest of them says of its run, and pointers that lead from agents to runs.

What belongs to a run stands by the run, `<tenant>##<run>`: its routes name no agent, and no agent has an empty id. An
agent's pointers stand by themselves, `<tenant>#<agent>#RUNS`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_memory.adapters.dynamodb_item import (
    Item,
    check_size,
    document,
    key,
    key_part,
    number,
    read_document,
    read_number,
    read_text,
    text,
)
from agent_memory.domain.runs import Run, RunKey, Step
from agent_memory.domain.times import from_micros, to_micros

STEP = "STEP#"
TOOL = "TOOL#"
TOP = "RUN"
ANNOTATIONS = ("user_id", "purposes", "metadata", "source", "trust")
_DIGITS = 9
# A pointer outlives what it leads to: DynamoDB may take days to remove what has expired, and a purge has to find it.
_POINTED_FOR_S = 7 * 24 * 3600


def run_key(tenant_id: str, run_id: str) -> dict[str, Any]:
    """The partition of a run."""
    return text(key(tenant_id, "", run_id))


def pointers_key(tenant_id: str, agent_id: str) -> dict[str, Any]:
    """The partition of an agent's pointers."""
    return text(key(tenant_id, agent_id, "RUNS"))


def step_key(run: RunKey, step: int) -> Item:
    """Where a step stands; padded, so that text sorts as numbers do."""
    return {"pk": run_key(run.tenant_id, run.run_id), "sk": text(f"{STEP}{step:0{_DIGITS}}")}


def top_key(run: RunKey) -> Item:
    """Where it stands what the highest step says of its run."""
    return {"pk": run_key(run.tenant_id, run.run_id), "sk": text(TOP)}


def pointer_key(kind: str, run: RunKey, agent_id: str) -> Item:
    """Where a pointer stands: `RUN` where the agent wrote a step, `TOOLS` where it claimed a tool call."""
    return {"pk": pointers_key(run.tenant_id, agent_id), "sk": text(f"{kind}#{key_part(run.run_id)}")}


def step_item(step: Step, write_id: str) -> Item:
    """Make the item.

    Raises:
        PayloadTooLarge: over 390,000 bytes after compression.
    """
    item = {
        **step_key(step.run, step.number),
        "agent_id": text(step.agent_id),
        "body": document({"state": step.state, **step.annotations}),
        "status": text(step.status),
        "updated_at": number(to_micros(step.updated_at)),
        "write_id": text(write_id),
        **expiry(step.expires_at),
    }
    if step.session_id is not None:
        item["session_id"] = text(step.session_id)
    return check_size(item)


def read_step(run: RunKey, item: Mapping[str, Any]) -> Step:
    """Undo `step_item`."""
    body = read_document(item, "body")
    return Step(
        run=run,
        number=int(item["sk"]["S"].removeprefix(STEP)),
        agent_id=str(read_text(item, "agent_id")),
        session_id=read_text(item, "session_id"),
        state=body.pop("state"),
        status=item["status"]["S"],
        updated_at=from_micros(read_number(item, "updated_at") or 0),
        expires_at=read_expiry(item),
        annotations=body,
    )


def top_item(run: Run, write_id: str, evict_at: int | None) -> Item:
    """Make the item; it goes when the last step does."""
    item = {
        **top_key(run.key),
        "run_id": text(run.key.run_id),
        "step": number(run.number),
        "agent_id": text(run.agent_id),
        "status": text(run.status),
        "updated_at": number(to_micros(run.updated_at)),
        "write_id": text(write_id),
    }
    if run.expires_at is not None:
        item["expires_at"] = number(to_micros(run.expires_at))
    return item | _evicted(evict_at)


def read_top(run: RunKey, item: Mapping[str, Any]) -> Run:
    """Undo `top_item`."""
    return _run(run, read_number(item, "step") or 0, item)


def read_run_of_step(run: RunKey, item: Mapping[str, Any]) -> Run:
    """What an item of `step_item` says of its run, its body apart."""
    return _run(run, int(item["sk"]["S"].removeprefix(STEP)), item)


def _run(run: RunKey, step: int, item: Mapping[str, Any]) -> Run:
    return Run(
        key=run,
        number=step,
        agent_id=str(read_text(item, "agent_id")),
        status=item["status"]["S"],
        updated_at=from_micros(read_number(item, "updated_at") or 0),
        expires_at=read_expiry(item),
    )


def pointer_item(kind: str, run: RunKey, agent_id: str, evict_at: int | None) -> Item:
    """Make the item."""
    return {**pointer_key(kind, run, agent_id), "run_id": text(run.run_id), **_evicted(evict_at)}


def expiry(expires_at: datetime | None) -> Item:
    """When a record expires, and when DynamoDB may remove it."""
    if expires_at is None:
        return {}
    micros = to_micros(expires_at)
    return {"expires_at": number(micros), "evict_at": number(micros // 1_000_000 + 1)}


def read_expiry(item: Mapping[str, Any]) -> datetime | None:
    """Undo `expiry`."""
    micros = read_number(item, "expires_at")
    return None if micros is None else from_micros(micros)


def pointed_until(expires_at: datetime | None) -> int | None:
    """How long what leads to a record of this expiry has to stand, in seconds since 1970; None for ever."""
    return None if expires_at is None else to_micros(expires_at) // 1_000_000 + _POINTED_FOR_S


def later(stored: Mapping[str, Any] | None, evict_at: int | None) -> int | None:
    """The later of what an item, if there is one, and a new record need; None for ever."""
    if stored is None:
        return evict_at
    before = read_number(stored, "evict_at")
    return None if before is None or evict_at is None else max(before, evict_at)


def _evicted(evict_at: int | None) -> Item:
    return {} if evict_at is None else {"evict_at": number(evict_at)}
