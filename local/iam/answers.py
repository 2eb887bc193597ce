"""Refusals, each in the words and the form of its service."""

import json
from xml.sax.saxutils import escape

from local.iam.evaluator import Decision, Request
from local.iam.judge import Ruling
from local.iam.message import Message

_JSON_400 = {"dynamodb", "secretsmanager", "ssm"}


def denied(message: Message, ruling: Ruling) -> bytes:
    """The service's AccessDenied."""
    asked, decision = _first_no(ruling)
    because = "with an explicit deny" if decision.by else "because no identity-based policy allows the action"
    on = f"{asked.action} on resource: {asked.resource}" if asked else "this action"
    said = f"User: {ruling.principal.arn} is not authorized to perform: {on} {because}"
    code = "AccessDenied" if ruling.service in {"s3", "sts"} else "AccessDeniedException"
    return refusal(message, ruling.service, code, "Access Denied" if ruling.service == "s3" else said)


def _first_no(ruling: Ruling) -> tuple[Request | None, Decision]:
    noes = ((asked, decision) for asked, decision in ruling.decisions if not decision.allowed)
    return next(noes, (None, Decision(allowed=False, by=())))


def refusal(message: Message, service: str, code: str, said: str) -> bytes:
    """An error of a service as it stands on the wire."""
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{escape(said)}</Message></Error>"
        return response(message, 403, "application/xml", body)
    if service == "sts":
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(said)}</Message></Error>"
        return response(message, 403, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>")
    status = 400 if service in _JSON_400 else 403
    body = json.dumps({"__type": code, "message": said})
    return response(message, status, "application/x-amz-json-1.0", body, f"x-amzn-ErrorType: {code}\r\n")


def response(message: Message, status: int, kind: str, text: str, more: str = "") -> bytes:
    """A whole answer; one to HEAD has no body."""
    body = text.encode()
    head = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Refused'}\r\nContent-Type: {kind}\r\n{more}"
    length = f"Content-Length: {len(body)}\r\n\r\n"
    return f"{head}{length}".encode() + (b"" if message.method == "HEAD" else body)
