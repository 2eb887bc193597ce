"""Administration from an operator's shell, with the operator's own AWS credentials.

    python -m agent_memory.entrypoints.admin keys create --tenant acme --scopes read write
    python -m agent_memory.entrypoints.admin keys list --tenant acme
    python -m agent_memory.entrypoints.admin keys revoke --key-id 4f...
    python -m agent_memory.entrypoints.admin keys expire --key-id 4f... --in-hours 24
    python -m agent_memory.entrypoints.admin tenants limit --tenant acme --requests-per-second 20 --vectors none
    python -m agent_memory.entrypoints.admin tenants flag --tenant acme --set new-planner=on --drop old
    python -m agent_memory.entrypoints.admin tenants show --tenant acme
    python -m agent_memory.entrypoints.admin agents spread --tenant acme --agent planner --buckets 8
    python -m agent_memory.entrypoints.admin episodes rehydrate --tenant acme --agent planner \
        --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z --days 7
    python -m agent_memory.entrypoints.admin archive redrive
    python -m agent_memory.entrypoints.admin archive sweep
    python -m agent_memory.entrypoints.admin embeddings start
    python -m agent_memory.entrypoints.admin procedures load examples/procedures --tenant acme
    python -m agent_memory.entrypoints.admin procedures export procedures --tenant acme
    python -m agent_memory.entrypoints.admin jobs redrive

Reads CONTROL_TABLE, PEPPER_PARAMETER and AWS_REGION from the environment, for episodes MEMORY_TABLE and ARCHIVE_BUCKET
too, for the archive FAILED_RECORDS_BUCKET, ARCHIVER_FUNCTION and SWEEPER_FUNCTION, for embeddings INGEST_FUNCTION and
what functions are told of the models, for procedures what `knowledge` is told of models and database, for jobs
MEMORY_TABLE, JOB_QUEUE_URL and DEAD_JOBS_URL, and AWS credentials as the functions do
(`eval "$(aws configure export-credentials --format env)"`). Answers in JSON on standard output.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_memory.domain.json_document import dumps
from agent_memory.entrypoints.admin import agents, archive, embeddings, episodes, jobs, keys, procedures, tenants
from agent_memory.errors import AgentMemoryError

if TYPE_CHECKING:
    from agent_memory.entrypoints.admin.command import Command

_AREAS = (keys, tenants, agents, episodes, archive, embeddings, procedures, jobs)
_ENVIRONMENT = ("CONTROL_TABLE", "PEPPER_PARAMETER", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it was refused, 2 when the environment lacks something."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    if missing := [name for name in (*_ENVIRONMENT, *command.environment) if not os.environ.get(name)]:
        sys.stderr.write(f"not set in the environment: {', '.join(missing)}\n")
        return 2
    try:
        answer = command.run(options)
    except AgentMemoryError as exc:
        sys.stderr.write(f"{exc.message}\n")
        return 1
    sys.stdout.write(dumps(answer) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agent-memory", description="Administer a deployment of agent-memory.")
    areas = parser.add_subparsers(dest="area", required=True)
    for area in _AREAS:
        area.add_to(areas)
    return parser


if __name__ == "__main__":
    sys.exit(main())
