"""Episodes."""

import argparse
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from agent_memory.bootstrap import archive
from agent_memory.domain.times import parse_time
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "episodes", "episodes")
    command = Command(_rehydrate, ("MEMORY_TABLE", "ARCHIVE_BUCKET"))
    rehydrate = add(actions, "rehydrate", command, "bring archived episodes back into the hot tier for some days")
    rehydrate.add_argument("--tenant", required=True)
    rehydrate.add_argument("--agent", required=True)
    rehydrate.add_argument("--from", dest="start", type=_a_time, required=True, metavar="2026-11-01T00:00:00Z")
    rehydrate.add_argument("--to", dest="end", type=_a_time, required=True, metavar="2026-11-30T00:00:00Z")
    rehydrate.add_argument("--days", type=int, choices=range(1, 366), metavar="1..365", default=7)


def _rehydrate(options: argparse.Namespace) -> object:
    done = archive.rehydration().run(options.tenant, options.agent, options.start, options.end, options.days)
    return {"agent_id": options.agent, **asdict(done)}


def _a_time(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None
