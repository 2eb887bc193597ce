"""Bytecode that the read-only runtime can use: /var/task cannot be written, so it must be in the zip.

Without it every cold start compiles all imports. A .pyc is unchecked (the time stamps in a zip say nothing)
and only good for the Python that wrote it, so an interpreter of the runtime's version has to be found. Libraries
come as bytecode alone: their sources would be an eighth of the zip, and nobody edits them there.
"""

import subprocess
from pathlib import Path

from artifact.project import BuildError

_RUNTIME_FOLDER = "/var/task"
_STABLE = {"PYTHONHASHSEED": "0"}


def compile_all(folder: Path, python: Path) -> None:
    """Compile every source below the folder, with paths as the runtime will see them."""
    command = [
        *(str(python), "-s", "-P", "-m", "compileall", "-q", "-j", "1"),
        *("--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", _RUNTIME_FOLDER, str(folder)),
    ]
    done = subprocess.run(command, env=_STABLE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"compiling failed:\n{done.stdout.strip()}")


def drop_sources(folder: Path, but: Path) -> None:
    """Put bytecode where the sources are, outside one package: Python imports a lone .pyc only from there."""
    for compiled in list(folder.glob("**/__pycache__/*.pyc")):
        if not compiled.is_relative_to(but):
            beside = compiled.parent.parent / compiled.name.split(".")[0]
            beside.with_suffix(".py").unlink()
            compiled.rename(beside.with_suffix(".pyc"))
    for emptied in list(folder.glob("**/__pycache__")):
        if not any(emptied.iterdir()):
            emptied.rmdir()
