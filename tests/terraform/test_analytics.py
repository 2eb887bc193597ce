"""The table that Terraform defines for Athena fits what the archiver writes, and answers as `make analyze` does."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agent_memory.domain.archived_episode import line
from agent_memory.domain.episode import Episode
from agent_memory.domain.identifiers import to_path
from local import archive_table
from local.analyze import EVER, QUERIES
from local.archive_table import place_of
from tests import analyzed
from tests.terraform import roots
from tests.terraform.athena import Table
from tests.terraform.roots import Terraform, created

BUCKET = "acme-archive"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, program: Terraform) -> Table:
    """The table as planned."""
    copied = tmp_path_factory.mktemp("analytics")
    roots.copy("terraform/modules", copied)
    folder = copied / "terraform" / "modules" / "archive-analytics"
    program.init(folder, "-backend=false")
    given = {"name": "acme", "bucket_name": BUCKET, "results": {"bucket_name": "acme-results"}}
    (folder / "terraform.tfvars.json").write_text(json.dumps(given))
    plan = program.plan(folder)
    (planned,) = created(plan, "aws_glue_catalog_table")
    return Table(planned)


def test_its_columns_are_what_a_line_says(table: Table) -> None:
    large = analyzed.episodes("acme", "assistant")[-1]
    said: dict[str, Any] = json.loads(line(large))

    parts = ",".join(f"{name}:{_type(value)}" for name, value in said["body"].items())

    assert table.columns.keys() == said.keys()
    assert table.columns["body"] == f"struct<{parts}>"
    # What is in no column of a line is said by another name there.
    assert {field.name for field in fields(Episode)} - table.columns.keys() == {"annotations"}


def _type(value: object) -> str:
    return {bool: "boolean", int: "bigint", str: "string"}[type(value)]


@pytest.mark.parametrize(("tenant", "agent"), analyzed.AGENTS)
def test_its_places_are_those_of_the_objects(table: Table, tenant: str, agent: str) -> None:
    own = {
        key: table.place(BUCKET, key) for key in analyzed.objects() if key.startswith(f"{tenant}/{to_path(agent)}/2")
    }

    assert [place and place["day"] for place in own.values()] == ["2025-09-25", "2025-09-27"]
    assert all(place and (place["tenant"], place["agent"]) == (tenant, to_path(agent)) for place in own.values())


def test_a_large_value_is_no_episode(table: Table) -> None:
    assert analyzed.LARGE.key in analyzed.objects()
    assert table.place(BUCKET, analyzed.LARGE.key) is None


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("days", [EVER, ("2025-10-01", "2025-10-31")])
def test_it_answers_as_make_analyze_does(table: Table, query: Path, days: tuple[str, str], tmp_path: Path) -> None:
    objects = analyzed.objects()
    copied = {}
    for number, (key, content) in enumerate(objects.items()):
        if place := place_of(key):
            copied[tmp_path / f"{number}.jsonl.gz"] = place
            (tmp_path / f"{number}.jsonl.gz").write_bytes(content)
    with duckdb.connect() as ours, duckdb.connect() as athena:
        archive_table.load(ours, copied)
        archive_table.define_functions(athena)
        table.create(athena, BUCKET, objects)
        asked = [(query.read_text(), tenant, to_path(agent), days) for tenant, agent in analyzed.AGENTS]
        told = [archive_table.ask(ours, *each) for each in asked]

        assert told == [archive_table.ask(athena, *each) for each in asked]
    assert days != EVER or all(rows for _, rows in told)
