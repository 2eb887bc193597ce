"""A session of one tenant in DynamoDB: its own keys in every operation, and nobody else's in any."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fix_iam import STATEMENTS, TABLE, TABLE_ARN, Enforced, make_role

PARTIQL = "SELECT * FROM memory WHERE pk = 'acme#agent#0'"

Operation = Callable[[Any, str], Any]


def item(tenant: str, sk: str = "a") -> dict[str, Any]:
    return {"pk": {"S": f"{tenant}#agent#0"}, "sk": {"S": sk}, "user_key": {"S": f"{tenant}#user"}}


def key(tenant: str, sk: str = "a") -> dict[str, Any]:
    return {name: value for name, value in item(tenant, sk).items() if name != "user_key"}


def query(client: Any, tenant: str, **more: Any) -> Any:
    request = {
        "TableName": TABLE,
        "KeyConditionExpression": "begins_with(#s, :s) AND #p = :p",
        "ExpressionAttributeNames": {"#p": "pk", "#s": "sk"},
        "ExpressionAttributeValues": {":p": {"S": f"{tenant}#agent#0"}, ":s": {"S": "a"}},
    }
    return client.query(**(request | more))


def query_index(client: Any, tenant: str) -> Any:
    return client.query(
        TableName=TABLE,
        IndexName="by_user",
        KeyConditionExpression="user_key = :u",
        ExpressionAttributeValues={":u": {"S": f"{tenant}#user"}},
    )


def query_the_old_way(client: Any, tenant: str) -> Any:
    condition = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": f"{tenant}#agent#0"}]}
    return client.query(TableName=TABLE, KeyConditions={"pk": condition})


def update(client: Any, tenant: str) -> Any:
    values = {":n": {"N": "1"}}
    return client.update_item(
        TableName=TABLE, Key=key(tenant), UpdateExpression="SET n = :n", ExpressionAttributeValues=values
    )


def check(client: Any, tenant: str) -> Any:
    condition = {"TableName": TABLE, "Key": key(tenant), "ConditionExpression": "attribute_exists(pk)"}
    return client.transact_write_items(TransactItems=[{"ConditionCheck": condition}])


def transact(member: str, part: str, of: Callable[[str], dict[str, Any]], **more: Any) -> Operation:
    def run(client: Any, tenant: str) -> Any:
        given = {"TableName": TABLE, part: of(tenant), **more}
        return client.transact_write_items(TransactItems=[{member: given}])

    return run


def by_arn(client: Any, tenant: str) -> Any:
    return client.get_item(TableName=TABLE_ARN, Key=key(tenant))


OPERATIONS: dict[str, Operation] = {
    "put": lambda client, tenant: client.put_item(TableName=TABLE, Item=item(tenant)),
    "get": lambda client, tenant: client.get_item(TableName=TABLE, Key=key(tenant)),
    "get by the table's arn": by_arn,
    "update": update,
    "query": query,
    "query an index": query_index,
    "query the old way": query_the_old_way,
    "batch get": lambda client, tenant: client.batch_get_item(RequestItems={TABLE: {"Keys": [key(tenant)]}}),
    "batch write": lambda client, tenant: client.batch_write_item(
        RequestItems={TABLE: [{"PutRequest": {"Item": item(tenant)}}]}
    ),
    "transact get": lambda client, tenant: client.transact_get_items(
        TransactItems=[{"Get": {"TableName": TABLE, "Key": key(tenant)}}]
    ),
    "transact check": check,
    "transact put": transact("Put", "Item", item),
    "transact update": transact("Update", "Key", key, UpdateExpression="REMOVE n"),
    "transact delete": transact("Delete", "Key", lambda tenant: key(tenant, "gone")),
    "batch delete": lambda client, tenant: client.batch_write_item(
        RequestItems={TABLE: [{"DeleteRequest": {"Key": key(tenant)}}]}
    ),
    "delete": lambda client, tenant: client.delete_item(TableName=TABLE, Key=key(tenant)),
}


@pytest.fixture(scope="module")
def session(enforced: Enforced) -> Iterator[Any]:
    """A session of the first tenant."""
    with closing(enforced.client("dynamodb", enforced.session("acme"))) as client:
        yield client


@pytest.fixture(scope="module")
def root(enforced: Enforced) -> Iterator[Any]:
    """Whom nothing is refused."""
    with closing(enforced.root("dynamodb")) as client:
        yield client


@pytest.fixture
def acme(session: Any, root: Any) -> Any:
    """A session of the first tenant; both tenants have an item."""
    for tenant in ("acme", "globex"):
        root.put_item(TableName=TABLE, Item=item(tenant))
    return session


def refused(run: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as raised:
        run()
    code: str = raised.value.response["Error"]["Code"]
    return code


def theirs(root: Any) -> Any:
    return root.get_item(TableName=TABLE, Key=key("globex"))["Item"]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_own_items_are_reached(acme: Any, operation: Operation) -> None:
    assert operation(acme, "acme")["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("tenant", ["globex", "acme-2", "acm", ""])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_nobody_elses_items_are_reached(root: Any, acme: Any, operation: Operation, tenant: str) -> None:
    assert refused(lambda: operation(acme, tenant)) == "AccessDeniedException"
    assert theirs(root) == item("globex")


def test_a_batch_with_one_item_of_anothers_is_refused_as_a_whole(root: Any, acme: Any) -> None:
    puts = [{"PutRequest": {"Item": item("acme", "new")}}, {"PutRequest": {"Item": item("globex")}}]
    keys = [key("acme"), key("globex")]

    assert refused(lambda: acme.batch_write_item(RequestItems={TABLE: puts})) == "AccessDeniedException"
    assert refused(lambda: acme.batch_get_item(RequestItems={TABLE: {"Keys": keys}})) == "AccessDeniedException"
    assert "Item" not in acme.get_item(TableName=TABLE, Key=key("acme", "new"))


def test_a_transaction_with_one_item_of_anothers_is_refused_as_a_whole(root: Any, acme: Any) -> None:
    mixed = [
        {"Put": {"TableName": TABLE, "Item": item("acme", "new")}},
        {"Delete": {"TableName": TABLE, "Key": key("globex")}},
    ]

    assert refused(lambda: acme.transact_write_items(TransactItems=mixed)) == "AccessDeniedException"
    assert theirs(root) == item("globex")
    assert "Item" not in acme.get_item(TableName=TABLE, Key=key("acme", "new"))


@pytest.mark.parametrize(
    "run",
    [
        lambda client: client.scan(TableName=TABLE),
        lambda client: client.scan(TableName=TABLE, IndexName="by_user"),
        lambda client: client.execute_statement(Statement=PARTIQL),
        lambda client: client.batch_execute_statement(Statements=[{"Statement": PARTIQL}]),
        lambda client: client.execute_transaction(TransactStatements=[{"Statement": PARTIQL}]),
        lambda client: client.describe_table(TableName=TABLE),
        lambda client: client.list_tables(),
        lambda client: client.delete_table(TableName=TABLE),
        lambda client: client.get_item(TableName="other", Key=key("acme")),
        # the partition key's own name means the sort key, and the tenant's own key stands where nobody looks
        lambda client: query(
            client, "globex", ExpressionAttributeNames={"#p": "pk", "#s": "sk", "#x": "pk"}, FilterExpression="#x = :p"
        ),
        lambda client: query(client, "acme", KeyConditionExpression="#p = :p OR #p = :s"),
        lambda client: query(client, "acme", KeyConditionExpression="#s = :p"),
        lambda client: query(client, "acme", KeyConditionExpression="#p > :p"),
    ],
)
def test_what_names_no_key_or_cannot_be_read_is_refused(acme: Any, run: Callable[[Any], Any]) -> None:
    assert refused(lambda: run(acme)) == "AccessDeniedException"


def test_a_session_without_a_tag_reaches_nothing(enforced: Enforced) -> None:
    with closing(enforced.client("dynamodb", enforced.session(None))) as client:
        for operation in OPERATIONS.values():
            assert refused(lambda run=operation: run(client, "acme")) == "AccessDeniedException"  # type: ignore[misc]


def test_without_leading_keys_everybodys_items_would_be_reached(enforced: Enforced, acme: Any) -> None:
    try:
        enforced.policy("tenant", [{**STATEMENTS[0], "Condition": {}}])

        assert acme.get_item(TableName=TABLE, Key=key("globex"))["Item"] == item("globex")
    finally:
        enforced.policy("tenant", STATEMENTS)
    assert refused(lambda: acme.get_item(TableName=TABLE, Key=key("globex"))) == "AccessDeniedException"


def test_without_null_a_scan_would_pass(enforced: Enforced, acme: Any) -> None:
    """ForAllValues holds for a request that has no leading keys: what the guard is for."""
    scanning = STATEMENTS[0] | {"Action": "dynamodb:*"}
    unguarded = {name: each for name, each in STATEMENTS[0]["Condition"].items() if name != "Null"}
    try:
        enforced.policy("tenant", [scanning])
        assert refused(lambda: acme.scan(TableName=TABLE)) == "AccessDeniedException"

        enforced.policy("tenant", [scanning | {"Condition": unguarded}])
        assert acme.scan(TableName=TABLE)["Count"] >= 2
    finally:
        enforced.policy("tenant", STATEMENTS)


def test_a_role_of_no_tenant_reaches_the_keys_that_its_policy_names_and_no_others(
    enforced: Enforced, root: Any
) -> None:
    make_role(enforced, "reader", {"AWS": "arn:aws:iam::000000000000:root"})
    condition = {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["acme#agent#0"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE_ARN, "Condition": condition}
    enforced.policy("reader", [statement])
    root.put_item(TableName=TABLE, Item=item("acme"))

    with closing(enforced.client("dynamodb", enforced.session(None, "reader"))) as reader:
        assert OPERATIONS["get"](reader, "acme")["Item"] == item("acme")
        with pytest.raises(ClientError, match="AccessDenied"):
            OPERATIONS["get"](reader, "globex")
        with pytest.raises(ClientError, match="AccessDenied"):
            OPERATIONS["query"](reader, "acme")
