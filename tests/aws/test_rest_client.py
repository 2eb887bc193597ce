"""The clients of REST and JSON: where they go, what they send, what they make of answers, and how long they wait."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from agent_memory.adapters import aws_http, kept
from agent_memory.adapters.aws_http import NO_ANSWER, AwsClient, AwsError
from agent_memory.adapters.aws_rest import AwsRestClient
from tests.certificates import Authority
from tests.fix_postgres import free_port
from tests.relay import Relay
from tests.rest_service import RestService, serving

SERVICE = "bedrock-runtime"
OWN, ALL = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestService]:
    monkeypatch.setattr(aws_http, "_BACKOFF_S", 0.001)
    with serving() as service:
        monkeypatch.setenv(OWN, service.endpoint)
        yield service


@pytest.fixture
def client(rest: RestService) -> AwsRestClient:
    return AwsRestClient(SERVICE, "eu-west-1", signing_name="bedrock")


def call(client: AwsRestClient, text: str = "hello", timeout_s: float = 5.0) -> object:
    return client.call("/model/titan%3A0/invoke", {"inputText": text}, time.monotonic() + timeout_s)["embedding"]


@pytest.mark.parametrize(
    ("environment", "region", "url"),
    [
        ({OWN: "http://own:1", ALL: "http://all:2"}, "eu-west-1", "http://own:1"),
        ({ALL: "http://all:2"}, "eu-west-1", "http://all:2"),
        ({OWN: ""}, "eu-west-1", "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        ({}, "cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_endpoint_is_the_service_s_own_or_the_common_one_or_aws(
    environment: dict[str, str], region: str, url: str
) -> None:
    with patch.dict("os.environ", environment):
        assert AwsRestClient(SERVICE, region)._url.geturl() == url


def test_a_request_goes_to_its_path_signed_for_its_service(client: AwsRestClient, rest: RestService) -> None:
    assert call(client, "né☕") == [3.0]

    ((path, headers, body),) = rest.requests
    assert path == "/model/titan%3A0/invoke"
    assert body == {"inputText": "né☕"}
    assert headers["content-type"] == "application/json"
    assert "/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date," in headers["authorization"]


@pytest.mark.parametrize("error_in_body", [False, True])
def test_a_refusal_tells_its_name_its_status_and_its_body(
    client: AwsRestClient, rest: RestService, error_in_body: bool
) -> None:
    rest.error_in_body = error_in_body
    rest.faults = [(403, "AccessDeniedException")]

    with pytest.raises(AwsError) as refused:
        call(client)

    assert (refused.value.code, refused.value.status) == ("AccessDeniedException", 403)
    assert "message" in refused.value.body
    assert str(refused.value) == "AccessDeniedException"


@pytest.mark.parametrize("fault", ["hang up", "cut answer", "no json", (500, "Broken"), (429, "ThrottlingException")])
def test_what_was_sent_is_not_sent_again(client: AwsRestClient, rest: RestService, fault: object) -> None:
    rest.faults = [fault]  # type: ignore[list-item]

    with pytest.raises((*NO_ANSWER, AwsError)):
        call(client)

    assert len(rest.requests) == 1
    assert call(client) == [5.0]  # and the next call finds a connection that works


def test_silence_ends_with_the_time_that_was_given(client: AwsRestClient, rest: RestService) -> None:
    rest.faults = ["say nothing"]
    started = time.monotonic()

    with pytest.raises(TimeoutError):
        call(client, timeout_s=0.3)

    assert 0.3 <= time.monotonic() - started < 2.0


def test_an_answer_that_trickles_ends_with_the_time_that_was_given(rest: RestService) -> None:
    """Each of its bytes comes in time, and all of them would not."""
    relay = Relay(rest.server_port, pace_s=0.002)
    with patch.dict("os.environ", {OWN: f"http://127.0.0.1:{relay.port}"}):
        client = AwsRestClient(SERVICE, "eu-west-1")
    started = time.monotonic()

    with pytest.raises(TimeoutError):
        client.call("/", {"inputText": "a", "dimensions": 2_000}, started + 2.0)

    assert time.monotonic() - started < 4.0
    relay.close()


def test_where_nobody_listens_yet_the_request_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv(OWN, f"http://127.0.0.1:{port}")
    client = AwsRestClient(SERVICE, "eu-west-1")
    refused = threading.Event()
    connect = kept.connect

    def watched(host: str, port: int, deadline: float) -> object:
        try:
            return connect(host, port, deadline)
        except ConnectionRefusedError:
            refused.set()
            raise

    monkeypatch.setattr(kept, "connect", watched)
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(call(client, timeout_s=20.0)))
    thread.start()
    assert refused.wait(10)
    with serving(port):
        thread.join()

    assert answers == [[5.0]]


def test_where_nobody_ever_listens_the_time_that_was_given_is_not_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN, f"http://127.0.0.1:{free_port()}")
    started = time.monotonic()

    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        call(AwsRestClient(SERVICE, "eu-west-1"), timeout_s=0.5)

    assert time.monotonic() - started < 2.0


def test_a_connection_is_kept_and_used_again(client: AwsRestClient, rest: RestService) -> None:
    for _ in range(5):
        call(client)

    assert rest.connections == 1


def test_threads_have_a_connection_each_and_keep_them(client: AwsRestClient, rest: RestService) -> None:
    rest.gate.clear()
    threads = [threading.Thread(target=call, args=(client, "x" * size)) for size in range(4)]
    for thread in threads:
        thread.start()
    rest.await_requests(4)
    rest.gate.set()
    for thread in threads:
        thread.join()

    call(client)

    assert rest.connections == 4


def test_a_connection_that_the_service_closed_is_opened_again_and_nothing_is_sent_twice(rest: RestService) -> None:
    relay = Relay(rest.server_port)
    with patch.dict("os.environ", {OWN: f"http://127.0.0.1:{relay.port}"}):
        client = AwsRestClient(SERVICE, "eu-west-1")
    call(client)
    relay.cut()

    call(client)

    assert len(rest.requests) == relay.connections == 2
    relay.close()


def test_a_stranger_s_certificate_is_refused(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_tls(monkeypatch, authority, authority.path, "localhost", trusted=True)
    assert_tls(monkeypatch, authority, Authority(tmp_path, "stranger").path, "localhost", trusted=False)
    assert_tls(monkeypatch, authority, authority.path, "127.0.0.1", trusted=False)


def assert_tls(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, trusts: Path, host: str, *, trusted: bool
) -> None:
    aws_http._authorities.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusts))
    with serving(certificate=authority.issue("localhost")) as service:
        monkeypatch.setenv(OWN, f"https://{host}:{service.server_port}")
        client = AwsRestClient(SERVICE, "eu-west-1")
        if trusted:
            assert call(client) == [5.0]
        else:
            with pytest.raises(OSError, match="certificate verify failed"):
                call(client)
    aws_http._authorities.cache_clear()


def test_a_forgotten_client_leaves_no_connection_behind(client: AwsRestClient, rest: RestService) -> None:
    other = AwsRestClient(SERVICE, "eu-west-1")
    call(other)
    wire = other._kept[0][0].sock
    assert isinstance(other, AwsClient)

    del other

    assert wire.fileno() == -1
