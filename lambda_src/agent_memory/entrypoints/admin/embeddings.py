"""Changing the embedding model."""

import argparse
import sys
from typing import TYPE_CHECKING

from agent_memory.bootstrap import operating
from agent_memory.entrypoints.admin.command import Command, add, area
from agent_memory.service.reembedding import GOOD_ENOUGH

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers
    from agent_memory.service.reembedding import Reembedding

_MODELS = ("EMBEDDING_MODEL", "EMBEDDING_DIMENSIONS", "INGEST_FUNCTION")


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "embeddings", "the embedding model")
    add(actions, "status", Command(lambda _: _steps().status(), _MODELS), "show which models are searched and written")
    add(
        actions, "start", Command(lambda _: _steps().start(), _MODELS), "write embedding.next beside the model of today"
    )
    fill = (
        "make the vectors that stored records lack, also those that have been pending for too long; repeat it at will"
    )
    add(actions, "backfill", Command(lambda _: _steps().backfill(), _MODELS), fill)
    compare = "what the other model finds of what the searched one does, by a sample of each tenant"
    add(actions, "compare", Command(lambda _: _steps().compare(), _MODELS), compare)
    cut = "search the next model from now on, once nothing lacks its vectors and it finds enough"
    cutover = add(actions, "cutover", Command(_cut_over, _MODELS), cut)
    cutover.add_argument("--at-least", type=float, default=GOOD_ENOUGH, metavar="RECALL")
    cutover.add_argument("--anyway", action="store_true", help="whatever is lacking, and however little it finds")
    add(actions, "back", Command(lambda _: _steps().back(), _MODELS), "search the model before the cutover again")
    finish = "write the new model alone, and take the vectors of the old one away"
    add(actions, "finish", Command(lambda _: _steps().finish(), _MODELS), finish)
    abandon = "give the change up before its cutover, and take the vectors of the next model away"
    add(actions, "abandon", Command(lambda _: _steps().abandon(), _MODELS), abandon)


def _steps() -> "Reembedding":
    return operating.reembedding(lambda line: sys.stderr.write(f"{line}\n"))


def _cut_over(options: argparse.Namespace) -> object:
    return _steps().cut_over(options.at_least, anyway=options.anyway)
