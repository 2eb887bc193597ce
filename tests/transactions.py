"""Transactions of moto at the price of what they write.

For every item of a transaction moto copies the whole table, to undo it by: in a table of a thousand records each write
takes a second. Here the copy shares what the transaction cannot change.
"""

import copy
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_Write = Mapping[str, Mapping[str, Any]]


@contextmanager
def cheap_transactions() -> Iterator[None]:
    """Within this, moto's transactions cost what they write; they come one at a time (`strict`)."""
    whole = DynamoDBBackend.transact_write_items

    def transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        with patch.object(models, "copy", _Copies(transact_items)):
            whole(backend, transact_items)

    with patch.object(DynamoDBBackend, "transact_write_items", transact):
        yield


class _Copies:
    """Stands in for the module `copy` while moto writes a transaction."""

    def __init__(self, writes: Sequence[_Write]) -> None:
        self._written: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for write in writes:
            for operation in write.values():
                self._written[operation["TableName"]].append(operation.get("Key") or operation["Item"])

    def deepcopy(self, thing: Any) -> Any:
        if not isinstance(thing, Table) or thing.stream_shard is not None:
            return copy.deepcopy(thing)
        kept = copy.copy(thing)
        kept.items = defaultdict(dict, {pk: dict(items) for pk, items in thing.items.items()})
        for key in self._written[thing.name]:
            items, sk = kept.items[DynamoType(key["pk"])], DynamoType(key["sk"])
            if sk in items:
                items[sk] = copy.deepcopy(items[sk])
        return kept
