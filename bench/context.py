"""Calls of a context, warm: to the embedding model, to DynamoDB and to the database, counted on the wire."""

import os
import secrets

from agent_memory.entrypoints import knowledge
from bench.report import Line
from bench.requests import call
from bench.wire import Wire
from local import ministack
from local.stack import Stack

_FUNCTION = "memory-local-knowledge"


def measure(stack: Stack) -> list[Line]:
    """Run the function's own code, told what the deployed function is told, with proxies before what it calls."""
    lambda_ = ministack.client("lambda", stack.aws_endpoint_url)
    told = lambda_.get_function_configuration(FunctionName=_FUNCTION)["Environment"]["Variables"]
    wires = {
        "embedding": Wire(stack.bedrock_endpoint_url),
        "DynamoDB": Wire(stack.aws_endpoint_url),
        "SQL": Wire(stack.rds_data_endpoint_url),
    }
    os.environ |= told | {
        "AWS_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": wires["DynamoDB"].url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": wires["embedding"].url,
        "AWS_ENDPOINT_URL_RDS_DATA": wires["SQL"].url,
    }
    try:
        _context()  # what a warm function has behind it
        for wire in wires.values():
            wire.reset()
        _context()
        # What counting costs comes on top now and then, and is in the line of steady load.
        counts = {name: wire.calls.total() - wire.counting_calls for name, wire in wires.items()}
    finally:
        for wire in wires.values():
            wire.close()
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return [Line("calls of a context", said, "1 each", all(count == 1 for count in counts.values()))]


def _context() -> object:
    message = f"what does the user like about {secrets.token_hex(8)}?"
    body = {"agent_id": "bench", "user_id": "bench", "session_id": "s", "message": message}
    return call(knowledge.handler, "POST /v1/context", {}, body)
