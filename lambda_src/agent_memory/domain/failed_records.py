"""Records of the stream that the archiver did not take in all its attempts, kept with all that is in them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol


def event_in(kept: bytes) -> Mapping[str, Any] | None:
    """The event of one kept batch, as the archiver was given it; None when the object is something else.

    Lambda keeps the whole event as text, under `payload`; an object that is an event itself is good too.
    """
    try:
        told = json.loads(kept)
        event = told.get("payload", told)
        event = json.loads(event) if isinstance(event, str) else event
        records = event["Records"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    is_event = isinstance(records, list) and records and all(isinstance(each, dict) for each in records)
    return event if is_event else None


class FailedRecords(Protocol):
    """Kept batches. Every method raises StoreUnavailable when the store does not answer."""

    def names(self) -> Iterator[str]:
        """All that there are, by when they were kept."""

    def get(self, name: str) -> bytes | None:
        """Read one; None when it is gone."""

    def remove(self, name: str) -> None:
        """It has been taken."""


class Function(Protocol):
    """A deployed function."""

    def invoke(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run it and wait for its answer.

        Raises:
            StoreUnavailable: it could not be run, or failed; what it did by then is done.
        """
