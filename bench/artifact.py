"""Size of the zip for AWS, from the manifest that the build wrote."""

import json
from pathlib import Path

from bench.report import Line

_MB = 1_000_000
_ZIP_MB = 12
_UNZIPPED_MB = 40


def measure(manifest: Path) -> list[Line]:
    """Compare both sizes with their budgets."""
    facts = json.loads(manifest.read_text())
    sizes = {"zip": (facts["bytes"], _ZIP_MB), "unzipped": (facts["unzipped_bytes"], _UNZIPPED_MB)}
    return [
        Line(f"artifact arm64, {name}", f"{size / _MB:.1f} MB", f"<= {limit} MB", size <= limit * _MB)
        for name, (size, limit) in sizes.items()
    ]
