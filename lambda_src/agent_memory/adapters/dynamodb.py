"""DynamoDB calls that the stores share: reads page by page, and writes that say why they failed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from agent_memory.adapters.aws_http import AwsError, pause
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item
from agent_memory.adapters.sigv4 import CredentialSource, own_role
from agent_memory.domain.scan import ScanBudgetSpent
from agent_memory.errors import InProgress, StoreUnavailable

_BATCH_WRITE = 25
_BATCH_GET = 100
_BATCH_ROUNDS = 6
_COLLISIONS = 6
_TELL_WHY = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class ConditionFailed(Exception):
    """A condition did not hold: `index` is the failed write's place, `item` what stands there (maybe {})."""

    def __init__(self, index: int, item: Item, *, resent: bool) -> None:
        super().__init__("a condition did not hold")
        self.index = index
        self.item = item
        self.resent = resent


def make_client(
    region: str, credentials: CredentialSource = own_role, patience_s: float | None = None
) -> AwsJsonClient:
    """Make the client; it connects at its first call."""
    return AwsJsonClient(
        "dynamodb", "DynamoDB_20120810", region, protocol="1.0", credentials=credentials, patience_s=patience_s
    )


def get(client: AwsJsonClient, table: str, item_key: Item) -> Item | None:
    """Read one item, strongly consistent."""
    answer = client.call("GetItem", {"TableName": table, "Key": item_key, "ConsistentRead": True})
    item: Item | None = answer.get("Item")
    return item


def write(client: AwsJsonClient, writes: Sequence[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Write one item alone, or several in one transaction; each is {"Put" | "Update" | "Delete": {...}},
    and in a transaction also {"ConditionCheck": {...}}.

    A write that meets another transaction on its item is sent again: by then that one has won or lost.

    Raises:
        ConditionFailed: nothing was written.
        InProgress: other transactions held one of the items each time.
    """
    told = [(action, request | _TELL_WHY) for each in writes for action, request in each.items()]
    for attempt in range(_COLLISIONS):
        pause(attempt)
        try:
            if len(told) == 1:
                return client.call(f"{told[0][0]}Item", told[0][1])
            return client.call("TransactWriteItems", {"TransactItems": [{action: item} for action, item in told]})
        except AwsError as exc:
            if not _collided(exc):
                raise _explained(exc) from exc
    raise InProgress("other requests are writing the same record", retry_after_s=1)


def _collided(error: AwsError) -> bool:
    codes = {reason.get("Code") for reason in error.body.get("CancellationReasons", [])} - {"None"}
    return error.code == "TransactionConflictException" or codes == {"TransactionConflict"}


def _explained(error: AwsError) -> Exception:
    if error.code == "ConditionalCheckFailedException":
        return ConditionFailed(0, error.body.get("Item", {}), resent=error.resent)
    if error.code != "TransactionCanceledException":
        return error
    reasons = error.body.get("CancellationReasons", [])
    # Last first: the idempotency record stands last, and a repeated request must hear its first answer.
    for index, reason in reversed(list(enumerate(reasons))):
        if reason.get("Code") == "ConditionalCheckFailed":
            return ConditionFailed(index, reason.get("Item", {}), resent=error.resent)
    return StoreUnavailable("dynamodb did not accept the transaction")


def put_all(client: AwsJsonClient, table: str, items: Sequence[Item]) -> list[bool]:
    """Put items without conditions, 25 a call; tells for each whether it is durable."""
    durable = [False] * len(items)
    for start in range(0, len(items), _BATCH_WRITE):
        places = range(start, min(start + _BATCH_WRITE, len(items)))
        left = {(items[i]["pk"]["S"], items[i]["sk"]["S"]): i for i in places}
        with suppress(StoreUnavailable):  # what is left then may or may not be there, and has to be sent again
            _put_batch(client, table, items, left)
        for i in places:
            durable[i] = i not in left.values()
        if left:
            break  # the store is in trouble: the rest has not been sent
    return durable


def _put_batch(client: AwsJsonClient, table: str, items: Sequence[Item], left: dict[tuple[str, str], int]) -> None:
    for attempt in range(_BATCH_ROUNDS):
        pause(attempt)
        requests = [{"PutRequest": {"Item": items[i]}} for i in left.values()]
        answer = client.call("BatchWriteItem", {"RequestItems": {table: requests}})
        refused = answer.get("UnprocessedItems", {}).get(table, [])
        keys = {(r["PutRequest"]["Item"]["pk"]["S"], r["PutRequest"]["Item"]["sk"]["S"]) for r in refused}
        for key in [key for key in left if key not in keys]:
            del left[key]
        if not left:
            return


def delete_found(client: AwsJsonClient, request: dict[str, Any]) -> Iterator[list[Item]]:
    """Delete what a Query finds, 25 items a call; yield each group once it is gone.

    Raises:
        StoreUnavailable: some of a group may still be there.
    """
    for page in query(client, request, lambda: True):
        for start in range(0, len(page), _BATCH_WRITE):
            group = page[start : start + _BATCH_WRITE]
            delete_all(client, request["TableName"], group)
            yield group


def delete_all(client: AwsJsonClient, table: str, items: Sequence[Item]) -> None:
    """Delete items by their keys, 25 a call; those that are not there are no error.

    Raises:
        StoreUnavailable: some may still be there.
    """
    for start in range(0, len(items), _BATCH_WRITE):
        _delete_batch(client, table, items[start : start + _BATCH_WRITE])


def _delete_batch(client: AwsJsonClient, table: str, items: Sequence[Item]) -> None:
    left = [{"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in items]
    for attempt in range(_BATCH_ROUNDS):
        pause(attempt)
        answer = client.call("BatchWriteItem", {"RequestItems": {table: left}})
        left = answer.get("UnprocessedItems", {}).get(table, [])
        if not left:
            return
    raise StoreUnavailable("dynamodb did not delete every record")


def get_all(client: AwsJsonClient, table: str, keys: Sequence[Item]) -> dict[tuple[str, str], Item]:
    """Read items by key, strongly consistent; what does not exist is missing from the answer.

    Raises:
        StoreUnavailable: some were still unprocessed after several rounds.
    """
    found: dict[tuple[str, str], Item] = {}
    for start in range(0, len(keys), _BATCH_GET):
        left: Sequence[Item] = keys[start : start + _BATCH_GET]
        for attempt in range(_BATCH_ROUNDS):
            pause(attempt)
            request = {"RequestItems": {table: {"Keys": list(left), "ConsistentRead": True}}}
            answer = client.call("BatchGetItem", request)
            for item in answer.get("Responses", {}).get(table, []):
                found[item["pk"]["S"], item["sk"]["S"]] = item
            left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not left:
                break
        else:
            raise StoreUnavailable("dynamodb did not return every record")
    return found


def query(client: AwsJsonClient, request: dict[str, Any], may_go_on: Callable[[], bool]) -> Iterator[list[Item]]:
    """Yield the pages of a Query; `may_go_on` is asked before each page but the first.

    Raises:
        ScanBudgetSpent: more pages remain than may be read.
    """
    answer = client.call("Query", request)
    yield answer.get("Items", [])
    while start_key := answer.get("LastEvaluatedKey"):
        if not may_go_on():
            raise ScanBudgetSpent
        answer = client.call("Query", {**request, "ExclusiveStartKey": start_key})
        yield answer.get("Items", [])
