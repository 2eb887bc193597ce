"""Jobs that requests left behind."""

import argparse
from typing import TYPE_CHECKING

from agent_memory.bootstrap import operating
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "jobs", "jobs that requests left behind")
    redrive = Command(_redrive, ("DEAD_JOBS_URL", "JOB_QUEUE_URL", "MEMORY_TABLE"))
    add(actions, "redrive", redrive, "send jobs again that have failed, and those whose message was lost")


def _redrive(_: argparse.Namespace) -> object:
    return operating.redrive_jobs().run()
