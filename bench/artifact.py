"""Size of the zip for AWS, from the manifest that the build wrote."""

import json
from pathlib import Path

from bench.report import Line

_MIB = 1024 * 1024
_ZIP_MIB = 12
_UNZIPPED_MIB = 40


def measure(manifest: Path) -> list[Line]:
    """Compare both sizes with their budgets."""
    facts = json.loads(manifest.read_text())
    sizes = {"zip": (facts["bytes"], _ZIP_MIB), "unzipped": (facts["unzipped_bytes"], _UNZIPPED_MIB)}
    return [
        Line(f"artifact arm64, {name}", f"{size / _MIB:.1f} MiB", f"<= {limit} MiB", size <= limit * _MIB)
        for name, (size, limit) in sizes.items()
    ]
