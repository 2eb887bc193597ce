"""`make build`: the Lambda zip and its manifest in dist/, for AWS (arm64) or for this machine."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from artifact import archive, bytecode, dependencies, manifest, project
from artifact.manifest import Manifest
from artifact.platforms import PLATFORMS, Platform, interpreter
from artifact.project import BuildError

MAX_ZIP_BYTES = 12_000_000
MAX_UNZIPPED_BYTES = 40_000_000


def build(platform: Platform, dist: Path = project.DIST) -> Manifest:
    """Make the zip, unless the one that is there was made from the same inputs."""
    zip_path, manifest_path = manifest.paths(dist, platform)
    compiler = interpreter(platform.python)
    inputs = _inputs(platform, compiler)
    made = manifest.read(manifest_path)
    if made and made.inputs_sha256 == inputs and _is_intact(zip_path, made):
        return made
    dist.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dist, prefix=".build-") as scratch:
        folder = Path(scratch) / "zip"
        _fill(folder, platform, compiler)
        packed = Path(scratch) / zip_path.name
        unzipped = archive.write(folder, packed)
        result = _describe(platform, packed, inputs, unzipped, bytecode=compiler is not None)
        _check_budget(result)
        packed.replace(zip_path)
    result.write(manifest_path)
    result.write_var_file(zip_path, dist)
    return result


def _fill(folder: Path, platform: Platform, compiler: Path | None) -> None:
    dependencies.install(folder, platform)
    dependencies.trim(folder)
    for file in project.sources(project.PACKAGE):
        copy = folder / "agent_memory" / file.relative_to(project.PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    if compiler:
        bytecode.compile_all(folder, compiler)
        bytecode.drop_sources(folder, but=folder / "agent_memory")


def _inputs(platform: Platform, compiler: Path | None) -> str:
    """Hash everything that the zip is made from, the builder included."""
    builder = [Path(__file__), *project.sources(Path(__file__).parent / "artifact")]
    locked = [project.ROOT / "uv.lock", project.ROOT / "pyproject.toml"]
    content = project.digest([*builder, *locked, *project.sources(project.PACKAGE)])
    return f"{content}-{platform.tag}-{platform.python}-{'pyc' if compiler else 'source'}"


def _is_intact(zip_path: Path, made: Manifest) -> bool:
    return zip_path.is_file() and manifest.sha256_base64(zip_path) == made.sha256_base64


def _describe(platform: Platform, packed: Path, inputs: str, unzipped: int, *, bytecode: bool) -> Manifest:
    return Manifest(
        version=project.version(),
        platform=platform.tag,
        python=platform.python,
        sha256_base64=manifest.sha256_base64(packed),
        sql_sha256=project.sql_sha256(),
        inputs_sha256=inputs,
        bytes=packed.stat().st_size,
        unzipped_bytes=unzipped,
        bytecode=bytecode,
    )


def _check_budget(result: Manifest) -> None:
    if result.bytes > MAX_ZIP_BYTES or result.unzipped_bytes > MAX_UNZIPPED_BYTES:
        raise BuildError(
            f"the artifact is over its budget: {_mb(result.bytes)} of {_mb(MAX_ZIP_BYTES)} zipped,"
            f" {_mb(result.unzipped_bytes)} of {_mb(MAX_UNZIPPED_BYTES)} unzipped"
        )


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def report(platform: Platform, made: Manifest) -> str:
    """Say in a line what was made, and loudly when cold starts will be slow."""
    zip_path, _ = manifest.paths(project.DIST, platform)
    name = zip_path.relative_to(project.ROOT)
    sizes = f"{_mb(made.bytes)}, {_mb(made.unzipped_bytes)} unzipped"
    line = f"{name}: {made.platform}, Python {made.python}, {sizes}, sha256 {made.sha256_base64}"
    if made.bytecode:
        return line
    return (
        f"{line}\nWARNING: no Python {made.python} was found on this machine, so the zip holds no bytecode:"
        f" every cold start will compile its imports. Put python{made.python} on the PATH and build again."
    )


def main() -> int:
    """Build for the platforms asked for; AWS when none is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", choices=PLATFORMS, default="aws")
    platform = PLATFORMS[parser.parse_args().platform]
    try:
        print(report(platform, build(platform)))
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
