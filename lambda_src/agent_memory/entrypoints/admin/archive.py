"""The archive of episodes."""

import argparse
from typing import TYPE_CHECKING

from agent_memory.bootstrap import operating
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "archive", "the archive of episodes")
    redrive = Command(_redrive, ("FAILED_RECORDS_BUCKET", "ARCHIVER_FUNCTION"))
    add(actions, "redrive", redrive, "hand records to the archiver again that it failed to take")
    sweep = Command(_sweep, ("SWEEPER_FUNCTION",))
    add(
        actions, "sweep", sweep, "sweep now, for 14 minutes at most; a sweep that is not finished goes on when repeated"
    )


def _redrive(_: argparse.Namespace) -> object:
    return operating.redrive().run()


def _sweep(_: argparse.Namespace) -> object:
    return operating.sweeper_function().invoke({"sweep": True})
