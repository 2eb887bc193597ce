"""One JSON line for each invocation: ids, counts and times; never content, a key or a message of a driver."""

import json
import sys
import traceback


def line(**fields: object) -> None:
    """Write a line; Lambda sends standard output to the function's log group."""
    sys.stdout.write(json.dumps(fields, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def crash(request_id: str, error: BaseException) -> None:
    """Write where an unexpected error came from; its message is left out, since it may quote content."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    line(level="ERROR", request_id=request_id, error=type(error).__name__, where=where)
