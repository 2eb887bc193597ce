"""A proxy in front of the stand-in: it knows who asks for what, and lets a planned fault happen there.

Each worker has a port of its own, so that a request says by where it comes in whose it is. The stand-in keeps the real
time; of objects that were written through here, listings say the time of the clock that the harness turns.
"""

import asyncio
import contextlib
import json
import re
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote

from local.iam import wire
from local.iam.message import Message
from local.iam.proxy import Upstreams
from local.iam.wire import Answer, Broken, Head
from local.ports import LOOPBACK
from tests.faults.plan import Fault, Faults
from tests.faults.points import recognise

_LISTED = re.compile(r"(<Key>([^<]*)</Key>(?:(?!<Key>).)*?<LastModified>)[^<]*(</LastModified>)", re.DOTALL)
_CHECKS = ("content-md5", "x-amz-checksum-crc32", "x-amz-checksum-sha256", "x-amz-checksum-crc64nvme")
_DELAY_S = 0.3


class Gone(Exception):
    """The connection ends here."""


@dataclass(frozen=True)
class Client:
    """Who comes in at a port: its role, how to kill it, and what is done while it waits."""

    role: str
    kill: Callable[[], None]
    meanwhile: Callable[[], None]


class FaultProxy:
    """Serves on loopback from a thread of its own."""

    written: dict[str, datetime]
    """When each object was last written, by the clock of the run."""

    def __init__(self, upstream: int, faults: Faults, clock: Callable[[], datetime]) -> None:
        self._upstream = upstream
        self._faults = faults
        self._clock = clock
        self.written = {}
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def open(self, client: Client) -> str:
        """Open a port for a client; its endpoint."""

        async def start() -> int:
            server = await asyncio.start_server(
                lambda reader, writer: self._serve(client, reader, writer), LOOPBACK, 0, limit=wire.LIMIT
            )
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return f"http://{LOOPBACK}:{asyncio.run_coroutine_threadsafe(start(), self._loop).result()}"

    def close(self) -> None:
        """Stop serving."""

        async def stop() -> None:
            for server in self._servers:
                server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, client: Client, reader: StreamReader, writer: StreamWriter) -> None:
        upstreams = Upstreams({}, self._upstream)
        try:
            while received := await wire.read_request(reader, writer):
                writer.write(await self._answer(client, *received, upstreams))
                await writer.drain()
        except (OSError, Broken, Gone, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client sees its connection end
        except asyncio.CancelledError:
            pass  # the proxy closes: this is the outermost of its coroutines, and nobody else has to know
        finally:
            upstreams.close()
            with contextlib.suppress(RuntimeError):
                writer.close()

    async def _answer(self, client: Client, head: Head, message: Message, upstreams: Upstreams) -> bytes:
        fault = self._faults.meet(client.role, recognise(message))
        if fault is None:
            return await self._pass(head, message, upstreams)
        if fault.when == "before":
            if answer := await self._before(fault, client, message):
                return answer
            if fault.effect == "corrupt":
                head, message = _corrupted(head, message)
            return await self._pass(head, message, upstreams)
        answer = await self._pass(head, message, upstreams)
        return await self._before(fault, client, message) or answer

    async def _before(self, fault: Fault, client: Client, message: Message) -> bytes | None:
        """What happens at the point itself; an answer in place of the service's, or None."""
        if fault.effect in {"kill", "lose"}:
            if fault.effect == "kill":
                client.kill()
            raise Gone
        if fault.effect == "delay":
            await asyncio.sleep(_DELAY_S)
        if fault.effect == "meanwhile":
            await self._loop.run_in_executor(None, client.meanwhile)
        return _refusal(fault.effect, message)

    async def _pass(self, head: Head, message: Message, upstreams: Upstreams) -> bytes:
        answer = await upstreams.ask("", wire.request(head, message, {}), message.method)
        if message.headers.get("x-amz-target"):
            return answer.raw
        key = unquote(message.path)
        if message.method == "PUT" and answer.status == 200:
            self.written[key.lstrip("/").partition("/")[2]] = self._clock()
        return self._dated(answer) if b"<LastModified>" in answer.body else answer.raw

    def _dated(self, answer: Answer) -> bytes:
        def date(found: re.Match[str]) -> str:
            at = self.written.get(unquote(found[2].replace("&amp;", "&")))
            return found[0] if at is None else f"{found[1]}{at:%Y-%m-%dT%H:%M:%S}.000Z{found[3]}"

        body = _LISTED.sub(date, answer.body.decode()).encode()
        kept = [(name, value) for name, value in answer.head.fields if name.lower() != "content-length"]
        lines = [answer.head.first, *(f"{name}: {value}" for name, value in kept), f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _corrupted(head: Head, message: Message) -> tuple[Head, Message]:
    """The same request with a few bytes changed, as if the disk had done it after every check."""
    body = bytearray(message.body)
    at = len(body) // 2
    body[at : at + 4] = bytes(byte ^ 0x5A for byte in body[at : at + 4])
    fields = tuple((name, value) for name, value in head.fields if name.lower() not in _CHECKS)
    return replace(head, fields=fields), replace(message, body=bytes(body))


def _refusal(effect: str, message: Message) -> bytes | None:
    """A service in trouble, in its own words."""
    is_table = "x-amz-target" in message.headers
    status, code = {
        "error 500": (500, "InternalServerError" if is_table else "InternalError"),
        "error 503": (503, "ServiceUnavailable"),
        "throttle": (400, "ThrottlingException") if is_table else (503, "SlowDown"),
    }.get(effect, (0, ""))
    if not status:
        return None
    said = json.dumps({"__type": code, "message": ""}) if is_table else f"<Error><Code>{code}</Code></Error>"
    body = b"" if message.method == "HEAD" else said.encode()
    return f"HTTP/1.1 {status} Trouble\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
