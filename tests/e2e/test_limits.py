"""Limits: many clients of several tenants at the same time, over HTTP and several warm functions."""

import base64
import math
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent_memory.adapters.dynamodb_item import item_bytes
from local.stack import Stack
from tests.e2e.api import Api, wait_until
from tests.e2e.conftest import admin, dynamodb

CLIENTS = 25
"""Of each of the two tenants that are at their limits."""
MONTH = 60
OVERLOADED = {500, 502, 503, 504}
"""Answers of a machine that cannot start its functions in time; counted before, so not among what was served."""


@dataclass
class Tenant:
    """A tenant with a key that is used first by the test, so that its limits hold from the start."""

    stack: Stack
    name: str
    api: Api
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, path: str = "/v1/state/nobody") -> Any:
        """A request that is served with 404, unless it is one too many."""
        answer = self.api.request("GET", path)
        with self.lock:
            self.statuses[answer.status_code] += 1
        return answer

    @property
    def served(self) -> int:
        return self.statuses[404]

    def counted(self, name: str) -> int:
        """A counter, those of a month by its name alone."""
        counters = admin(self.stack, "tenants", "show", "--tenant", self.name)["counted"]
        return sum(count for counter, count in counters.items() if counter.partition(":")[0] == name)


Make = Callable[..., Tenant]


def is_overloaded(tenant: Tenant) -> bool:
    """Whether the machine failed the tenant. Without limits it is then served first and counted afterwards."""
    return any(tenant.statuses[status] for status in OVERLOADED)


@pytest.fixture
def tenant(stack: Stack) -> Iterator[Make]:
    """Make tenants by their limits."""
    made: list[Tenant] = []

    def make(**limits: int) -> Tenant:
        name = f"limits-{secrets.token_hex(6)}"
        if limits:
            options = [word for limit, most in limits.items() for word in (f"--{limit.replace('_', '-')}", str(most))]
            admin(stack, "tenants", "limit", "--tenant", name, *options)
        key = admin(stack, "keys", "create", "--tenant", name, "--scopes", "read", "write", "erase")["api_key"]
        made.append(Tenant(stack, name, Api(stack.api_url, key)))
        return made[-1]

    yield make
    for each in made:
        each.api.close()


def many(work: Callable[[int], Any], times: int, at_once: int = CLIENTS) -> list[Any]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, range(times)))


def settled(tenant: Tenant) -> None:
    """Requests of each function, several at a time so that each warm one has some: they carry what waits there."""
    paths = ["/v1/state/nobody", "/v1/memory/episodic/nobody", "/v1/memory/semantic?limit=1"]
    many(lambda number: tenant.api.request("GET", paths[number % 3]), 3 * CLIENTS)


def test_fifty_clients_of_two_tenants_get_what_their_limits_allow_and_slow_nobody_else(tenant: Make) -> None:
    by_second, by_month, free = tenant(requests_per_second=2), tenant(requests_per_month=MONTH), tenant()
    everyone, began = (by_second, by_month, free), time.time()
    for each in everyone:
        each.ask()

    def client(place: int) -> None:
        """Until both have been refused often. Who thinks in between does not wait for fifty functions to start."""
        one = clients[place]
        time.sleep(0.3 * place)  # clients come one by one: a machine that starts fifty functions at once serves nobody
        while min(by_second.statuses[429], by_month.statuses[429]) < 2 * CLIENTS and time.time() < began + 120:
            time.sleep(random.uniform(0.2, 1.5))  # noqa: S311 - no secret
            one.ask()

    clients = [by_second, by_month] * CLIENTS + [free] * 5
    many(client, len(clients), len(clients))

    seconds = math.floor(time.time()) - math.floor(began) + 1
    for each in everyone:
        assert each.statuses.keys() <= {404, 429, *OVERLOADED}
    for each in (by_second, by_month):
        assert each.counted("api_calls") >= each.served
    assert by_second.statuses[429] > 0
    assert 2 < by_second.served <= 2 * seconds
    assert by_month.served <= MONTH
    assert free.statuses[429] == 0, "no request of a tenant without limits may suffer from the others'"

    def has_used_up_its_month() -> bool:
        """What one function holds back is spent there, or given back and taken by another."""
        many(lambda _: by_month.ask(), CLIENTS)
        many(lambda _: free.ask(), CLIENTS)
        assert by_month.served <= MONTH
        return by_month.served + sum(by_month.statuses[status] for status in OVERLOADED) >= MONTH

    def is_counted(served: int = free.served) -> bool:
        """Without limits a tenant is served first where counting is slow, and counted with its next requests."""
        free.ask()
        return is_overloaded(free) or free.counted("api_calls") >= served

    wait_until(is_counted, seconds=60)
    wait_until(has_used_up_its_month, seconds=300)
    assert by_month.counted("api_calls") == MONTH


def test_a_refusal_says_which_limit_and_when_to_come_again(tenant: Make) -> None:
    limited = tenant(requests_per_month=1)
    limited.ask()

    refused = limited.ask()

    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert refused.json()["error"]["details"] == {"limit": "requests_per_month", "allowed": 1}
    assert 1 <= int(refused.headers["retry-after"]) <= 3600


def test_what_is_stored_at_the_same_time_keeps_to_the_limits_and_is_counted_to_the_byte(
    tenant: Make, stack: Stack
) -> None:
    limited = tenant(stored_bytes=6000, vectors=8, embeddings_per_month=40)
    agent = "planner"
    limited.ask()

    def write(number: int) -> int:
        body: dict[str, Any] = {"agent_id": agent, "session_id": f"s{number}"}
        if number % 3 == 0:
            path, body = "/v1/state", body | {"data": {"noise": secrets.token_hex(200)}}
        elif number % 3 == 1:
            path, body = "/v1/memory/episodic", body | {"type": "action", "content": secrets.token_hex(200)}
        else:
            path, body = "/v1/memory/semantic", body | {"content": f"{secrets.token_hex(20)}", "dedupe": False}
        answer = limited.api.request("POST", path, body)
        if answer.status_code == 429:
            assert answer.json()["error"]["details"]["limit"] in {"stored_bytes", "vectors"}
        return answer.status_code

    statuses = Counter(many(write, 90, 8))

    assert statuses.keys() <= {201, 429}
    assert statuses[429] > 0
    texts = len(limited.api.get("/v1/memory/semantic?limit=100")["results"])
    size = stored_bytes(stack, limited.name)
    assert texts <= 8
    assert size <= 6000
    assert statuses[201] == texts + records(stack, limited.name)

    def is_counted() -> bool:
        settled(limited)
        return (limited.counted("dynamo_bytes"), limited.counted("vectors")) == (size, texts)

    wait_until(is_counted, seconds=120)
    assert texts <= limited.counted("embeddings") <= 40
    limited.api.delete(f"/v1/memory/{agent}", 200)
    size = texts = 0
    wait_until(is_counted, seconds=120)
    assert write(0) == write(2) == 201


def test_a_change_of_limits_holds_within_the_stated_time(tenant: Make, stack: Stack) -> None:
    changed = tenant()
    assert changed.ask().status_code == 404

    admin(stack, "tenants", "limit", "--tenant", changed.name, "--requests-per-month", "0")

    wait_until(lambda: bool(changed.ask().status_code == 429), seconds=75)


def items(stack: Stack, tenant: str) -> list[Any]:
    """States and episodes of the tenant, behind the API's back."""
    with closing(dynamodb(stack)) as client:
        pages = list(client.get_paginator("scan").paginate(TableName=stack.memory_table, ConsistentRead=True))
    return [
        item
        for page in pages
        for item in page["Items"]
        if item["pk"]["S"].startswith(f"{tenant}#") and item["sk"]["S"].startswith(("SESSION#", "EPISODE#"))
    ]


def records(stack: Stack, tenant: str) -> int:
    return len(items(stack, tenant))


def stored_bytes(stack: Stack, tenant: str) -> int:
    """As usage counts: items as they are on the wire, where binary values are base64."""
    return sum(
        item_bytes({name: {kind: _wire(content)} for name, value in item.items() for kind, content in value.items()})
        for item in items(stack, tenant)
    )


def _wire(content: str | bytes) -> str:
    return base64.b64encode(content).decode() if isinstance(content, bytes) else content
