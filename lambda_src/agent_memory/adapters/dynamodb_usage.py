"""Usage counters in the control table: one item for each tenant, one attribute for each counter."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from agent_memory.acting import acting_for
from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, key, number, text
from agent_memory.domain.claims import WINDOW_SECOND, WINDOW_TAKEN, Claim, ClaimRefused
from agent_memory.domain.windows import Step


class DynamoUsageStore:
    """`UsageStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, tenant_id: str, counts: Mapping[str, int]) -> None:
        """See `UsageStore.add`; one call, which counts twice when its answer is lost and it is sent again."""
        update = _Update()
        for name, count in counts.items():
            update.add(name, count)
        request = {"TableName": self._table, "Key": _item_key(tenant_id), **update.expressions()}
        with self._counting(tenant_id, counts), self._client.hurry():
            dynamodb.write(self._client, [{"Update": request}])

    def claim(self, tenant_id: str, claim: Claim) -> Mapping[str, int]:
        """See `UsageStore.claim`; one call, whose counts stand twice when its answer is lost and it is sent again."""
        update = _Update()
        for name, count in claim.counts.items():
            update.add(name, count)
        for name, ceiling in claim.ceilings.items():
            update.allow_at_most(name, ceiling - claim.counts.get(name, 0))
        if claim.step is not None:
            update.take_step(claim.step)
        request = {"TableName": self._table, "Key": _item_key(tenant_id), "ReturnValues": "ALL_NEW"}
        is_limited = bool(claim.ceilings) or claim.step is not None
        try:
            in_time = self._client.aside() if is_limited else self._client.hurry()
            with self._counting(tenant_id, claim.counts), in_time:
                answer = dynamodb.write(self._client, [{"Update": request | update.expressions()}])
        except dynamodb.ConditionFailed as exc:
            raise ClaimRefused(_counters(exc.item)) from exc
        return _counters(answer.get("Attributes", {}))

    @contextmanager
    def _counting(self, tenant_id: str, counts: Mapping[str, int]) -> Iterator[None]:
        """For the tenant, whose counts may have waited for another one's request; nothing is taken off twice."""
        with acting_for(tenant_id):
            if all(count >= 0 for count in counts.values()):
                yield
            else:
                with self._client.once():
                    yield

    def get(self, tenant_id: str) -> Mapping[str, int]:
        """See `UsageStore.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _item_key(tenant_id)) or {}
        return _counters(item)


class _Update:
    """The expressions of an UpdateItem, put together part by part."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, dict[str, str]] = {}
        self._clauses: dict[str, list[str]] = {"SET": [], "ADD": []}
        self._conditions: list[str] = []

    def add(self, name: str, count: int) -> None:
        self._clauses["ADD"].append(f"{self._name(name)} {self._value(count)}")

    def allow_at_most(self, name: str, before: int) -> None:
        """What was never counted is nothing."""
        unless_new = f"attribute_not_exists({self._name(name)}) OR " if before >= 0 else ""
        self._conditions.append(f"({unless_new}{self._name(name)} <= {self._value(before)})")

    def take_step(self, step: Step) -> None:
        """See `Step`."""
        second, taken = self._name(WINDOW_SECOND), self._name(WINDOW_TAKEN)
        if step.kind == "join":
            self.add(WINDOW_TAKEN, step.tokens)
            room = self._value(step.limit - step.tokens)
            self._conditions.append(f"{second} = {self._value(step.second)} AND {taken} <= {room}")
            return
        for place, number_ in ((second, step.second), (taken, step.tokens)):
            self._clauses["SET"].append(f"{place} = {self._value(number_)}")
        if step.kind == "open":
            self._conditions.append(f"(attribute_not_exists({second}) OR {second} < {self._value(step.second)})")
        else:
            self._conditions.append(f"{second} = {self._value(step.seen)}")

    def expressions(self) -> dict[str, Any]:
        clauses = [f"{verb} {', '.join(parts)}" for verb, parts in self._clauses.items() if parts]
        made: dict[str, Any] = {
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": self._values,
        }
        return made | ({"ConditionExpression": " AND ".join(self._conditions)} if self._conditions else {})

    def _name(self, name: str) -> str:
        known = {full: short for short, full in self._names.items()}
        short = known.get(name, f"#n{len(self._names)}")
        self._names[short] = name
        return short

    def _value(self, value: int) -> str:
        short = f":v{len(self._values)}"
        self._values[short] = number(value)
        return short


def _counters(item: Item) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value}


def _item_key(tenant_id: str) -> Item:
    return {"pk": text(key(tenant_id, "USAGE")), "sk": text("USAGE")}
