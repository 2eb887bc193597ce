"""The operator's worker is the function `ingest`: what is asked of it, and that it answers for one tenant at a time."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from agent_memory.acting import acting_tenant
from agent_memory.adapters.dynamodb_tenants import DynamoTenants
from agent_memory.adapters.embedding_worker import InvokedWorker
from agent_memory.bootstrap import work
from agent_memory.domain.identifiers import TENANT_ID
from agent_memory.entrypoints import ingest
from tests.contract.conftest import on_dynamodb
from tests.contract.memories import PIANO
from tests.contract.reembedding import NEW, OLD, in_memory
from tests.contract.test_control import an_api_key
from tests.edge import Edge
from tests.fakes.clock import Clock
from tests.fix_aws import Aws

TEXTS = [PIANO, "Ana plays the viola.", "The budget is short.", "A llama ate the lettuce."]


class Invoked:
    """The handler behind the wire: what goes in and comes out is JSON."""

    def invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = ingest.handler(json.loads(json.dumps(event)), SimpleNamespace(aws_request_id="r"))
        told: dict[str, Any] = json.loads(json.dumps(answer))
        return told


def test_a_worker_behind_the_wire_does_what_one_in_place_does(
    edge: Edge, tenant: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edge
    deployment = in_memory(tenant, clock)
    for text in TEXTS:
        deployment.function().store(text)
    operator = deployment.operator()
    in_place: Any = vars(operator._worker)["_port"]
    seen = []

    def watched() -> Any:
        seen.append(acting_tenant())
        return in_place

    monkeypatch.setattr(work, "embedding_work", watched)
    operator._worker = InvokedWorker(Invoked())

    operator.start()
    assert operator.backfill()["filled"] == 4
    assert operator.compare()["recall"] == 1.0
    operator.cut_over(0.9, anyway=False)
    assert operator.finish()["vectors_removed"] == 4
    assert deployment.plans.get().served == NEW != OLD  # type: ignore[union-attr]
    assert set(seen) == {tenant}


def test_every_tenant_that_stored_anything_is_known(aws: Aws, tenant: str, clock: Clock) -> None:
    stores = on_dynamodb(aws)
    stores.usage.add(f"{tenant}-counted", {"vectors": 1})
    stores.registry.mark(f"{tenant}-marked", "agent#1", None)
    stores.api_keys.add(an_api_key(f"{tenant}-keyed", clock))

    found = DynamoTenants(aws.client(), aws.control_table).all()

    assert {f"{tenant}-counted", f"{tenant}-marked", f"{tenant}-keyed"} <= set(found)
    assert list(found) == sorted(set(found))
    assert all(TENANT_ID.fullmatch(each) for each in found)
