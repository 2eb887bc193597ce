"""What a month of 100,000 episodes costs in requests to S3, and what its pages read."""

import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.archive.traffic import TENANTS
from bench.report import Line

# About as many episodes in each: tenants are of Zipf's sizes.
_PARTS = ((0, 2), (2, TENANTS))
_FULL = 128 * 1024


def measure() -> list[Line]:
    """Run the month, in as many processes as there are parts; it exits when a walk is not what was written."""
    with ThreadPoolExecutor(len(_PARTS)) as pool:
        parts = list(pool.map(_month, _PARTS))
    episodes, puts = (sum(part[name] for part in parts) for name in ("episodes", "puts"))
    sizes = sorted(size for part in parts for size in part["sizes"])
    pages, gets = (sum(walk[place] for part in parts for walk in part["walks"]) for place in (0, 1))
    most = max(walk[2] for part in parts for walk in part["walks"])
    per_episode = puts / episodes
    full = sum(size >= _FULL for size in sizes)
    held = sum(size for size in sizes if size >= _FULL) / sum(sizes)
    hot = sum(part["hot"] for part in parts)
    return [
        Line("full walks, newest and oldest first, equal the log", f"{episodes:,} episodes", "all", holds=True),
        Line("left in the table after it all", f"{hot:,} episodes", "0", hot == 0),
        Line("objects read for a page of 50, the most", str(most), "<= 3", most <= 3),
        Line("objects read for a page of 50, on average", f"{gets / pages:.2f}", f"over {pages:,} pages", None),
        Line("PUTs per episode, compaction counted", f"{per_episode:.5f}", "<= 0.01", per_episode <= 0.01),
        Line("objects in the end, their median size", f"{len(sizes)}, {statistics.median(sizes):,.0f} B", "", None),
        Line("objects of 128 KB and more", f"{full}, {held:.0%} of the bytes", "", None),
    ]


def _month(part: tuple[int, int]) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.archive.month", *map(str, part)]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(["lambda_src", "."]), "HOME": os.environ["HOME"]}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
