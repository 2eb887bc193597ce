"""The deployed sweeper, started by the operator's command: it archives what was forgotten, and merges what is small."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory.domain.times import format_time, to_micros
from local.stack import Stack
from tests.e2e import tiers
from tests.e2e.api import Api
from tests.e2e.conftest import admin

# Of a month that is over for longer than episodes may wait.
LONG_AGO = datetime.now(UTC) - timedelta(days=100)


@pytest.fixture
def agent() -> str:
    return f"sweep-{secrets.token_hex(4)}"


def forgotten(api: Api, stack: Stack, agent: str, first: int, count: int) -> list[str]:
    """Write episodes, and make the table believe that they have been waiting for a month; their ids."""
    items = [
        {
            "agent_id": agent,
            "session_id": "s",
            "type": "action",
            "content": number,
            "timestamp": format_time(LONG_AGO.replace(day=2) + timedelta(minutes=number)),
        }
        for number in range(first, first + count)
    ]
    results = api.post("/v1/memory/episodic/batch", {"items": items})["results"]
    here = tiers.client(stack)
    written = datetime.now(UTC) - timedelta(days=30)
    for each in results:
        key = {
            "pk": {"S": f"{stack.tenants[0].tenant_id}#{agent}#0"},
            "sk": {"S": f"EPISODE#{each['data']['timestamp']}#{each['data']['id']}"},
        }
        update = {
            "TableName": stack.memory_table,
            "Key": key,
            "UpdateExpression": "SET created_at = :at",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":at": {"N": str(to_micros(written))}},
        }
        here.call("UpdateItem", update)
    return [each["data"]["id"] for each in results]


def sweep(stack: Stack) -> dict[str, Any]:
    done: dict[str, Any] = admin(stack, "archive", "sweep")
    assert done["finished"], done
    assert not done.keys() & {"failed", "unreadable"}, done
    return done


def objects(stack: Stack, agent: str) -> list[int]:
    """How many episodes each object of the agent holds."""
    rows = tiers.rows(stack, stack.tenants[0].tenant_id, agent, "OBJECT#")
    return [int(row["count"]["N"]) for row in rows]


def test_what_was_forgotten_is_archived_and_small_objects_of_a_month_become_one(
    api: Api, stack: Stack, agent: str
) -> None:
    written = forgotten(api, stack, agent, 0, 7)
    assert sweep(stack)["archived"] >= 7
    assert objects(stack, agent) == [7]
    written += forgotten(api, stack, agent, 7, 5)

    assert sweep(stack)["merged"] >= 1

    assert objects(stack, agent) == [12]
    page = api.get(f"/v1/memory/episodic/{agent}?order=oldest&limit=50")
    assert [each["id"] for each in page["episodes"]] == written
    assert tiers.rows(stack, stack.tenants[0].tenant_id, agent, "PENDING#") == []
