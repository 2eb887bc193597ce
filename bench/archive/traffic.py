"""Who writes what in the month: tenants and agents of very different sizes, at work for a while and then not."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EPISODES = 100_000
TENANTS = 20
AGENTS = 5
HOURS = 30 * 24
_SESSION = 20  # episodes of a session, about
_SAMPLE = Path(__file__).parent.parent.parent / "local" / "sample" / "conversation.jsonl"
_WORDS = sorted({word for line in _SAMPLE.read_text().splitlines() for word in json.loads(line)["text"].split()})
_TYPES = ("conversation", "conversation", "action", "observation", "tool_call")


@dataclass(frozen=True)
class Session:
    """Episodes that an agent writes one after the other."""

    hour: int
    tenant_id: str
    agent_id: str
    items: list[dict[str, Any]]


def sessions(tenants: range) -> list[Session]:
    """All of some tenants' sessions, in the order of their hours; the sizes of all tenants make the whole."""
    made = [session for tenant in tenants for agent in range(AGENTS) for session in _of_agent(tenant, agent)]
    return sorted(made, key=lambda session: session.hour)


def _share(rank: int, of: int) -> float:
    """Zipf's law."""
    return 1 / (rank + 1) / sum(1 / (each + 1) for each in range(of))


def _of_agent(tenant: int, agent: int) -> Iterator[Session]:
    dice = random.Random(f"{tenant} {agent}")  # noqa: S311 - the same month each time
    left = round(EPISODES * _share(tenant, TENANTS) * _share(agent, AGENTS))
    while left > 0:
        count = min(left, dice.randint(_SESSION // 2, _SESSION * 2))
        left -= count
        name = f"session-{dice.randrange(16**8):08x}"
        items = [_item(dice, f"agent-{agent}", name) for _ in range(count)]
        yield Session(dice.randrange(HOURS), f"tenant-{tenant}", f"agent-{agent}", items)


def _item(dice: random.Random, agent_id: str, session_id: str) -> dict[str, Any]:
    text = " ".join(dice.choices(_WORDS, k=dice.randint(20, 200)))
    content = {"role": dice.choice(("user", "assistant")), "text": text, "ref": f"{dice.randrange(16**16):016x}"}
    return {"agent_id": agent_id, "session_id": session_id, "type": dice.choice(_TYPES), "content": content}
