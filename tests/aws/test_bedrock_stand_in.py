"""The Bedrock stand-in speaks to AWS's own client, and its vectors mean something."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import services
from local.bedrock.titan import MODEL_ID
from local.state import ROOT
from tests.fix_bedrock import Bedrock

if TYPE_CHECKING:
    from types_boto3_bedrock_runtime.client import BedrockRuntimeClient

BERTH = "The boat is moored at berth 14 of the old harbour."
START = """
import sys
from pathlib import Path
from local.bedrock import model
model._CACHE = Path(sys.argv[1])
made = model.SentenceModel()
print(made.embed(made.tokens("a")).tolist())
"""


@pytest.fixture
def client(bedrock: Bedrock) -> Iterator["BedrockRuntimeClient"]:
    made = boto3.client(
        "bedrock-runtime",
        endpoint_url=bedrock.endpoint,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with closing(made):
        yield made


def embed(client: "BedrockRuntimeClient", text: str, **options: Any) -> list[float]:
    answer = client.invoke_model(modelId=MODEL_ID, body=json.dumps({"inputText": text} | options))
    vector: list[float] = json.loads(answer["body"].read())["embedding"]
    return vector


def error(client: "BedrockRuntimeClient", model: str, **body: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        client.invoke_model(modelId=model, body=json.dumps(body))
    said = refused.value.response
    return said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"], said["Error"]["Message"]


def test_a_paraphrase_is_nearer_than_what_has_nothing_to_do_with_it(client: "BedrockRuntimeClient") -> None:
    asked, near, far = (
        embed(client, text)
        for text in ("Where is our boat?", BERTH, "The recipe wants two eggs and a pinch of nutmeg.")
    )

    assert np.dot(asked, near) > np.dot(asked, far) + 0.3


def test_a_vector_is_of_unit_length_and_the_same_every_time(client: "BedrockRuntimeClient") -> None:
    first = embed(client, BERTH)
    embed(client, "Something else in between.")

    assert len(first) == 1024
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert embed(client, BERTH) == first


def test_cosines_do_not_depend_on_the_number_of_dimensions_if_nothing_is_cut(client: "BedrockRuntimeClient") -> None:
    for_1024, for_512, for_256 = (
        np.dot(embed(client, "Where is our boat?", dimensions=each), embed(client, BERTH, dimensions=each))
        for each in (1024, 512, 256)
    )

    assert for_1024 == pytest.approx(for_512, abs=1e-6)
    assert for_1024 == pytest.approx(for_256, abs=0.1)


@pytest.mark.parametrize("before", [0, 300, 3_000])
def test_what_stands_at_the_end_of_a_long_text_counts(client: "BedrockRuntimeClient", before: int) -> None:
    text = "The weather was much the same as on the day before. " * (before // 10)
    without, with_end = embed(client, text + "So it was."), embed(client, text + BERTH)
    asked = embed(client, "Where is our boat?")

    assert np.dot(asked, with_end) > np.dot(asked, without)
    assert np.linalg.norm(with_end) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("text", [" ", "né☕", "日本語のテキスト", "\x00\n", "😀" * 300])
def test_every_text_has_a_vector_of_unit_length(client: "BedrockRuntimeClient", text: str) -> None:
    assert np.linalg.norm(embed(client, text)) == pytest.approx(1, abs=1e-6)


def test_refusals_reach_the_client_as_those_of_bedrock_do(client: "BedrockRuntimeClient") -> None:
    model = "The provided model identifier is invalid."
    assert error(client, "amazon.titan-embed-text-v9:0", inputText="a") == ("ValidationException", 400, model)
    assert error(client, MODEL_ID, inputText="")[:2] == ("ValidationException", 400)
    assert error(client, MODEL_ID, inputText="a", dimensions=384)[:2] == ("ValidationException", 400)


def test_while_it_is_throttled_every_call_comes_too_often(
    throttled_bedrock: Bedrock, client: "BedrockRuntimeClient"
) -> None:
    assert error(client, MODEL_ID, inputText="a")[:2] == ("ThrottlingException", 429)

    throttled_bedrock.throttle(False)

    assert embed(client, "a")


def test_every_call_is_counted_whether_it_succeeds_or_not(bedrock: Bedrock, client: "BedrockRuntimeClient") -> None:
    before = bedrock.invocations()
    embed(client, "a")
    error(client, MODEL_ID, inputText="")

    assert bedrock.invocations() == before + 2


def test_two_that_start_at_once_share_one_whole_graph(tmp_path: Path) -> None:
    command = [str(services._EMBEDDING_PYTHON), "-c", START, str(tmp_path / "cache")]
    both = [subprocess.Popen(command, cwd=ROOT, env={}, stdout=subprocess.PIPE) for _ in range(2)]

    first, second = (each.communicate()[0] for each in both)

    assert first == second != b""
    assert len(list((tmp_path / "cache").iterdir())) == 1
