"""`make release`: dist/release/ with the arm64 zip, its hash, its var-file, its bill of materials and release.json.

A consumer that takes the module from a git source needs nothing else: SQL and routes are inside the zip.
"""

import base64
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from artifact import manifest, project
from artifact.manifest import Manifest
from artifact.platforms import AWS
from artifact.project import BuildError
from artifact.sbom import sbom
from build import build


def release(dist: Path = project.DIST) -> Path:
    """Build for AWS and lay out the release; the same sources give the same files."""
    made = build(AWS, dist)
    if not made.bytecode:
        raise BuildError(f"a release needs bytecode, and no Python {made.python} was found on this machine")
    folder = dist / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stem = f"agent-memory-{made.version}-{AWS.arch}"
    zip_path = folder / f"{stem}.zip"
    shutil.copyfile(manifest.paths(dist, AWS)[0], zip_path)
    made.write_var_file(zip_path, dist)
    sha256_hex = base64.b64decode(made.sha256_base64).hex()
    (folder / f"{stem}.zip.sha256").write_text(f"{sha256_hex}  {zip_path.name}\n")
    _write_json(folder / f"{stem}.cdx.json", sbom(zip_path, sha256_hex))
    _write_json(folder / "release.json", _describe(made, zip_path, f"{stem}.cdx.json"))
    return folder


def _describe(made: Manifest, zip_path: Path, sbom_name: str) -> dict[str, Any]:
    return {
        "version": made.version,
        "artifact": zip_path.name,
        "sha256_base64": made.sha256_base64,
        "sql_sha256": made.sql_sha256,
        "bytes": made.bytes,
        "platform": made.platform,
        "python": made.python,
        "sbom": sbom_name,
        "routes": json.loads((project.PACKAGE / "routes.json").read_text()),
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def main() -> int:
    """Make the release and list it."""
    try:
        folder = release()
    except BuildError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    for file in sorted(folder.iterdir()):
        print(f"{file.relative_to(project.ROOT)}  {file.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
