"""What IAM is asked about messages of queues, and about a model that writes."""

import json

import pytest

from local.iam.dynamodb import Tables
from local.iam.message import Message, Signer, Unreadable
from local.iam.services import requests

TABLES = Tables("us-east-1", "000000000000", {})
QUEUE = "http://127.0.0.1:1/000000000000/memory-jobs"


def asked(service: str, target: str, headers: dict[str, str], **body: object) -> list[tuple[str, str]]:
    message = Message("POST", target, headers, json.dumps(body).encode())
    return [(each.action, each.resource) for each in requests(message, Signer("k", "t", "us-east-1", service), TABLES)]


@pytest.mark.parametrize("operation", ["SendMessage", "SendMessageBatch"])
def test_a_batch_of_messages_asks_for_what_each_would(operation: str) -> None:
    told = asked("sqs", "/", {"x-amz-target": f"AmazonSQS.{operation}"}, QueueUrl=QUEUE, Entries=[])

    assert told == [("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:memory-jobs")]


def test_a_message_to_no_queue_is_not_understood() -> None:
    with pytest.raises(Unreadable):
        asked("sqs", "/", {"x-amz-target": "AmazonSQS.SendMessage"}, Entries=[])


def test_a_conversation_asks_for_its_model() -> None:
    told = asked("bedrock", "/model/amazon.nova-micro-v1%3A0/converse", {}, messages=[])

    assert told == [("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0")]
    with pytest.raises(Unreadable):
        asked("bedrock", "/model/amazon.nova-micro-v1%3A0/converse-stream", {}, messages=[])
