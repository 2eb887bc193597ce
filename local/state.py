"""The folder of a running stack: .local, or another one for a second stack."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class StackError(Exception):
    """The stack cannot do what was asked; the message is for a person at a terminal."""


@dataclass(frozen=True)
class State:
    """Names of what lies in the folder. Another stack's folder may lie inside, so only these are removed."""

    folder: Path

    @property
    def stack_json(self) -> Path:
        """The contract for tools: where the stack is and how to get in."""
        return self.folder / "stack.json"

    @property
    def services_json(self) -> Path:
        """Which processes were started here."""
        return self.folder / "services.json"

    @property
    def ports_json(self) -> Path:
        """Ports, kept so that addresses survive a restart."""
        return self.folder / "ports.json"

    @property
    def applied(self) -> Path:
        """Hash of what the last successful apply was made from."""
        return self.folder / "applied"

    @property
    def postgres(self) -> Path:
        """Data of the embedded PostgreSQL."""
        return self.folder / "postgres"

    @property
    def terraform(self) -> Path:
        """Terraform's working data and state."""
        return self.folder / "terraform"

    @property
    def logs(self) -> Path:
        """What the services say."""
        return self.folder / "logs"

    @property
    def iam(self) -> Path:
        """Where the IAM proxy notes what it decided."""
        return self.folder / "iam"

    @property
    def iam_records(self) -> Path:
        """What was decided, a line each."""
        return self.iam / "records.jsonl"

    @property
    def tmp(self) -> Path:
        """Temporary files of the services."""
        return self.folder / "tmp"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one `up` or `down` at a time work in the folder; a second one waits for the first."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"waiting for another `up` or `down` in {self.folder}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def remove(self) -> None:
        """Forget everything but the lock."""
        for folder in (self.postgres, self.terraform, self.logs, self.iam, self.tmp):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.stack_json, self.services_json, self.ports_json, self.applied):
            file.unlink(missing_ok=True)


def write_private(path: Path, content: Any) -> None:
    """Write JSON that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    part.replace(path)


def chosen() -> State:
    """Return the state folder: LOCAL_STATE names one, else .local in the repository."""
    return State(Path(os.environ.get("LOCAL_STATE") or ROOT / ".local").resolve())
