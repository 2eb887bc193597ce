"""Where the sources are, and what they are called."""

import hashlib
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambda_src" / "agent_memory"
SQL_FOLDERS = (ROOT / "sql" / "migrations", ROOT / "sql" / "repeatable")
DIST = ROOT / "dist"


class BuildError(Exception):
    """The artifact cannot be made; the message says what to do."""


def version() -> str:
    """Return the version that pyproject.toml states."""
    stated: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return stated


def uv() -> str:
    """Find uv: the one that `make setup` installed, or one on the PATH."""
    installed = ROOT / ".venv-tools" / "bin" / "uv"
    found = str(installed) if installed.exists() else shutil.which("uv")
    if found is None:
        raise BuildError("uv is not installed: run `make setup`")
    return found


def sources(folder: Path) -> list[Path]:
    """List the files below a folder, links followed, without what Python left there."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name != "__pycache__":
            found += sources(entry)
        elif entry.is_file() and entry.suffix != ".pyc":
            found.append(entry)
    return found


def digest(files: Iterable[Path]) -> str:
    """Hash names (relative to the repository) and contents."""
    hashed = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        hashed.update(f"{file.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        hashed.update(content)
    return hashed.hexdigest()


def sql_sha256() -> str:
    """Hash the SQL that the schema function runs; Terraform re-invokes the function when it changes."""
    return digest(file for folder in SQL_FOLDERS if folder.is_dir() for file in sources(folder))
