"""The queue of jobs: messages that hold ids and nothing else."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class JobMessage(NamedTuple):
    """Which job is to be done."""

    tenant_id: str
    job_id: str


class Received(NamedTuple):
    """A message among the dead letters; None for one that is none of ours. `receipt` removes it."""

    message: JobMessage | None
    receipt: str


class JobQueue(Protocol):
    """A queue that takes messages. Every method raises StoreUnavailable when it does not answer."""

    def send(self, messages: Sequence[JobMessage]) -> Sequence[bool]:
        """Send; tells for each whether it has been taken. One that has not may have been all the same."""


class DeadLetters(Protocol):
    """What the queue gave up on."""

    def receive(self) -> Sequence[Received]:
        """Some messages, which nobody else gets for a while; none when there are no more."""

    def remove(self, receipt: str) -> None:
        """Remove a message."""


class Outbox(Protocol):
    """Notes of jobs, each of which stays until its job is over."""

    def notes(self, written_by: datetime) -> Iterator[JobMessage]:
        """All of them that were written by then."""


def read_message(body: str) -> JobMessage | None:
    """Read a message; None when it is none of ours."""
    try:
        told = json.loads(body)
        return JobMessage(str(told["tenant_id"]), str(told["job_id"]))
    except (ValueError, KeyError, TypeError):
        return None
