"""The daily sweep of the archive."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory import logs
from agent_memory.bootstrap import archive, clients, counting, episodes, tenants
from agent_memory.config import settings
from agent_memory.domain.times import now

if TYPE_CHECKING:
    from agent_memory.domain.archive import ArchivedObject
    from agent_memory.service.sweeping import Sweeping

# Of functions that serve requests.
_LONGEST_REQUEST_S = 30.0


@cache
def sweeping() -> "Sweeping":
    """The daily look at all that is stored."""
    import time

    from agent_memory.adapters.dynamodb_hot import DynamoHotEpisodes
    from agent_memory.adapters.dynamodb_sweep import DynamoHotScan, DynamoSweepStore
    from agent_memory.adapters.s3_archive import make_client
    from agent_memory.adapters.s3_sweep import S3Bucket
    from agent_memory.service.compaction import Compaction
    from agent_memory.service.each_agent import EachAgent
    from agent_memory.service.expired_cold import ExpiredCold
    from agent_memory.service.failures import Failures
    from agent_memory.service.orphans import Orphans
    from agent_memory.service.overdue import Overdue
    from agent_memory.service.rewriting import Rewriting
    from agent_memory.service.sound_objects import SoundObjects
    from agent_memory.service.sweeping import Sweeping

    index, objects, within = archive.archive_index(), episodes.cold_objects(), settings.archive_within
    scan = DynamoHotScan(clients.dynamodb(), settings.memory_table)
    hot = DynamoHotEpisodes(clients.dynamodb(), settings.memory_table)
    bucket = S3Bucket(make_client(settings.region, clients.tenant_credentials()), settings.archive_bucket)
    failures = Failures(lambda error: logs.crash("sweep", error))
    rewriting = Rewriting(index, objects, counting.usage_store())
    sound = SoundObjects(objects, _tell_of_object)
    expired = ExpiredCold(
        index, sound, rewriting, now, lambda tenant_id: tenants.tenant_limits().of(tenant_id).retention
    )
    compaction = Compaction(index, sound, rewriting, now, within)

    def settle() -> None:
        time.sleep(_LONGEST_REQUEST_S)

    return Sweeping(
        DynamoSweepStore(clients.dynamodb(), settings.control_table),
        {
            "overdue": Overdue(scan, hot, index, archive.archiving().flush, failures, now, within),
            "expired": EachAgent(bucket, expired, rewriting, failures, settle),
            "small": EachAgent(bucket, compaction, rewriting, failures, settle),
            "orphans": Orphans(bucket, index, scan, counting.usage_store(), failures, now),
        },
        now,
    )


def _tell_of_object(message: str, row: "ArchivedObject") -> None:
    name = row.key.rpartition("/")[2]
    logs.line(level="ERROR", reason=message, tenant_id=row.tenant_id, agent_id=row.agent_id, name=name)
