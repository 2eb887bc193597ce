"""HTTP is read in one way only, and passed on as it came."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from local.iam import wire
from local.iam.message import Message, Unreadable
from local.iam.wire import Answer, Broken, Head

T = TypeVar("T")


class Client:
    """Takes what is written to it."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, data: bytes) -> None:
        self.got += data


def run(of: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(of)


async def _reader(text: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(text)
    reader.feed_eof()
    return reader


def request(text: bytes) -> tuple[Head, Message]:
    async def read() -> tuple[Head, Message] | None:
        return await wire.read_request(await _reader(text), Client())  # type: ignore[arg-type]

    found = run(read())
    assert found is not None
    return found


def answer(text: bytes, method: str = "POST") -> Answer:
    async def read() -> Answer:
        return await wire.read_answer(await _reader(text), method)

    return run(read())


def test_a_request_is_passed_on_with_its_headers_as_they_were_signed() -> None:
    head, message = request(b"PUT /a%20b?x= HTTP/1.1\r\nHost: h\r\nX-Amz-Date: d\r\nContent-Length: 2\r\n\r\nhi")

    passed = wire.request(head, message, {"x-forwarded-proto": "https"})

    assert (message.method, message.path, message.query, message.body) == ("PUT", "/a%20b", [("x", "")], b"hi")
    assert passed == (
        b"PUT /a%20b?x= HTTP/1.1\r\nHost: h\r\nX-Amz-Date: d\r\nx-forwarded-proto: https\r\nContent-Length: 2\r\n\r\nhi"
    )


def test_a_body_in_chunks_goes_on_in_one_piece() -> None:
    head, message = request(
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n3\r\n ho\r\n0\r\nA: b\r\n\r\n"
    )

    assert message.body == b"hi ho"
    assert b"chunked" not in wire.request(head, message, {})
    assert answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").raw == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    )


def test_who_waits_before_a_body_is_told_to_go_on() -> None:
    async def read() -> tuple[Client, Any]:
        client = Client()
        text = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"
        return client, await wire.read_request(await _reader(text), client)  # type: ignore[arg-type]

    client, (head, message) = run(read())

    assert client.got == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert b"Expect" not in wire.request(head, message, {})


@pytest.mark.parametrize(
    "text",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nhi",
        b"POST / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nhalf",
    ],
)
def test_what_could_be_read_in_two_ways_ends_the_connection(text: bytes) -> None:
    with pytest.raises(Broken):
        request(text)


@pytest.mark.parametrize(
    ("text", "method", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", b""),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", "GET", b"to the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "PUT", b"x"),
    ],
)
def test_an_answer_ends_where_http_says(text: bytes, method: str, body: bytes) -> None:
    assert answer(text, method).body == body


def test_a_refusal_is_told_from_other_errors() -> None:
    length = b"\r\nContent-Length: 0\r\n\r\n"
    assert answer(b"HTTP/1.1 403 Forbidden" + length, "HEAD").is_refusal
    assert answer(b"HTTP/1.1 400 Bad\r\nx-amzn-ErrorType: AccessDeniedException" + length).is_refusal
    assert not answer(b"HTTP/1.1 400 Bad\r\nx-amzn-ErrorType: ValidationException" + length).is_refusal
    assert not answer(b"HTTP/1.1 404 Not Found" + length, "HEAD").is_refusal


def test_who_signed_is_read_from_the_header_or_the_query_and_never_from_both() -> None:
    scope = "ASIA1/20261125/eu-west-1/s3/aws4_request"
    header = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    query = f"/b/k?X-Amz-Credential={scope.replace('/', '%2F')}&X-Amz-Security-Token=t"

    assert Message("GET", "/b/k", {**header, "x-amz-security-token": "t"}, b"").signer() == (
        Message("GET", query, {}, b"").signer()
    )
    assert Message("GET", "/b/k", {}, b"").signer() is None
    with pytest.raises(Unreadable):
        Message("GET", query, header, b"").signer()


def test_a_name_that_comes_twice_is_not_read() -> None:
    with pytest.raises(Unreadable):
        _ = Message("POST", "/", {}, b'{"Key": {"pk": {"S": "mine"}}, "Key": {"pk": {"S": "theirs"}}}').json
