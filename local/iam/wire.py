"""HTTP/1.1 as far as clients of AWS speak it: heads are read and rewritten, bodies are passed on as they are."""

import asyncio
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass
from functools import cached_property

from local.iam.message import Message

LIMIT = 1 << 20
_NO_BODY = {204, 304}
_HOP = {"connection", "expect", "keep-alive", "transfer-encoding", "content-length"}


class Broken(Exception):
    """What came is no HTTP, or could be read in two ways."""


@dataclass(frozen=True)
class Head:
    """A first line and its headers, names as they were sent."""

    first: str
    fields: tuple[tuple[str, str], ...]
    raw: bytes = b""

    @cached_property
    def headers(self) -> dict[str, str]:
        """Names in lower case, and all values of each in one."""
        found: dict[str, str] = {}
        for name, value in self.fields:
            lower = name.lower()
            found[lower] = f"{found[lower]}, {value}" if lower in found else value
        return found

    def get(self, name: str) -> str:
        """All values of a header in one."""
        return self.headers.get(name, "")


@dataclass(frozen=True)
class Answer:
    """A whole answer, ready to be passed on."""

    status: int
    head: Head
    body: bytes
    raw: bytes

    @property
    def is_last(self) -> bool:
        """Whether its connection ends with it."""
        return "close" in self.head.get("connection").lower()

    @property
    def is_refusal(self) -> bool:
        """Whether the service said that it may not be done; HEAD is answered without a body."""
        named = self.head.get("x-amzn-errortype").encode() + self.body
        return self.status in {400, 401, 403} and (b"AccessDenied" in named or (self.status == 403 and not self.body))


async def read_request(reader: StreamReader, writer: StreamWriter) -> tuple[Head, Message] | None:
    """Read one request; None when there is none any more."""
    head = await _head(reader)
    if head is None:
        return None
    method, target, _ = head.first.split(" ")
    if head.get("expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await _body(reader, head)
    return head, Message(method, target, head.headers, body)


def request(head: Head, message: Message, changes: dict[str, str | None]) -> bytes:
    """A request to pass on; `changes` replace or, where None, remove headers."""
    kept = [(name, value) for name, value in head.fields if name.lower() not in _HOP and name.lower() not in changes]
    kept += [(name, value) for name, value in changes.items() if value is not None]
    if message.body or message.method in {"POST", "PUT"}:
        kept.append(("Content-Length", str(len(message.body))))
    lines = [head.first, *(f"{name}: {value}" for name, value in kept)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + message.body


async def read_answer(reader: StreamReader, method: str) -> Answer:
    """Read one answer whole."""
    head = await _head(reader)
    while head is not None and head.first.split(" ")[1] == "100":
        head = await _head(reader)
    if head is None:
        raise Broken("no answer")
    status = int(head.first.split(" ")[1])
    has_body = method != "HEAD" and status not in _NO_BODY
    body = await _body(reader, head, until_end=True) if has_body else b""
    return Answer(status, head, body, _raw(head, body, has_body=has_body))


def _raw(head: Head, body: bytes, *, has_body: bool) -> bytes:
    """The answer as it came, but in one piece."""
    if not has_body or head.get("content-length"):
        return head.raw + body
    kept = [(name, value) for name, value in head.fields if name.lower() != "transfer-encoding"]
    lines = [head.first, *(f"{name}: {value}" for name, value in kept), f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def _head(reader: StreamReader) -> Head | None:
    try:
        text = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise Broken("half a head") from None
        return None
    first, *lines = text[:-4].decode("latin-1").split("\r\n")
    if first.count(" ") < 2 or any(":" not in line or line[0] in " \t" for line in lines):
        raise Broken("no head")
    fields = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Head(first, fields, text)


async def _body(reader: StreamReader, head: Head, *, until_end: bool = False) -> bytes:
    chunked, length = head.get("transfer-encoding").lower(), head.get("content-length")
    if chunked and (length or chunked != "chunked"):
        raise Broken("two lengths")
    if chunked:
        return await _chunks(reader)
    if length:
        if not length.isdecimal():
            raise Broken("no length")
        return await reader.readexactly(int(length))
    return await reader.read() if until_end else b""


async def _chunks(reader: StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(parts)
