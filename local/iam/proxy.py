"""The proxy: every call of the functions comes here, is judged, and goes on to the stand-in of its service."""

import asyncio
import json
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from local.iam import answers, wire
from local.iam.account import Account
from local.iam.judge import Judge, Ruling
from local.iam.message import Message, Signer, Unreadable
from local.iam.records import Records
from local.iam.repeats import Repeats
from local.iam.sessions import ROOT_KEY, Sessions
from local.iam.wire import Answer, Broken, Head
from local.ports import LOOPBACK

_OVER_TLS = {"x-forwarded-proto": "https"}  # where the proxy stands, AWS ends TLS
_LOOKS_AGAIN_S = 0.05
_IDLE_S = 2.0  # sooner than any stand-in closes a connection


class Upstreams:
    """Connections of one client to the stand-ins, each used by one request at a time."""

    def __init__(self, ports: Mapping[str, int], default: int) -> None:
        self._ports = ports
        self._default = default
        self._open: dict[int, tuple[StreamReader, StreamWriter, float]] = {}

    async def ask(self, service: str, request: bytes, method: str) -> Answer:
        """Send a request to a service's stand-in and wait for the answer."""
        port = self._ports.get(service, self._default)
        reader, writer = await self._connection(port)
        try:
            writer.write(request)
            answer = await wire.read_answer(reader, method)
        except BaseException:
            writer.close()
            raise
        if answer.is_last:
            writer.close()
        else:
            self._open[port] = (reader, writer, time.monotonic())
        return answer

    async def _connection(self, port: int) -> tuple[StreamReader, StreamWriter]:
        kept = self._open.pop(port, None)
        if kept is not None:
            reader, writer, used = kept
            if not reader.at_eof() and time.monotonic() - used < _IDLE_S:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(LOOPBACK, port, limit=wire.LIMIT)

    def close(self) -> None:
        """Close them all."""
        for _, writer, _ in self._open.values():
            writer.close()


@dataclass
class Proxy:
    """Serves on loopback; `ports` are those of the stand-ins that are not MiniStack's."""

    ministack: int
    ports: Mapping[str, int]
    records: Records
    account: Account
    sessions: Sessions
    judge: Judge
    silent: set[str] = field(default_factory=set)
    repeats: Repeats = field(default_factory=Repeats)

    @classmethod
    def of(cls, ministack: int, ports: Mapping[str, int], records: Path) -> "Proxy":
        """Put a proxy together."""
        account, sessions = Account(f"http://{LOOPBACK}:{ministack}"), Sessions()
        return cls(ministack, ports, Records(records), account, sessions, Judge(account, sessions))

    async def serve(self, port: int) -> None:
        """Serve until stopped."""
        server = await asyncio.start_server(self._client, LOOPBACK, port, limit=wire.LIMIT)
        async with server:
            await server.serve_forever()

    async def _client(self, reader: StreamReader, writer: StreamWriter) -> None:
        upstreams = Upstreams(self.ports, self.ministack)
        try:
            while received := await wire.read_request(reader, writer):
                writer.write(await self.answer(*received, upstreams))
                await writer.drain()
        except (OSError, Broken, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client sees its connection end, as with a service that fails
        finally:
            upstreams.close()
            writer.close()

    async def answer(self, head: Head, message: Message, upstreams: Upstreams) -> bytes:
        """What one request gets."""
        if message.path.startswith("/_local/"):
            return self._control(message)
        try:
            signer = message.signer()
        except Unreadable as unclear:
            return answers.refusal(message, "", "IncompleteSignature", str(unclear))
        if self.silent:
            await self._wait_out_silence(message)
        if signer is None:
            return answers.refusal(message, "", "MissingAuthenticationToken", "Request is missing a signature")
        if signer.key == ROOT_KEY:
            passing = self._pass(signer, message, wire.request(head, message, {}), upstreams)
            return (await self.repeats.once(head.get("amz-sdk-invocation-id"), passing)).raw
        principal = await self.judge.principal(signer)
        if principal is None or not principal.signed(signer):
            said = "The security token included in the request is invalid or expired"
            return answers.refusal(message, signer.service, "ExpiredTokenException", said)
        ruling = await self.judge.rule(principal, message, signer)
        return await self._carry_out(ruling, head, message, signer, upstreams)

    async def _carry_out(
        self, ruling: Ruling, head: Head, message: Message, signer: Signer, upstreams: Upstreams
    ) -> bytes:
        if ruling.is_final and not ruling.allowed:
            self.records.note(ruling, None)
            return answers.denied(message, ruling)
        head, changes = _as_root(head, signer) if ruling.swaps_key else (head, {})
        passed = wire.request(head, message, {**_OVER_TLS, **changes})
        answer = await self._pass(signer, message, passed, upstreams)
        self.records.note(ruling, None if ruling.is_final else not answer.is_refusal)
        return answer.raw

    async def _pass(self, signer: Signer, message: Message, request: bytes, upstreams: Upstreams) -> Answer:
        answer = await upstreams.ask(signer.service, request, message.method)
        if signer.service == "sts" and answer.status == 200:
            self.sessions.watch(message, answer.body)
        return answer

    async def _wait_out_silence(self, message: Message) -> None:
        """A request about a silent table is taken, and never answered; when the silence ends its connection does."""
        try:
            table = json.loads(message.body).get("TableName")
        except (ValueError, AttributeError):
            return  # not of DynamoDB
        was_silent = table in self.silent
        while table in self.silent:
            await asyncio.sleep(_LOOKS_AGAIN_S)
        if was_silent:
            raise Broken("the table did not answer")

    def _control(self, message: Message) -> bytes:
        """Not a service's: how tests say which of them runs, that policies changed, and which table is silent."""
        if message.path == "/_local/test":
            self.records.test = str(json.loads(message.body)["name"])
        elif message.path == "/_local/forget":
            self.account.forget()
        elif message.path.startswith("/_local/silent/"):
            (is_silent,) = json.loads(message.body).values()
            (self.silent.add if is_silent else self.silent.discard)(message.path.rpartition("/")[2])
        else:
            return answers.response(message, 404, "application/json", "{}")
        return answers.response(message, 200, "application/json", "{}")


def _as_root(head: Head, signer: Signer) -> tuple[Head, dict[str, str | None]]:
    """The same request with root's key, for which the stand-in takes any signature, as long as it is in a header."""
    method, target, version = head.first.split(" ")
    path, _, query = target.partition("?")
    own = parse_qsl(query, keep_blank_values=True)
    presigned = dict(own).get("X-Amz-Credential")
    if presigned is None:
        authorization = head.get("authorization").replace(f"Credential={signer.key}/", f"Credential={ROOT_KEY}/", 1)
        return head, {"authorization": authorization, "x-amz-security-token": None}
    scope = presigned.replace(signer.key, ROOT_KEY, 1)
    kept = urlencode([(name, value) for name, value in own if not name.startswith("X-Amz-")])
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    date = {"x-amz-date": dict(own)["X-Amz-Date"], "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    return Head(f"{method} {path}?{kept} {version}", head.fields), {"authorization": authorization, **date}
