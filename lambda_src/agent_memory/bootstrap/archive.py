"""The ways into the cold tier and out of it."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import clients, counting, episodes
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_memory.domain.archive import ArchiveIndex
    from agent_memory.service.archiving import Archiving
    from agent_memory.service.deliveries import Deliveries
    from agent_memory.service.rehydrate import Rehydration


@cache
def archive_index() -> "ArchiveIndex":
    """What stands in the cold tier, and what is on its way there."""
    from agent_memory.adapters.dynamodb_archive import DynamoArchiveIndex

    return DynamoArchiveIndex(clients.dynamodb(), settings.memory_table)


@cache
def archiving() -> "Archiving":
    """The way into the cold tier."""
    from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
    from agent_memory.service.archiving import Archiving, Pace

    hot = DynamoHotEpisodes(clients.dynamodb(), settings.memory_table)
    pace = Pace(settings.hot_window, settings.archive_within)
    return Archiving(archive_index(), episodes.cold_objects(), hot, counting.usage_store(), pace, now)


def deliveries(on_failure: "Callable[[Exception], None]") -> "Deliveries":
    """What the archiver does with records of the stream."""
    from agent_memory.adapters.dynamodb_stream import read_change
    from agent_memory.adapters.dynamodb_sweep import DynamoHotScan
    from agent_memory.service.deliveries import Deliveries
    from agent_memory.service.owned_bodies import OwnedBodies

    bodies = OwnedBodies(episodes.cold_objects(), DynamoHotScan(clients.dynamodb(), settings.memory_table))
    return Deliveries(read_change, archiving(), bodies, counting.usage_store(), on_failure)


@cache
def rehydration() -> "Rehydration":
    """Archived episodes on their way back."""
    from agent_memory.adapters.dynamodb_object_rows import DynamoObjectRows
    from agent_memory.adapters.dynamodb_rehydration import DynamoRehydratedEpisodes
    from agent_memory.service.rehydrate import Rehydration

    rows = DynamoObjectRows(clients.dynamodb(), settings.memory_table)
    hot = DynamoRehydratedEpisodes(
        clients.dynamodb(), settings.memory_table, episodes.bucket_store(), settings.hot_window
    )
    return Rehydration(archive_index(), rows, episodes.cold_objects, hot, counting.usage_store(), now)
