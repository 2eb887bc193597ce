"""Calls of a semantic store and of a search, warm: to the embedding model and to the database, counted on the wire."""

import os
import secrets
from collections.abc import Callable

from agent_memory.entrypoints import semantic
from bench.report import Line
from bench.requests import call
from bench.wire import Wire
from local import ministack
from local.stack import Stack

_FUNCTION = "memory-local-semantic"


def measure(stack: Stack) -> list[Line]:
    """Run the function's own code, told what the deployed function is told, with proxies before what it calls."""
    lambda_ = ministack.client("lambda", stack.aws_endpoint_url)
    told = lambda_.get_function_configuration(FunctionName=_FUNCTION)["Environment"]["Variables"]
    model, database = Wire(stack.bedrock_endpoint_url), Wire(stack.rds_data_endpoint_url)
    os.environ |= told | {
        "AWS_REGION": stack.region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": stack.aws_endpoint_url,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": model.url,
        "AWS_ENDPOINT_URL_RDS_DATA": database.url,
    }
    try:
        _store()  # what a warm function has behind it
        return [*_lines("store", model, database, _store), *_lines("search", model, database, _search)]
    finally:
        model.close()
        database.close()


def _lines(what: str, model: Wire, database: Wire, request: Callable[[], object]) -> list[Line]:
    model.reset()
    database.reset()
    request()
    counts = {"model": model.calls.total(), "database": database.calls.total()}
    usual = {"store": 5, "search": 4}[what]  # BEGIN, set_config, (look for a duplicate,) the statement, COMMIT
    wording = {"model": "1", "database": f"1 (the usual way: {usual})"}
    return [Line(f"calls of a {what}, {name}", str(count), wording[name], count == 1) for name, count in counts.items()]


def _store() -> object:
    body = {"agent_id": "bench", "content": f"Nobody has said this before: {secrets.token_hex(8)}."}
    return call(semantic.handler, "POST /v1/memory/semantic", {}, body)


def _search() -> object:
    return call(semantic.handler, "POST /v1/memory/semantic/search", {}, {"query": f"what was {secrets.token_hex(8)}?"})
