"""Looks after the archive, each hour as far as time goes: a sweep a day, and {"sweep": true} begins one at once.

See `service/sweeping.py`. Its answer and its log lines hold counts only.
"""

from typing import Any

from agent_memory import logs
from agent_memory.bootstrap import sweeping
from agent_memory.domain.sweep import Step, Sweep
from agent_memory.errors import AgentMemoryError

# To end the part under way: its last object, the wait for readers, and the old rows.
_RESERVE_S = 120.0


class SweepFailed(Exception):
    """Something unforeseen; where is in the log, and what it said is not repeated."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Go on with the sweep; `finished` says whether it is over, and nothing else that none was due."""

    def may_go_on() -> bool:
        return bool(context.get_remaining_time_in_millis() / 1000 > _RESERVE_S)

    try:
        sweep = sweeping.sweeping().run(may_go_on, _tell, is_wanted=event.get("sweep") is True)
    except AgentMemoryError as error:
        logs.line(level="ERROR", error=type(error).__name__, reason=error.message)
        raise
    except Exception as error:  # noqa: BLE001 (what it says would reach the log)
        logs.crash(context.aws_request_id, error)
        raise SweepFailed(f"{type(error).__name__}; see the function's log") from None
    done = {} if sweep is None else {"finished": sweep.step is None, "step": sweep.step, **sweep.counts}
    logs.line(level="INFO", **done)
    return done


def _tell(step: Step, sweep: Sweep) -> None:
    """A metric of each sweep, once it is known."""
    if step == "overdue":
        values = {"UnarchivedEpisodes": (sweep.counts.get("unarchived", 0), "Count")}
    elif sweep.step is None:
        failures = sweep.counts.get("failed", 0) + sweep.counts.get("unreadable", 0)
        values = {"SweepFailures": (failures, "Count")}
    else:
        values = {}
    logs.line(level="INFO", finished_step=step, **sweep.counts, **(logs.metrics(values) if values else {}))
