"""Runs, tool calls and flags of the victim, reached for through the stores in the attacker's context."""

from datetime import UTC, datetime

from agent_memory.adapters.dynamodb_flags import DynamoFlagStore
from agent_memory.adapters.dynamodb_idempotency import DynamoIdempotencyStore
from agent_memory.adapters.dynamodb_run_purge import DynamoAgentRuns
from agent_memory.adapters.dynamodb_runs import DynamoRunStore
from agent_memory.adapters.dynamodb_tool_calls import DynamoToolLedger
from agent_memory.domain.runs import RunKey
from agent_memory.domain.tool_calls import CallKey
from agent_memory.domain.usage import Tally
from agent_memory.service.paging import PageBudget
from tests.isolation.arena import Leak
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, store_attack
from tests.isolation.stores_aws import reach


@store_attack("dynamodb runs and tool calls", "the victim's ids in the attacker's context", "aws_endpoint")
def runs(ground: Ground) -> None:
    victim, now = ground.arena.fresh(), datetime.now(UTC)
    before, ids = ground.arena.look(victim), victim.ids
    with reach(ground) as client:
        table, idempotency = ground.stores.memory_table, DynamoIdempotencyStore(client, ground.stores.control_table)
        store = DynamoRunStore(client, table, idempotency, Tally())
        ledger = DynamoToolLedger(client, table, idempotency, Tally())
        for tenant, is_there in ((ground.attacker, False), (ground.victim, True)):
            key = RunKey(tenant, ids["run_id"])
            found = [
                store.top(key, now),
                list(store.steps(key, None, now, PageBudget())),
                list(store.runs(tenant, ids["agent_id"], None, now, PageBudget())),
                ledger.get(CallKey(tenant, ids["run_id"], ids["call_id"])),
            ]
            if any(bool(each) != is_there for each in found):
                raise (Unfilled if is_there else Leak)(f"as {tenant}: {found}")
        removed = list(DynamoAgentRuns(client, table).purge(ground.attacker, ids["agent_id"]))
    if removed:
        raise Leak(f"the attacker's purge removed {removed}")
    ground.arena.unharmed(victim, before)


@store_attack("dynamodb flags", "the victim's flags in the attacker's context", "aws_endpoint")
def flags(ground: Ground) -> None:
    with reach(ground) as client:
        store = DynamoFlagStore(client, ground.stores.control_table)
        store.change(ground.victim, {"attacked": True}, ())
        seen = [dict(store.get(tenant)) for tenant in (ground.attacker, ground.victim)]
        store.change(ground.victim, {}, ["attacked"])
    if seen != [{}, {"attacked": True}]:
        raise Leak(f"flags of another tenant: {seen}")
