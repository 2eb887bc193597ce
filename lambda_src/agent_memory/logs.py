"""One JSON line for each invocation: ids, counts and times; never content, a key or a message of a driver."""

import json
import os
import sys
import time
import traceback
from collections.abc import Mapping


def line(**fields: object) -> None:
    """Write a line; Lambda sends standard output to the function's log group."""
    sys.stdout.write(json.dumps(fields, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def metrics(values: Mapping[str, tuple[float, str]]) -> dict[str, object]:
    """Fields of a line that CloudWatch makes metrics of: name => (value, unit), by function and by nothing else."""
    described = {
        "Namespace": "AgentMemory",
        "Dimensions": [["function"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
    }
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]},
        "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown"),
        **{name: value for name, (value, _) in values.items()},
    }


def crash(request_id: str, error: BaseException) -> None:
    """Write where an unexpected error came from; its message is left out, since it may quote content."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    line(level="ERROR", request_id=request_id, error=type(error).__name__, where=where)
