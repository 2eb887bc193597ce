"""What time to live removes is told from what somebody deleted, on the stand-in's stream."""

from local.ports import Ports
from tests.event_source.expiry import Expiry
from tests.event_source.stream import SERVICE, Stream, make_client
from tests.fakes.clock import Clock
from tests.faults import stores


def test_only_what_has_passed_is_removed_and_the_stream_says_by_whom(stand_in: Ports) -> None:
    clock = Clock()
    with stores.made(stand_in) as made:
        client, table = made.dynamodb(), made.aws.memory_table
        expiry = Expiry(client, table, clock)
        stream = Stream(made.aws.client(make_client), made.stream_arn, clock, expiry.is_its_work)
        passed, later = int(clock().timestamp()), int(clock().timestamp()) + 1
        for name, evict_at in (("passed", passed), ("later", later), ("deleted", passed)):
            item = {"pk": {"S": name}, "sk": {"S": "x"}, "evict_at": {"N": str(evict_at)}, "body": {"B": "AAE="}}
            client.call("PutItem", {"TableName": table, "Item": item})
        client.call("DeleteItem", {"TableName": table, "Key": {"pk": {"S": "deleted"}, "sk": {"S": "x"}}})

        assert expiry.sweep() == 1
        (records,) = stream.read().values()

    removed = [record for record in records if record["eventName"] == "REMOVE"]
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in removed] == ["deleted", "passed"]
    assert [record.get("userIdentity") for record in removed] == [None, SERVICE]
    assert removed[1]["dynamodb"]["OldImage"]["body"] == {"B": "AAE="}, "as functions get it"
    assert {record["dynamodb"]["ApproximateCreationDateTime"] for record in records} == {clock().timestamp()}
    assert {record["eventSourceARN"] for record in records} == {made.stream_arn}
