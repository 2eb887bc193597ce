"""The two platforms that zips are made for: AWS Lambda on arm64, and this machine."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Platform:
    """What uv has to be told, and which interpreter writes the bytecode."""

    arch: str
    """Last part of the artifact's name."""
    tag: str
    python: str
    uv_arguments: tuple[str, ...]


AWS = Platform(
    arch="arm64",
    tag="aarch64-manylinux_2_28",
    python="3.12",
    uv_arguments=("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.12"),
)

# The local stack runs functions with an interpreter of the same version as the one that runs the build.
LOCAL = Platform(
    arch="local",
    tag=f"{platform.machine()}-{sys.platform}",
    python=f"{sys.version_info.major}.{sys.version_info.minor}",
    uv_arguments=(),
)

PLATFORMS = {"aws": AWS, "local": LOCAL}


def interpreter(version: str) -> Path | None:
    """Find a Python of exactly this version: bytecode of another one would be ignored by the runtime."""
    return next((path for path in _candidates(version) if _runs(path, version)), None)


def _candidates(version: str) -> list[Path]:
    """This interpreter, then the PATH, then where pyenv and uv keep theirs."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python"))
    on_path = [Path(folder) / name for folder in os.environ.get("PATH", "").split(os.pathsep)]
    return [Path(sys.executable), *on_path, *_installed(pyenv, name), *_installed(managed, name)]


def _installed(versions: Path, name: str) -> list[Path]:
    """A folder that may not be read, perhaps another user's, counts as empty."""
    try:
        return sorted(versions.glob(f"*/bin/{name}"))
    except OSError:
        return []


def _runs(path: Path, version: str) -> bool:
    """A name on the PATH may be a version manager's stub, so ask it."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([path, "-I", "-c", question], capture_output=True, text=True, check=False)
    except OSError:  # it is not there, or not ours to run
        return False
    return asked.stdout.strip() == version
