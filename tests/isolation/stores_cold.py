"""The index of the cold tier, through the adapters: the attacker's context with the victim's agent."""

from datetime import timedelta
from typing import Any

from agent_memory.adapters.dynamodb_archive import DynamoArchiveIndex
from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
from agent_memory.adapters.dynamodb_object_rows import DynamoObjectRows
from agent_memory.adapters.dynamodb_purge import DynamoAgentArchive
from agent_memory.domain.archive import Key, Pending
from agent_memory.domain.description import describe
from agent_memory.domain.episode import Episode, NewEpisode
from agent_memory.domain.object_rows import Stretch
from agent_memory.domain.scan import NoBudget
from tests.isolation.arena import Leak
from tests.isolation.routes import Unfilled
from tests.isolation.stores import Ground, store_attack
from tests.isolation.stores_aws import _now, reach


@store_attack("dynamodb archive index", "the victim's agent in the attacker's context", "aws_endpoint")
def index(ground: Ground) -> None:
    """Rows and notes of the victim's are neither seen nor dropped, and its epoch is not the attacker's to begin."""
    agent = ground.arena.fresh().ids["agent_id"]
    with reach(ground) as client:
        store = DynamoArchiveIndex(client, ground.stores.memory_table)
        rows = DynamoObjectRows(client, ground.stores.memory_table)
        new = NewEpisode(agent_id=agent, session_id="attack", type="action", content=None)
        planted = Episode.from_request(ground.victim, new, _now())
        row = describe([planted], b"", store.epoch(ground.victim, agent), _now())
        note = Pending((Key(0, planted.position),), 1, _now())
        store.note(ground.victim, agent, note)
        store.swap([row], [], store.epoch(ground.victim, agent))
        before = _seen(store, rows, ground.victim, agent)
        if row not in before["rows"] or row not in before["walked"] or note not in before["pending"]:
            raise Unfilled("the victim's own rows are not read, so that another's are not proves nothing")

        foreign = _seen(store, rows, ground.attacker, agent)
        store.forget(ground.attacker, agent, [note])
        removed = list(DynamoAgentArchive(client, ground.stores.memory_table).purge(ground.attacker, agent))
        ground.arena.attacker.agents.add(agent)
        hot = DynamoHotEpisodes(client, ground.stores.memory_table)
        marked = [(key, _now() + timedelta(days=1)) for key in note.keys]
        hot.evict(ground.attacker, agent, marked)
        read = hot.read(ground.attacker, agent, list(note.keys))
        after = _seen(store, rows, ground.victim, agent)
        store.swap([], [row], after["epoch"])
        store.forget(ground.victim, agent, [note])
    if foreign["rows"] or foreign["walked"] or foreign["pending"] or read or removed:
        raise Leak("the attacker sees or removes what is archived of another tenant")
    if after != before:
        raise Leak("the attacker changed what is archived of another tenant")


def _seen(store: DynamoArchiveIndex, rows: DynamoObjectRows, tenant_id: str, agent_id: str) -> dict[str, Any]:
    return {
        "rows": list(store.overlapping(tenant_id, agent_id, None, None, newest_first=True)),
        "pending": list(store.pending(tenant_id, agent_id)),
        "epoch": store.epoch(tenant_id, agent_id),
        "walked": list(rows.along(Stretch(tenant_id, agent_id, None, None, newest_first=True), NoBudget())),
    }
