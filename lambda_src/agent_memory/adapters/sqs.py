"""Queues of SQS, over signed requests: what relays jobs starts as often as functions of the hot path."""

import json
from collections.abc import Sequence
from typing import Any

from agent_memory.adapters.aws_http import AwsError
from agent_memory.adapters.aws_json import AwsJsonClient
from agent_memory.domain.queue import JobMessage, Received, read_message
from agent_memory.errors import StoreUnavailable

_BATCH = 10
# An operator's command has done its work by then; what it was stopped at comes back.
_RECEIVED_S = 300


def make_client(region: str) -> AwsJsonClient:
    """Make the client; it connects at its first call."""
    return AwsJsonClient("sqs", "AmazonSQS", region, protocol="1.0")


class SqsJobQueue:
    """`JobQueue` and `DeadLetters` on one queue of SQS."""

    def __init__(self, client: AwsJsonClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[JobMessage]) -> Sequence[bool]:
        """See `JobQueue.send`; one call for ten messages."""
        taken: list[bool] = []
        for start in range(0, len(messages), _BATCH):
            group = messages[start : start + _BATCH]
            entries = [
                {"Id": str(place), "MessageBody": json.dumps(each._asdict())} for place, each in enumerate(group)
            ]
            answer = self._call("SendMessageBatch", {"Entries": entries})
            sent = {each["Id"] for each in answer.get("Successful") or ()}
            taken += [str(place) in sent for place in range(len(group))]
        return taken

    def receive(self) -> Sequence[Received]:
        """See `DeadLetters.receive`; one call."""
        asked = {"MaxNumberOfMessages": _BATCH, "VisibilityTimeout": _RECEIVED_S, "WaitTimeSeconds": 1}
        found = self._call("ReceiveMessage", asked).get("Messages") or ()
        return [Received(read_message(each["Body"]), each["ReceiptHandle"]) for each in found]

    def remove(self, receipt: str) -> None:
        """See `DeadLetters.remove`; one call."""
        self._call("DeleteMessage", {"ReceiptHandle": receipt})

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._client.call(operation, {"QueueUrl": self._url, **request})
        except AwsError as exc:
            raise StoreUnavailable("the queue refused the request") from exc
