"""The published SDK as it is, over HTTP: memories, everything of an agent, and usage."""

import re
import secrets
from typing import Any

import pytest
from mnemora import MnemoraNotFoundError  # type: ignore[import-untyped]

from tests.e2e.api import wait_until

DECAF = "The customer drinks decaf coffee after noon."
TEA = "In the morning the customer likes tea."
OSLO = "The warehouse in Oslo closes at five."


@pytest.fixture
def agent() -> str:
    return f"agent-{secrets.token_hex(6)}"


def ids(results: list[Any]) -> list[str]:
    return [result.id for result in results]


def test_a_memory_is_stored_read_merged_and_deleted(client: Any, agent: str) -> None:
    stored = client.store_memory(agent, DECAF, namespace="taste", metadata={"from": "chat"})
    merged = client.store_memory(agent, DECAF, namespace="taste", metadata={"from": "mail"})
    elsewhere = client.store_memory(agent, DECAF)
    read = client.get_memory(stored.id)

    assert (stored.agent_id, stored.content, stored.namespace, stored.deduplicated) == (agent, DECAF, "taste", False)
    assert (stored.metadata, stored.similarity_score) == ({"from": "chat"}, None)
    assert (merged.id, merged.deduplicated) == (stored.id, True)
    assert (elsewhere.namespace, elsewhere.metadata, elsewhere.deduplicated) == ("default", {}, False)
    assert (read.content, read.created_at, read.updated_at) == (DECAF, stored.created_at, merged.updated_at)
    assert client.delete_memory(stored.id) is None
    assert ids(client.search_memory(DECAF, agent_id=agent)) == [elsewhere.id]
    with pytest.raises(MnemoraNotFoundError):
        client.get_memory(stored.id)


def test_a_search_finds_by_meaning_the_best_first_within_its_filters(client: Any, agent: str) -> None:
    decaf = client.store_memory(agent, DECAF, namespace="taste", metadata={"topic": "drinks", "sure": True}).id
    tea = client.store_memory(agent, TEA, namespace="taste", metadata={"topic": "drinks"}).id
    oslo = client.store_memory(agent, OSLO).id
    asked = "Is it coffee without caffeine?"

    found = client.search_memory(asked, agent_id=agent, threshold=-1)
    exact = client.search_memory(OSLO, agent_id=agent, threshold=0.999)

    assert ids(found) == [decaf, tea, oslo]
    assert 1 > found[0].similarity_score > found[1].similarity_score > found[2].similarity_score > -1
    assert ids(client.search_memory(asked, agent_id=agent, threshold=found[1].similarity_score - 1e-3)) == [decaf, tea]
    assert ids(client.search_memory(asked, agent_id=agent, threshold=-1, top_k=1)) == [decaf]
    assert ids(client.search_memory(asked, agent, "taste", 10, -1, {"topic": "drinks", "sure": True})) == [decaf]
    assert ids(client.search_memory(asked, agent_id=agent, threshold=-1, namespace="default")) == [oslo]
    assert [(hit.id, hit.similarity_score) for hit in exact] == [(oslo, pytest.approx(1))]
    assert client.search_memory(OSLO, agent_id=f"{agent}-other") == []


def test_search_all_finds_memories_by_meaning_and_episodes_by_words(client: Any, agent: str) -> None:
    memory = client.store_memory(agent, DECAF, metadata={"from": "chat"})
    episode = client.store_episode(agent, "s", "conversation", "One decaf coffee, please.", metadata={"n": 1})
    client.store_episode(agent, "s", "conversation", "Nothing to see here.")

    results = client.search_all("decaf coffee", agent_id=agent)
    by_type = {result.memory_type: result for result in results}
    by_meaning, by_words = by_type["semantic"], by_type["episodic"]

    assert len(results) == 2
    assert (by_meaning.id, by_meaning.agent_id, by_meaning.content) == (memory.id, agent, DECAF)
    assert (by_meaning.metadata, by_meaning.created_at) == ({"from": "chat"}, memory.created_at)
    assert by_meaning.similarity_score > 0.5
    assert (by_words.id, by_words.agent_id, by_words.content) == (episode.id, agent, "One decaf coffee, please.")
    assert (by_words.metadata, by_words.timestamp) == ({"n": 1}, episode.timestamp)
    assert (by_words.relevance, by_words.similarity_score) == ("text_match", None)
    assert ids(client.search_all("decaf coffee", agent_id=agent, top_k=1)) == [results[0].id]


def test_a_search_without_an_agent_covers_the_tenant_and_no_other(client: Any, alone: Any, agent: str) -> None:
    client.store_memory(agent, DECAF)
    memories = {alone.store_memory(f"{agent}{n}", DECAF).id for n in range(2)}
    episode = alone.store_episode(f"{agent}2", "s", "conversation", "A decaf coffee.").id

    assert set(ids(alone.search_memory("decaf coffee"))) == memories
    assert set(ids(alone.search_all("decaf coffee"))) == memories | {episode}


def test_everything_of_an_agent_is_seen_at_once_and_purged_at_once(client: Any, agent: str) -> None:
    client.store_state(f"{agent}-other", {"stays": True})
    for n in range(2):
        client.store_state(agent, {"n": n}, session_id=f"s{n}")
        client.store_episode(agent, f"s{n}", "conversation", f"episode {n}")
    client.store_memory(agent, DECAF)

    seen = client.get_all_memory(agent)
    purged = client.purge_agent(agent)

    assert seen["state"]["data"] == {"n": 1}
    assert [each["content"] for each in seen["semantic"]] == [DECAF]
    assert [each["content"] for each in seen["episodic"]] == ["episode 1", "episode 0"]
    assert purged.agent_id == agent
    assert purged.deleted.items() >= {"state": 2, "semantic": 1, "episodic": 2, "s3_objects": 0}.items()
    assert client.get_all_memory(agent) == {"state": None, "semantic": [], "episodic": []}
    assert client.search_all("decaf episode", agent_id=agent) == []
    assert client.get_state(f"{agent}-other").data == {"stays": True}


def test_usage_is_what_the_tenant_did_and_stored(alone: Any, agent: str) -> None:
    alone.store_state(agent, {"n": 1}, session_id="s")
    memory = alone.store_memory(agent, f"A text of {agent}, which no cache knows.")
    alone.search_memory(f"A query of {agent}.")

    def is_counted() -> bool:
        # A busy function counts a request with a later one, so each of the three gets later ones.
        alone.list_sessions(agent)
        alone.get_memory(memory.id)
        usage = alone.get_usage()
        assert re.fullmatch(r"\d{4}-\d{2}", usage.billing_period)
        assert usage.storage["s3_bytes"] == 0
        counts = (usage.embeddings_generated_month, usage.agents_count, usage.sessions_count)
        return counts == (2, 1, 1) and usage.api_calls_month >= 5 and usage.storage["dynamo_bytes"] > 0

    wait_until(is_counted, seconds=60)
