"""Promises taken out of the product, in a worker, to see that the harness misses them."""
# ruff: noqa: PLC0415 - what is changed is imported when somebody asks for it

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from agent_memory.domain.archive import ColdObjects, Key
from agent_memory.domain.clusters import Pack
from agent_memory.domain.episode import Episode


def _evicts_first() -> None:
    """Episodes are marked for eviction, and then archived."""
    from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
    from agent_memory.service.archiving import Archiving

    read, commit = DynamoHotEpisodes.read, Archiving._commit
    last: dict[str, tuple[Key, Episode]] = {}

    def read_and_keep(self: DynamoHotEpisodes, *asked: Any) -> Sequence[tuple[Key, Episode]]:
        found = read(self, *asked)
        last.update({episode.id: (key, episode) for key, episode in found})
        return found

    def commit_after(self: Archiving, each: Pack, epoch: int) -> bool:
        one = each.episodes[0]
        self._mark(one.tenant_id, one.agent_id, [last[episode.id] for episode in each.episodes])
        return commit(self, each, epoch)

    DynamoHotEpisodes.read = read_and_keep  # type: ignore[assignment, method-assign]
    Archiving._commit = commit_after  # type: ignore[method-assign]


def _names_at_random() -> None:
    """Objects are named by chance, and not by what they hold."""
    from agent_memory.domain import description

    vars(description)["name_of"] = lambda _: secrets.token_hex(32)


def _names_by_day() -> None:
    """Objects are named by the day alone."""
    from agent_memory.domain import description

    vars(description)["name_of"] = lambda _: "episodes"


def _unverified() -> None:
    """Objects are written, and nobody looks whether they are what was written."""
    from agent_memory.service import archiving, rewriting

    def write(objects: ColdObjects, key: str, content: bytes) -> None:
        objects.put_once(key, content)

    for module in (archiving, rewriting):
        vars(module)["write_verified"] = write


MUTATIONS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "evicts first": _evicts_first,
    "names at random": _names_at_random,
    "names by day": _names_by_day,
    "unverified": _unverified,
}


def apply(name: str) -> None:
    """Change the product that this process has imported."""
    MUTATIONS[name]()
