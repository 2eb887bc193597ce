"""The rule of merging is Python, and SQL only compares what it made: on random texts both come to the same memories."""

import itertools
import random
from typing import Any

import pytest

from agent_memory.adapters.sql_memories import SqlMemoryStore
from agent_memory.domain.usage import Tally
from tests.contract.memories import Memories
from tests.fakes.clock import Clock
from tests.fakes.memories import InMemoryMemoryStore
from tests.fix_debian import Ways
from tests.fix_postgres import Aurora

_SUBJECTS = ("The user", "the user", "Ana", "Eva")
_VERBS = ("prefers", "really prefers", "does not prefer", "likes")
_OBJECTS = ("dark mode in the editor at work", "dark mode, in the editor at work.", "3 dark editors at work")
_TRUST = ("direct_user", "tool_external")
_SCOPES: tuple[dict[str, str], ...] = ({}, {"namespace": "n"}, {"user_id": "u"})
TEXTS = [" ".join(words) for words in itertools.product(_SUBJECTS, _VERBS, _OBJECTS)]


@pytest.mark.parametrize("seed", range(4))
def test_sql_and_python_come_to_the_same_memories(
    seed: int, ways: Ways, migrated: Aurora, tenant: str, clock: Clock
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same texts in each run
    sql = SqlMemoryStore(ways("direct", migrated), Tally())
    fake = InMemoryMemoryStore()
    sides = [Memories(store, lambda store=store: store, tenant, clock) for store in (fake, sql)]  # type: ignore[misc]
    names: list[dict[str, str]] = [{}, {}]

    for place in range(60):
        clock.turn(seconds=1)
        fields: dict[str, Any] = {"trust": chance.choice(_TRUST), **chance.choice(_SCOPES)}
        text = chance.choice(TEXTS)
        outcomes = []
        for side, known in zip(sides, names, strict=True):
            stored = side.store(text, **fields)
            name = known.setdefault(stored.memory.id, f"memory {place}")
            apart = known.get(stored.apart_from or "")
            outcomes.append((name, stored.deduplicated, stored.memory.revision, stored.memory.trust, apart))
        assert outcomes[0] == outcomes[1], f"{text!r} {fields}"
