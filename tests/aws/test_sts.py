"""The role that is taken for a tenant: what goes over the wire, what comes back, and what is tried again."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.adapters import aws_http
from agent_memory.adapters.sigv4 import Credentials, signed_headers
from agent_memory.adapters.sts import TenantRole
from agent_memory.errors import StoreUnavailable
from tests.fix_aws import REGION, Aws

ROLE = "arn:aws:iam::123456789012:role/memory-working-tenant"
SECRET_WORDS = "secret words of the service"
GIVEN = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>AROA:@acme</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/@acme</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
      <SecretAccessKey>wJalr/XUtnFEMI+K7MDENG=</SecretAccessKey>
      <SessionToken>FwoGZXIvYXdzE//Token+==</SessionToken>
      <Expiration>2026-11-25T13:00:00Z</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>
</AssumeRoleResponse>"""
THROTTLED = (400, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>")
DENIED = (
    403,
    f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{SECRET_WORDS}</Message></Error></ErrorResponse>",
)
BROKEN = (500, "<html>")
EMPTY = (200, "<AssumeRoleResponse/>")
Reply = tuple[int, str]


class StsService(ThreadingHTTPServer):
    """Answers as planned, then with credentials."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.planned: list[Reply] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.delay_s = 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StsService

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        time.sleep(self.server.delay_s)
        status, text = self.server.planned.pop(0) if self.server.planned else (200, GIVEN)
        self.send_response(status)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[StsService]:
    monkeypatch.setattr(aws_http, "_BACKOFF_S", 0.0)
    made = StsService()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{made.server_port}")
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def role(service: StsService) -> Iterator[TenantRole]:
    made = TenantRole("eu-west-1", ROLE)
    yield made
    made._close()


def soon() -> float:
    return time.monotonic() + 5


def test_a_session_is_asked_for_with_the_tenant_as_its_tag(role: TenantRole, service: StsService) -> None:
    given_back = role.assume("acme", soon())

    ((headers, body),) = service.requests
    assert dict(parse_qsl(body.decode(), strict_parsing=True)) == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "@acme",
        "DurationSeconds": "3600",
        "Tags.member.1.Key": "tenant_id",
        "Tags.member.1.Value": "acme",
    }
    assert "/eu-west-1/sts/aws4_request" in headers["authorization"]
    assert "Credential=test/" in headers["authorization"]
    assert given_back == Credentials("ASIAEXAMPLE", "wJalr/XUtnFEMI+K7MDENG=", "FwoGZXIvYXdzE//Token+==")


@given(st.binary(max_size=200), st.none() | st.text("abc/+=", min_size=1, max_size=40))
def test_a_form_is_signed_as_botocore_signs_it(body: bytes, token: str | None) -> None:
    headers = {
        "host": "sts.eu-west-1.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    }
    ours = signed_headers(
        Credentials("AKID", "secret", token), service="sts", region="eu-west-1", headers=headers, body=body
    )
    theirs = AWSRequest("POST", "https://sts.eu-west-1.amazonaws.com/", headers=headers, data=body)
    theirs.context["timestamp"] = ours["x-amz-date"]
    signer = SigV4Auth(BotoCredentials("AKID", "secret", token), "sts", "eu-west-1")
    theirs.headers["X-Amz-Date"] = ours["x-amz-date"]
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    signature = signer.signature(signer.string_to_sign(theirs, signer.canonical_request(theirs)), theirs)

    assert ours["authorization"].endswith(f"Signature={signature}")


def test_the_regions_own_sts_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS", raising=False)

    assert TenantRole("eu-west-1", ROLE)._url.geturl() == "https://sts.eu-west-1.amazonaws.com"
    assert TenantRole("cn-north-1", ROLE)._url.geturl() == "https://sts.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("fault", [THROTTLED, BROKEN, EMPTY, (503, "")])
def test_what_may_pass_is_tried_again(role: TenantRole, service: StsService, fault: Reply) -> None:
    service.planned = [fault, fault]

    assert role.assume("acme", soon()).access_key_id == "ASIAEXAMPLE"
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    ("fault", "calls", "reason"), [(DENIED, 1, "AccessDenied"), (BROKEN, 3, "500"), (THROTTLED, 3, "Throttling")]
)
def test_a_refusal_is_an_outage_whose_reason_is_in_the_log_only(
    role: TenantRole, service: StsService, capsys: pytest.CaptureFixture[str], fault: Reply, calls: int, reason: str
) -> None:
    service.planned = [fault] * 3

    with pytest.raises(StoreUnavailable) as refused:
        role.assume("acme", soon())

    said = capsys.readouterr().out
    assert len(service.requests) == calls
    assert (refused.value.message, refused.value.retry_after_s) == ("no session could be had", 1)
    assert json.loads(said) == {"level": "ERROR", "error": "AssumeRole", "reason": reason}
    assert SECRET_WORDS not in said


def test_a_silent_service_costs_no_more_than_the_deadline(role: TenantRole, service: StsService) -> None:
    service.delay_s = 1.0
    started = time.monotonic()

    with pytest.raises(StoreUnavailable):
        role.assume("acme", started + 0.2)

    assert time.monotonic() - started < 0.9


def test_nobody_there_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_http, "_BACKOFF_S", 0.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")

    with pytest.raises(StoreUnavailable):
        TenantRole("eu-west-1", ROLE).assume("acme", soon())


def test_another_implementation_of_sts_understands_it(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)

    session = TenantRole(REGION, ROLE).assume("acme", soon())

    who = boto3.client(
        "sts",
        region_name=REGION,
        endpoint_url=aws.endpoint,
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    ).get_caller_identity()
    assert who["Arn"] == "arn:aws:sts::123456789012:assumed-role/memory-working-tenant/@acme"
