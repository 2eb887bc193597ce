"""Whether the stores answer."""

from functools import cache
from typing import TYPE_CHECKING

from agent_memory.bootstrap import database
from agent_memory.config import settings

if TYPE_CHECKING:
    from agent_memory.service.readiness import Readiness

_PROBE_TIMEOUT_S = 3.0


@cache
def readiness() -> "Readiness":
    """Whether each store answers. The two tables are asked at the same time, so each has a client of its own."""
    import boto3
    from botocore.config import Config

    from agent_memory.adapters.dynamodb import get, make_client
    from agent_memory.service.readiness import Readiness

    nothing = {"pk": {"S": "readiness"}, "sk": {"S": "readiness"}}
    memory, control = make_client(settings.region), make_client(settings.region)
    limits = Config(connect_timeout=2, read_timeout=_PROBE_TIMEOUT_S, retries={"total_max_attempts": 1})
    s3 = boto3.client("s3", region_name=settings.region, config=limits)
    return Readiness(
        {
            "memory_table": lambda: get(memory, settings.memory_table, nothing),
            "control_table": lambda: get(control, settings.control_table, nothing),
            "archive_bucket": lambda: s3.head_bucket(Bucket=settings.archive_bucket) and None,
            "database": lambda: database.database().call("readiness", {})[0],
        },
        _PROBE_TIMEOUT_S,
    )
