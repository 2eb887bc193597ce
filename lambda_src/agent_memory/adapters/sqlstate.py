"""What PostgreSQL's error codes mean to a caller, whichever way they came."""

import re

from agent_memory.domain.database import StatementRefused
from agent_memory.errors import StoreUnavailable

# Connection lost, out of resources, shutting down, deadlock, time-out: another try may well succeed.
_TRANSIENT = re.compile(r"08...|53...|57P0.|57014|40001|40P01|55P03|25P03")


def refusal(code: str) -> StoreUnavailable | StatementRefused:
    """The error to raise for an SQLSTATE, or for the word of a service that gave none."""
    return StoreUnavailable("the database is busy") if _TRANSIENT.fullmatch(code) else StatementRefused(code)
