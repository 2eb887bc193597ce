"""Procedures, as files of YAML."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent_memory.acting import acting_for
from agent_memory.bootstrap import counting, knowledge
from agent_memory.domain.times import now
from agent_memory.entrypoints.admin.command import Command, add, area

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Parsers

_DATABASE = ("DATABASE_CONNECTION", "DATABASE_NAME")
_MODEL = ("EMBEDDING_MODEL", "EMBEDDING_DIMENSIONS", "EMBEDDING_TIMEOUT_S")


def add_to(areas: "Parsers") -> None:
    """The commands of this area."""
    actions = area(areas, "procedures", "procedures as files of YAML")
    note = "put what the files of a folder hold, each file whole or not at all; what stands already is no new version"
    load = add(actions, "load", Command(_load, _DATABASE + _MODEL), note)
    note = "write what stands now into a folder, a file for each procedure"
    export = add(actions, "export", Command(_export, _DATABASE + _MODEL), note)
    for command in (load, export):
        command.add_argument("folder", type=Path)
        command.add_argument("--tenant", required=True)


def _load(options: argparse.Namespace) -> object:
    from agent_memory.service.procedure_files import files_in, read_file  # noqa: PLC0415 - only these need YAML

    read = [(path, read_file(path, now())) for path in files_in(options.folder)]  # before any is put
    told = []
    with _for_tenant(options.tenant):
        for path, named in read:
            puts = knowledge.procedures().put_all(options.tenant, named)
            told.append({"file": str(path), "procedures": [_shown(put.response()) for put in puts]})
    return {"tenant_id": options.tenant, "files": told}


def _export(options: argparse.Namespace) -> object:
    from agent_memory.service.procedure_files import write_files  # noqa: PLC0415 - as above

    with _for_tenant(options.tenant):
        names = write_files(knowledge.procedures().all(options.tenant), options.folder)
    return {"tenant_id": options.tenant, "folder": str(options.folder), "files": names}


@contextmanager
def _for_tenant(tenant_id: str) -> Iterator[None]:
    """In the tenant's name, and counted as its requests are."""
    try:
        with acting_for(tenant_id):
            yield
    finally:
        counting.meter().settle(tenant_id, counting.tally().taken())


def _shown(answer: dict[str, object]) -> dict[str, object]:
    return {name: answer[name] for name in ("name", "agent_id", "version", "created")}
