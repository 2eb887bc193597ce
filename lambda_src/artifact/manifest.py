"""What is said about a zip, beside the zip: Terraform, the release and the next build read it."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from artifact.platforms import Platform


@dataclass(frozen=True)
class Manifest:
    """`bytecode` is false when no interpreter of the runtime's version was found on the building machine."""

    version: str
    platform: str
    python: str
    sha256_base64: str
    sql_sha256: str
    inputs_sha256: str
    bytes: int
    unzipped_bytes: int
    bytecode: bool

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def write_var_file(self, zip_path: Path, dist: Path) -> None:
        """Write beside a zip what an environment root takes with -var-file; the zip's path is seen from that root."""
        hashes = {"sha256_base64": self.sha256_base64, "sql_sha256": self.sql_sha256}
        artifact = {"path": f"../../../{zip_path.relative_to(dist.parent).as_posix()}", **hashes}
        zip_path.with_suffix(".tfvars.json").write_text(json.dumps({"artifact": artifact}, indent=2) + "\n")


def read(path: Path) -> Manifest | None:
    """Read a manifest; none when it is missing or was written by another version of this program."""
    try:
        return Manifest(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def paths(dist: Path, platform: Platform) -> tuple[Path, Path]:
    """Name the zip and its manifest."""
    stem = f"agent-memory-{platform.arch}"
    return dist / f"{stem}.zip", dist / f"{stem}.json"


def sha256_base64(file: Path) -> str:
    """Hash a file in the form that Lambda reports."""
    return base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
