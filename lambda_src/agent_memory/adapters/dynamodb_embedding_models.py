"""The plan of the embedding models in the control table: one item for the whole deployment."""

from typing import Any

from agent_memory.adapters import dynamodb
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.adapters.dynamodb_item import Item, number, read_number, read_text, text
from agent_memory.domain.embedding_models import Plan, read_space
from agent_memory.domain.times import from_micros, to_micros

# No tenant is called so, and what a tenant has begins with its name. Terraform lets functions read this key alone.
_PLACE: Item = {"pk": text("EMBEDDINGS"), "sk": text("EMBEDDINGS")}


class DynamoPlanStore:
    """`PlanStore` on DynamoDB."""

    def __init__(self, client: AwsJsonClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self) -> Plan | None:
        """See `PlanStore.get`; one strongly consistent call."""
        item = dynamodb.get(self._client, self._table, _PLACE)
        return _plan(item) if item else None

    def put(self, plan: Plan, before: Plan | None) -> bool:
        """See `PlanStore.put`; one call."""
        put: dict[str, Any] = {"TableName": self._table, "Item": _item(plan)}
        if before is None or before.changed_at is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "changed_at = :changed AND stage = :stage"
            put["ExpressionAttributeValues"] = {
                ":changed": number(to_micros(before.changed_at)),
                ":stage": text(before.stage),
            }
        try:
            dynamodb.write(self._client, [{"Put": put}])
        except dynamodb.ConditionFailed as exc:
            return bool(exc.item) and _plan(exc.item) == plan  # an answer that was lost on the way
        return True


def _item(plan: Plan) -> Item:
    assert plan.changed_at  # noqa: S101 - what was never changed is never written
    item = {
        **_PLACE,
        "stage": text(plan.stage),
        "served": text(str(plan.served)),
        "changed_at": number(to_micros(plan.changed_at)),
    }
    return item | ({"other": text(str(plan.other))} if plan.other else {})


def _plan(item: Item) -> Plan:
    other = read_text(item, "other")
    return Plan(
        read_space(str(read_text(item, "served"))),
        str(read_text(item, "stage")),  # type: ignore[arg-type] # one of ours
        read_space(other) if other else None,
        from_micros(read_number(item, "changed_at") or 0),
    )
