"""What was decided, one line for each different request of a test, without the ids that were asked for.

An id is cut off where the tenant ends: what a policy could say to it is said of what is left.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.iam.evaluator import Request
from local.iam.judge import Ruling

CUT = "~"
BEFORE_ANY_TEST = "make up"
_OBJECT = "arn:aws:s3:::"
_UPLOADS = "!uploads/"
_BODY = re.compile(r"[^/]+/[^/]+/bodies/.+", re.DOTALL)


@dataclass(frozen=True)
class Record:
    """A decision about one action, made while `test` ran. `stand_in` is what MiniStack said, where it had the say."""

    test: str
    role: str
    service: str
    action: str
    resource: str
    context: dict[str, tuple[str, ...]]
    allowed: bool
    by: tuple[str, ...]
    stand_in: bool | None
    reason: str = ""

    @property
    def request(self) -> Request:
        """The request once more, as it may be asked about."""
        principal = next(iter(self.context.get("aws:principalarn", ("",))))
        return Request(self.action, self.resource, self.context, principal)


class Records:
    """Appends to a file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", buffering=1)
        self._seen: set[object] = set()
        self.test = BEFORE_ANY_TEST

    def note(self, ruling: Ruling, stand_in: bool | None) -> None:  # noqa: FBT001 - three answers, not a switch
        """Write down what was not seen before."""
        for line in self._new(_summaries(ruling, stand_in)):
            self._file.write(f"{line}\n")

    def _new(self, summaries: Iterable[dict[str, Any]]) -> Iterator[str]:
        for summary in summaries:
            seen = (self.test, *(_hashable(value) for value in summary.values()))
            if seen not in self._seen:
                self._seen.add(seen)
                yield json.dumps({"test": self.test, **summary})


def read(path: Path) -> list[Record]:
    """All that was written down."""
    return [_record(json.loads(line)) for line in path.read_text().splitlines()]


def _record(line: dict[str, Any]) -> Record:
    context = {key: tuple(values) for key, values in line.pop("context").items()}
    return Record(context=context, by=tuple(line.pop("by")), **line)


def _summaries(ruling: Ruling, stand_in: bool | None) -> Iterator[dict[str, Any]]:  # noqa: FBT001
    common = {"role": ruling.principal.role, "service": ruling.service, "stand_in": stand_in}
    if not ruling.decisions:
        nothing = {"action": "", "resource": "", "context": {}, "allowed": False, "by": ()}
        yield common | nothing | {"reason": ruling.reason}
    for asked, decision in ruling.decisions:
        what = {"action": asked.action, "resource": _resource(asked.resource), "context": _context(asked)}
        yield common | what | {"allowed": decision.allowed, "by": decision.by}


def _hashable(value: Any) -> object:
    return tuple(value.items()) if isinstance(value, dict) else value


def _resource(arn: str) -> str:
    """The tenant is the first part of a key, or of an upload's the second one; what lies among bodies still does."""
    if not arn.startswith(_OBJECT):
        return arn
    bucket, slash, key = arn.partition("/")
    place, key = (_UPLOADS, key.removeprefix(_UPLOADS)) if key.startswith(_UPLOADS) else ("", key)
    shape = f"{CUT}/bodies/{CUT}" if _BODY.fullmatch(key) else CUT
    return f"{bucket}{slash}{place}{_cut(key, '/', shape)}"


def _context(asked: Request) -> dict[str, tuple[str, ...]]:
    separators = {"dynamodb:leadingkeys": "#", "s3:prefix": "/"}
    return {
        key: tuple(sorted({_cut(value, separators[key]) for value in values})) if key in separators else values
        for key, values in asked.context.items()
    }


def _cut(text: str, separator: str, left: str = CUT) -> str:
    first, found, rest = text.partition(separator)
    return f"{first}{found}{left if rest else ''}"
