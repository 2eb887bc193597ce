"""The sections of the report, by name."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import artifact, context, imports, requests, semantic, sessions
from bench.archive import section as archive
from bench.locomo import section as locomo
from bench.report import Line, show
from bench.vectors import section as vectors
from local import stack
from local.state import chosen

_DIST = Path("dist")


def measure(name: str) -> bool:
    """Measure one section and print it; False when a budget is missed."""
    title, measured = SECTIONS[name]
    return show(title, measured())


def _requests() -> list[Line]:
    running = stack.read(chosen())
    os.environ |= {"AWS_REGION": running.region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return requests.measure(running.aws_endpoint_url, running.memory_table, running.control_table)


# Title, and what measures.
SECTIONS: dict[str, tuple[str, Callable[[], Iterable[Line]]]] = {
    "artifact": ("Artifact", lambda: artifact.measure(_DIST / "agent-memory-arm64.json")),
    "imports": (
        "Cold start (median of alternating runs, ratio within this run)",
        lambda: imports.measure(_DIST / "agent-memory-local.zip"),
    ),
    "requests": ("Requests (counted on the wire)", _requests),
    "semantic": ("Semantic requests (counted on the wire)", lambda: semantic.measure(stack.read(chosen()))),
    "context": ("Context (counted on the wire)", lambda: context.measure(stack.read(chosen()))),
    "sessions": ("Ends of sessions (over HTTP, two at a time)", lambda: sessions.measure(stack.read(chosen()))),
    "archive": ("A month of episodes through both tiers (20 tenants x 5 agents)", archive.measure),
    "locomo": (
        "Conversations of LoCoMo (evidence found: ours / vectors alone / words alone / the last turns)",
        lambda: locomo.measure(stack.read(chosen())),
    ),
    "vectors": ("Semantic search (ours / the usual layout, in this run)", vectors.measure),
}
