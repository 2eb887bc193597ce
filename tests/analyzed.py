"""A small archive with everything in it that a query could stumble over."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.domain.archived_episode import content_of, line
from agent_memory.domain.bodies import StoredBody
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode

FIRST = datetime(2025, 9, 25, 12, tzinfo=UTC)
NEVER = FIRST + timedelta(days=100_000)
LARGE = StoredBody("acme/assistant/bodies/episode/owner/1", "00" * 32, 2_000_000)
AGENTS = (("acme", "assistant"), ("acme", "à deux"), ("globex", "assistant"))

_SAID: tuple[tuple[float, str, str, Any], ...] = (
    (0, "s1", "conversation", {"speaker": "Noor", "text": "Where is the piano?"}),
    (1, "s1", "conversation", {"role": "assistant", "content": "Where it was. Anything else?"}),
    (2, "s1", "conversation", {"role": "assistant", "content": "Anything else?"}),
    (3, "s1", "tool_call", {"tool": "search", "error": {"code": 7}}),
    (40, "s2", "conversation", "where is the PIANO??"),
    (41, "s2", "tool_call", {"tool": "search", "error": None, "result": "here"}),
    (42, "s2", "tool_call", {"tool": "crane", "status": "FAILED"}),
    (43, "s2", "tool_call", 'no JSON: {"error": true'),
    (24 * 20, "s3", "observation", {"error": "", "status": "ok"}),
    (24 * 20 + 1, "s3", "conversation", {"role": "user", "text": "Was ist das\u2028für ein Kran?"}),
    (24 * 20 + 2, "s4", "observation", 17),
    (24 * 20 + 3, "s4", "action", {"status": "error", "Error": "another name"}),
)


def episodes(tenant: str, agent: str) -> list[Episode]:
    """Of one agent, oldest first: among them one that has expired and one whose content lies elsewhere."""
    made = [
        Episode(
            tenant_id=tenant,
            agent_id=agent,
            session_id=session,
            id=f"{agent}-{number:02}",
            type=kind,
            content=content,
            timestamp=FIRST + timedelta(hours=hours),
            created_at=FIRST + timedelta(hours=hours),
            run_id=None,
            expires_at=NEVER if number % 2 else None,
            annotations={"purposes": ["support"], "source": {"kind": "user", "id": "u"}, "metadata": {"n": [number]}},
        )
        for number, (hours, session, kind, content) in enumerate(_SAID)
    ]
    expired = replace(made[3], id=f"{agent}-expired", expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    return [*made, expired, replace(made[-1], id=f"{agent}-large", content=None, body=LARGE)]


def objects() -> Mapping[str, bytes]:
    """Key => content: each agent's episodes in one object, some of them in a second one too, and a large value."""
    made = dict(_object(each) for each in _batches())
    return made | {LARGE.key: b"no JSON"}


def _batches() -> Iterator[list[Episode]]:
    for tenant, agent in AGENTS:
        whole = episodes(tenant, agent)
        yield whole
        yield whole[4:9]


def _object(batch: list[Episode]) -> tuple[str, bytes]:
    content = content_of(line(each) for each in batch)
    return describe(batch, content, epoch=0, now=NEVER).key, content
