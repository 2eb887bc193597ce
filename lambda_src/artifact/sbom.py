"""The bill of materials of a zip: uv's CycloneDX export of the lock file, cut to what the zip holds."""

import json
import subprocess
import uuid
import zipfile
from pathlib import Path
from typing import Any

from artifact.project import ROOT, BuildError, uv


def sbom(zip_path: Path, sha256_hex: str) -> dict[str, Any]:
    """Describe the zip. No clock and no random number: the serial number follows from the zip's hash."""
    described = _export()
    held = packages(zip_path)
    kept = [part for part in described["components"] if part["name"] in held]
    missing = held - {part["name"] for part in kept}
    if missing:
        raise BuildError(f"the lock file does not know what the zip holds: {', '.join(sorted(missing))}")
    names = {part["bom-ref"] for part in kept} | {described["metadata"]["component"]["bom-ref"]}
    described["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, f"sha256:{sha256_hex}").urn
    described["metadata"].pop("timestamp", None)
    described["components"] = kept
    described["dependencies"] = [
        node | {"dependsOn": [ref for ref in node.get("dependsOn", []) if ref in names]}
        for node in described["dependencies"]
        if node["ref"] in names
    ]
    return described


def packages(zip_path: Path) -> set[str]:
    """Name the distributions whose metadata is in the zip, as package indexes spell them."""
    with zipfile.ZipFile(zip_path) as packed:
        folders = {name.split("/", 1)[0] for name in packed.namelist()}
    stems = (folder.removesuffix(".dist-info") for folder in folders if folder.endswith(".dist-info"))
    return {stem.rsplit("-", 1)[0].replace("_", "-").replace(".", "-").lower() for stem in stems}


def _export() -> dict[str, Any]:
    command = [
        *(uv(), "export", "--quiet", "--frozen", "--only-group", "lambda"),
        *("--format", "cyclonedx1.5", "--preview-features", "sbom-export"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"uv export failed:\n{done.stderr.strip()}")
    exported: dict[str, Any] = json.loads(done.stdout)
    return exported
