"""Debian's PostgreSQL (with TLS, which the embedded one has not) and PgBouncer.

What is on this machine is used. Otherwise Debian's packages are fetched and unpacked under .local/debian, by anybody
and without installing: the system stays as it is.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent.parent / ".local" / "debian"
_MISSING = re.compile(r"(\S+) => not found")
_DEPENDS = re.compile(r"^ *Depends: (lib(?!c6|llvm)\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """A program and the environment that it finds its libraries in."""

    path: Path
    environment: dict[str, str]


class ProgramMissingError(Exception):
    """Neither is the program here nor can it be fetched."""


@cache
def program(name: str) -> Program:
    """`initdb`, `postgres` or `pgbouncer`."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_postgres_folders(Path("/"))]))
    if found:
        return Program(Path(found).resolve(), dict(os.environ))
    unpacked = _FOLDER / ("pgbouncer" if name == "pgbouncer" else "postgresql")
    if not unpacked.exists():
        _fetch(name, unpacked)
    return _unpacked(name, unpacked)


def _postgres_folders(root: Path) -> list[str]:
    return sorted(map(str, root.glob("usr/lib/postgresql/*/bin")), reverse=True)


def _unpacked(name: str, folder: Path) -> Program:
    path = shutil.which(name, path=os.pathsep.join([*_postgres_folders(folder), str(folder / "usr/sbin")]))
    if path is None:
        raise ProgramMissingError(f"Debian's package has no {name}")
    libraries = {str(library.parent) for library in folder.glob("**/lib/**/*.so*")}
    return Program(Path(path), {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(sorted(libraries))})


def _fetch(name: str, target: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ProgramMissingError(f"{name} is not installed, and this is no Debian to fetch it from: install {name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent))
    package = "pgbouncer" if name == "pgbouncer" else _newest_postgresql()
    _unpack(work, package)
    if _missing(name, work):
        _unpack(work, *_DEPENDS.findall(_said("apt-cache", "depends", package)))
    if missing := _missing(name, work):
        raise ProgramMissingError(f"{name} needs {', '.join(missing)}: install {name}")
    try:
        work.rename(target)
    except OSError:  # another worker was faster
        shutil.rmtree(work)


def _newest_postgresql() -> str:
    found = re.search(r"Depends: (postgresql-\d+)", _said("apt-cache", "depends", "postgresql"))
    if not found:
        raise ProgramMissingError("apt-cache knows no postgresql: install postgresql")
    return found[1]


def _unpack(work: Path, *packages: str) -> None:
    """Download with the system's lists of packages; where they are missing or old, with new ones of our own."""
    download = ("download", *packages)
    with tempfile.TemporaryDirectory() as lists:
        own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={lists}"]
        if not _succeeds(work, "apt-get", *download):
            (Path(lists) / "partial").mkdir()
            if not (_succeeds(work, "apt-get", *own, "update") and _succeeds(work, "apt-get", *own, *download)):
                raise ProgramMissingError(f"Debian's packages {', '.join(packages)} cannot be fetched: install them")
    for archive in work.glob("*.deb"):
        _said("dpkg-deb", "-x", str(archive), str(work))
        archive.unlink()


def _missing(name: str, folder: Path) -> list[str]:
    found = _unpacked(name, folder)
    return _MISSING.findall(_said("ldd", str(found.path), environment=found.environment))


def _succeeds(folder: Path, *command: str) -> bool:
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def _said(*command: str, environment: dict[str, str] | None = None) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
