"""The Bedrock stand-in gives Titan's lengths to a vector that has its own, and refuses what Titan refuses."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from local.bedrock import titan
from local.bedrock.windows import windows
from local.json_service import ServiceError


class Model:
    """Knows words of its own, and one vector of 384 numbers."""

    vector: NDArray[np.float32] = np.full(384, 384**-0.5, dtype=np.float32) * np.resize([1, -1], 384).astype(np.float32)

    def tokens(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]

    def embed(self, tokens: list[int]) -> NDArray[np.float32]:
        assert tokens
        return self.vector


def invoke(**asked: Any) -> Any:
    return titan.invoke(Model(), titan.MODEL_ID, json.dumps({"inputText": "two words"} | asked).encode())


def refused(raw: str) -> str:
    with pytest.raises(ServiceError) as refusal:
        titan.invoke(Model(), titan.MODEL_ID, raw.encode())
    assert (refusal.value.name, refusal.value.status) == ("ValidationException", 400)
    return refusal.value.message


@pytest.mark.parametrize(
    ("asked", "dimensions"), [({}, 1024), ({"dimensions": 1024}, 1024), ({"dimensions": 512}, 512)]
)
def test_zeros_follow_the_vector_up_to_the_length_asked_for(asked: dict[str, int], dimensions: int) -> None:
    embedding = invoke(**asked)["embedding"]

    assert np.allclose(embedding[:384], Model.vector)
    assert embedding[384:] == [0.0] * (dimensions - 384)


def test_a_vector_that_is_cut_is_of_unit_length_again_unless_told_otherwise() -> None:
    cut, as_it_is = invoke(dimensions=256)["embedding"], invoke(dimensions=256, normalize=False)["embedding"]

    assert len(cut) == len(as_it_is) == 256
    assert np.linalg.norm(cut) == pytest.approx(1)
    assert np.allclose(as_it_is, Model.vector[:256])


def test_floats_are_always_among_the_types_unless_only_others_are_asked_for() -> None:
    plain, both, bits = invoke(), invoke(embeddingTypes=["float", "binary"]), invoke(embeddingTypes=["binary"])

    assert plain["embeddingsByType"] == {"float": plain["embedding"]}
    assert both["embeddingsByType"].keys() == {"float", "binary"}
    assert bits["embeddingsByType"] == {"binary": [1, 0] * 192 + [0] * 640}
    assert bits["embedding"] == plain["embedding"]


def test_tokens_are_counted() -> None:
    assert invoke(inputText="one two three")["inputTextTokenCount"] == 3


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("{", "the body is not JSON"),
        ("[]", "the body is not an object"),
        ("{}", "required key [inputText] not found"),
        ('{"inputText": 5}', "required key [inputText] not found"),
        ('{"inputText": ""}', "expected minLength: 1, actual: 0"),
        ('{"inputText": "a", "texts": ["a"]}', "extraneous key [texts] is not permitted"),
        ('{"inputText": "a", "dimensions": 384}', "384 is not a valid enum value"),
        ('{"inputText": "a", "dimensions": 512.0}', "512.0 is not a valid enum value"),
        ('{"inputText": "a", "normalize": "yes"}', "#/normalize"),
        ('{"inputText": "a", "embeddingTypes": []}', "#/embeddingTypes"),
        ('{"inputText": "a", "embeddingTypes": [{}]}', "#/embeddingTypes"),
    ],
)
def test_a_malformed_request_is_refused_with_what_is_wrong(raw: str, words: str) -> None:
    said = refused(raw)

    assert words in said
    assert said.startswith("Malformed input request: ")
    assert said.endswith("please reformat your input and try again.")


def test_a_text_may_have_50000_characters_and_8192_tokens_and_not_one_more() -> None:
    assert titan.invoke(Model(), titan.MODEL_ID, json.dumps({"inputText": "x" * 50_000}).encode())
    assert titan.invoke(Model(), titan.MODEL_ID, json.dumps({"inputText": "x " * 8_192}).encode())

    assert "expected maxLength: 50000, actual: 50001" in refused(json.dumps({"inputText": "x" * 50_001}))
    assert "request input token count: 8193" in refused(json.dumps({"inputText": "x " * 8_193}))


@given(st.integers(0, 9_000), st.integers(1, 300))
def test_windows_hold_every_token_once_and_are_as_few_and_as_even_as_can_be(length: int, reach: int) -> None:
    cut = windows(range(length), reach)
    lengths = [len(window) for window in cut]

    assert [token for window in cut for token in window] == list(range(length))
    assert len(cut) == max(1, -(-length // reach))
    assert max(lengths) <= reach
    assert max(lengths) - min(lengths) <= 1


class Two(Model):
    """Two texts whose vectors have a cosine of 0.6."""

    def embed(self, tokens: list[int]) -> NDArray[np.float32]:
        vector = np.zeros(384, dtype=np.float32)
        vector[:2] = (1, 0) if len(tokens) == 1 else (0.6, 0.8)
        return vector


def test_the_second_model_finds_the_same_by_vectors_that_are_near_none_of_the_first() -> None:
    first, second = (
        [
            np.array(titan.invoke(Two(), model, json.dumps({"inputText": text}).encode())["embedding"])
            for text in ("one", "two words")
        ]
        for model in (titan.MODEL_ID, titan.NEXT_MODEL_ID)
    )

    assert second[0] @ second[1] == pytest.approx(first[0] @ first[1]) == pytest.approx(0.6)
    assert all(abs(a @ b) < 0.01 for a in first for b in second)


def test_another_model_is_none() -> None:
    with pytest.raises(ServiceError):
        titan.invoke(Model(), "amazon.titan-embed-text-v2:2", b'{"inputText":"a"}')
