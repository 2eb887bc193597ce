"""The model on Bedrock: what is asked of it, what is tried again and for how long, and what is not."""

import time
from collections.abc import Iterator

import pytest

from agent_memory.adapters import aws_http, bedrock
from agent_memory.adapters.aws_http import AwsError
from agent_memory.adapters.bedrock import TitanEmbedding
from agent_memory.adapters.bedrock_runtime import make_client
from agent_memory.errors import StoreUnavailable
from tests.fix_postgres import free_port
from tests.rest_service import Fault, RestService, serving

MODEL = "amazon.titan-embed-text-v2:0"


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestService]:
    monkeypatch.setattr(aws_http, "_BACKOFF_S", 0.001)
    with serving() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", service.endpoint)
        yield service


@pytest.fixture
def model(rest: RestService) -> TitanEmbedding:
    return TitanEmbedding(make_client("eu-west-1"), MODEL, 3)


def within(seconds: float) -> float:
    return time.monotonic() + seconds


def test_a_text_is_embedded_by_one_call(model: TitanEmbedding, rest: RestService) -> None:
    assert model.embed("hello", within(5)) == (5.0, 0.0, 0.0)

    ((path, headers, body),) = rest.requests
    assert path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert body == {"inputText": "hello", "dimensions": 3, "normalize": True}
    assert "/bedrock/aws4_request" in headers["authorization"]
    assert (model.name, model.dimensions) == (MODEL, 3)


@pytest.mark.parametrize(
    "fault",
    [
        (429, "ThrottlingException"),
        (429, "ModelNotReadyException"),
        (408, "ModelTimeoutException"),
        (424, "ModelErrorException"),
        (503, "ServiceUnavailableException"),
        (500, "InternalServerException"),
        (502, ""),
        "hang up",
        "cut answer",
        "no json",
    ],
)
def test_what_may_pass_is_tried_again_until_it_works(model: TitanEmbedding, rest: RestService, fault: Fault) -> None:
    rest.faults = [fault] * 5

    assert model.embed("hello", within(20)) == (5.0, 0.0, 0.0)

    assert rest.texts == ["hello"] * 6


def test_a_connection_that_has_died_does_not_cost_the_whole_time(
    rest: RestService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bedrock, "_ATTEMPT_S", 0.2)
    rest.faults = ["say nothing"]

    assert TitanEmbedding(make_client("eu-west-1"), MODEL, 3).embed("hello", within(20)) == (5.0, 0.0, 0.0)


@pytest.mark.parametrize("fault", [(429, "ThrottlingException"), "say nothing", "hang up"])
def test_what_does_not_pass_by_the_deadline_is_unavailable(
    model: TitanEmbedding, rest: RestService, fault: Fault
) -> None:
    rest.faults = [fault] * 10_000
    started = time.monotonic()

    with pytest.raises(StoreUnavailable) as unavailable:
        model.embed("hello", within(0.4))

    assert time.monotonic() - started < 2.0
    assert unavailable.value.message == "the embedding model did not answer"
    assert unavailable.value.retry_after_s == 2
    assert unavailable.value.__cause__ is None
    rest.faults = []
    assert model.embed("hello", within(5))


def test_a_model_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(StoreUnavailable):
        TitanEmbedding(make_client("eu-west-1"), MODEL, 3).embed("hello", within(0.3))


def test_past_the_deadline_nothing_is_sent(model: TitanEmbedding, rest: RestService) -> None:
    with pytest.raises(StoreUnavailable):
        model.embed("hello", within(0))

    assert rest.requests == []


@pytest.mark.parametrize("name", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"])
def test_what_the_model_refuses_is_a_fault_of_ours_and_not_tried_again(
    model: TitanEmbedding, rest: RestService, name: str
) -> None:
    rest.faults = [(400, name)]

    with pytest.raises(AwsError) as refused:
        model.embed("hello", within(5))

    assert (refused.value.code, refused.value.body) == (name, {})
    assert refused.value.__cause__ is None
    assert len(rest.requests) == 1


def test_a_vector_of_another_length_is_an_error(model: TitanEmbedding, rest: RestService) -> None:
    rest.vector = lambda _: [1.0]

    with pytest.raises(ValueError, match="another number of dimensions"):
        model.embed("hello", within(5))
