"""The API's document is made from the code and is current."""

import json

import openapi
from agent_memory.entrypoints.http import scopes


def test_the_document_in_the_repository_is_the_one_that_the_code_makes() -> None:
    written = openapi.TARGET.read_text()

    assert written == json.dumps(openapi.document(), indent=1) + "\n", "run lambda_src/openapi.py"


def test_every_route_is_described_once() -> None:
    paths = json.loads(openapi.TARGET.read_text())["paths"]
    described = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]

    assert sorted(described) == sorted(route for route in scopes() if route != "$default")
