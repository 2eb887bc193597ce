"""Removal of an agent's jobs: none of them is being done any more when it is gone, and none is done afterwards."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters import dynamodb_job_changes as changes
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, read_number, text
from agent_memory.adapters.dynamodb_job_item import HEAD, KNOWN, job_key, partition, read_job
from agent_memory.domain.purge import Removed
from agent_memory.errors import StoreUnavailable

# Longer than one request purges; whoever is killed in the middle holds up the agent's jobs for no longer.
_HELD = timedelta(seconds=60)
_PATIENCE_S = 6.0
_LOOK_S = 0.2
_RETRY_AFTER_S = 10


class DynamoAgentJobs:
    """`AgentStore` of jobs, their payloads and places; their notes go with the agent's records.

    It comes before the stores that jobs write to: a job under way is waited for, for a while.
    """

    def __init__(self, client: AwsJsonClient, table: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def purge(self, tenant_id: str, agent_id: str) -> Iterator[Removed]:
        """See `AgentStore.purge`; two calls for each session and each job.

        Raises:
            StoreUnavailable: a job is being done still.
        """
        holder, until = os.urandom(9).hex(), time.monotonic() + _PATIENCE_S
        heads = list(self._found(tenant_id, agent_id, HEAD))
        for head in heads:
            self._hold(_place(head), holder, until)
        for known in self._found(tenant_id, agent_id, KNOWN):
            self._remove(tenant_id, known, holder, until)
            yield Removed({"other": 1})
        for prefix in ("LINE#", "PART#"):
            for group in dynamodb.delete_found(self._client, self._request(tenant_id, agent_id, prefix)):
                yield Removed({"other": len(group)})
        for head in heads:
            self._remove_head(head, holder)
            yield Removed({"other": 1})

    def _remove(self, tenant_id: str, known: Item, holder: str, until: float) -> None:
        place = job_key(tenant_id, known["job_id"]["S"])
        row = dynamodb.get(self._client, self._table, place)
        if row is not None:
            if not read_job(tenant_id, known["job_id"]["S"], row).is_ordered:
                self._hold(place, holder, until)
            self._write(changes.delete(self._table, place))
        self._write(changes.delete(self._table, _place(known)))

    def _hold(self, place: Item, holder: str, until: float) -> None:
        """Nobody begins what is held; what is gone needs not be held."""
        while not self._write(changes.leased(self._table, place, holder, self._clock(), self._clock() + _HELD)):
            if dynamodb.get(self._client, self._table, place) is None:
                return
            if time.monotonic() > until:
                raise StoreUnavailable("a job of the agent is being done", _RETRY_AFTER_S)
            time.sleep(_LOOK_S)

    def _remove_head(self, head: Item, holder: str) -> None:
        """Unless another job of the session has been put meanwhile, which is for another purge."""
        if not self._write(changes.headless(self._table, _place(head), holder, read_number(head, "last") or 0)):
            self._write(changes.released(self._table, _place(head), holder))

    def _write(self, write: changes.Write) -> bool:
        with suppress(dynamodb.ConditionFailed):
            dynamodb.write(self._client, [write])
            return True
        return False

    def _found(self, tenant_id: str, agent_id: str, prefix: str) -> Iterator[Item]:
        for page in dynamodb.query(self._client, self._request(tenant_id, agent_id, prefix), lambda: True):
            yield from page

    def _request(self, tenant_id: str, agent_id: str, prefix: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :kind)",
            "ExpressionAttributeValues": {":pk": partition(tenant_id, agent_id), ":kind": text(prefix)},
            "ConsistentRead": True,
        }


def _place(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}
