"""Brings the database up to date when Terraform applies; an operator may invoke it with {"rotate": true}.

A schedule invokes it with {"maintain": true} once a day: what was deleted leaves the disk, and whoever changed the
schema by hand such that it no longer keeps tenants apart is told on; {"lint": true} does the latter alone.

Its answer and its error end up in Terraform's state and output: versions, counts, file names and SQLSTATEs only.
"""

from typing import Any

from agent_memory import logs
from agent_memory.bootstrap import upkeep
from agent_memory.config import settings
from agent_memory.errors import AgentMemoryError

_RESERVE_S = 30.0  # to finish the transaction under way and to say what went wrong


class SchemaFailed(Exception):
    """Something unforeseen; where is in the log, and what it said is not repeated."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply due migrations, then see to the application's login. A delete by Terraform changes nothing."""
    if event.get("tf", {}).get("action") == "delete":
        return {}
    try:
        time_left_s = context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
        if event.get("maintain") is True:
            done = {
                "vacuumed": upkeep.maintain(time_left_s).run(),
                "vector_steps_left": _switch(context),
                "rules": upkeep.lint(_RESERVE_S / 2).run(),
            }
        elif event.get("lint") is True:
            done = {"rules": upkeep.lint(time_left_s).run()}
        else:
            done = _run(time_left_s, context, rotate=event.get("rotate") is True)
    except AgentMemoryError as error:
        logs.line(level="ERROR", error=type(error).__name__, reason=error.message)
        raise
    except Exception as error:  # noqa: BLE001 (what it says would reach the state file)
        logs.crash(context.aws_request_id, error)
        raise SchemaFailed(f"{type(error).__name__}; see the function's log") from None
    logs.line(level="INFO", **done)
    return done


def _switch(context: Any) -> int:
    """Steps towards the wanted layout of vectors, as far as the time goes; a new table has it in seconds."""
    time_left_s = context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
    return upkeep.switch_layout(time_left_s).run(settings.vector_index)


def _run(time_left_s: float, context: Any, *, rotate: bool) -> dict[str, Any]:
    migrate, enable_login = upkeep.schema(time_left_s)
    migrated = migrate.run()
    login_role = enable_login.run(settings.database_connection, rotate=rotate)
    return {
        "version": migrated.version,
        "applied": migrated.applied,
        "repeatable": migrated.repeatable,
        "login_role": login_role,
        "vector_steps_left": _switch(context),
    }
