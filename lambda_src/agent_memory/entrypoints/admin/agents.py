"""Agents."""

import argparse
from typing import TYPE_CHECKING

from agent_memory.bootstrap import episodes
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "agents", "agents")
    spread = add(actions, "spread", Command(_spread), "spread a busy agent over more partitions; buckets only grow")
    spread.add_argument("--tenant", required=True)
    spread.add_argument("--agent", required=True)
    spread.add_argument("--buckets", type=int, required=True)


def _spread(options: argparse.Namespace) -> object:
    buckets = episodes.agent_buckets().grow(options.tenant, options.agent, options.buckets)
    return {"agent_id": options.agent, "buckets": len(buckets.all()), "effective_at": buckets.growths[-1].effective_at}
