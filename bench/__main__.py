"""Run all benchmarks against the running local stack; exit 1 when a budget is missed."""

import os
import sys
from pathlib import Path

from bench import artifact, imports, requests
from bench.report import show
from local import stack
from local.state import chosen

_DIST = Path("dist")


def main() -> int:
    """Measure and print."""
    running = stack.read(chosen())
    os.environ |= {"AWS_REGION": running.region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    sections = {
        "Artifact": artifact.measure(_DIST / "agent-memory-arm64.json"),
        "Cold start (median of alternating runs, ratio within this run)": imports.measure(
            _DIST / "agent-memory-local.zip"
        ),
        "Requests (counted on the wire)": requests.measure(
            running.aws_endpoint_url, running.memory_table, running.control_table
        ),
    }
    held = [show(title, lines) for title, lines in sections.items()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
