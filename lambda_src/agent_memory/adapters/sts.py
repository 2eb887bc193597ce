"""STS over its own protocol: a form in, XML out, of which three values are read."""

import http.client
import re
import time
from http import HTTPStatus
from urllib.parse import urlencode

from agent_memory import logs
from agent_memory.adapters.aws_http import NO_ANSWER, Answer, AwsClient, pause
from agent_memory.adapters.sigv4 import Credentials
from agent_memory.errors import StoreUnavailable

SESSION_S = 3600
"""The longest that STS gives to a role that takes another one."""

_ATTEMPTS = 3
_ATTEMPT_S = 2.0
_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
_MAY_PASS = {"RequestLimitExceeded", "ServiceUnavailable", "Throttling", "ThrottlingException"}
# Credentials and the names of errors hold nothing that XML escapes.
_ELEMENT = re.compile(rb"<(AccessKeyId|SecretAccessKey|SessionToken|Code)>([^<>&\s]+)</\1>")


class TenantRole(AwsClient):
    """The role that a function takes for one tenant at a time, from the region's own STS."""

    def __init__(self, region: str, role_arn: str) -> None:
        super().__init__("sts", region)
        self._role_arn = role_arn

    def assume(self, tenant_id: str, deadline: float) -> Credentials:
        """Credentials that reach this tenant's records only, for an hour; asking twice does no harm.

        Raises:
            StoreUnavailable: none by `deadline`. Why is in the log: an answer never says it.
        """
        form = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": self._role_arn,
            "RoleSessionName": f"@{tenant_id}",  # two characters at least, and 64 at most
            "DurationSeconds": str(SESSION_S),
            "Tags.member.1.Key": "tenant_id",
            "Tags.member.1.Value": tenant_id,
        }
        why = "none in time"
        for attempt in range(_ATTEMPTS):
            if not pause(attempt, deadline):
                break
            try:
                until = min(deadline, time.monotonic() + _ATTEMPT_S)
                answer = self._post("/", _HEADERS, urlencode(form).encode(), until)
            except NO_ANSWER:
                self._close()
                continue
            if answer.status == HTTPStatus.OK:
                return Credentials(*(answer.body[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))
            why = answer.error or str(answer.status)
            if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and answer.error not in _MAY_PASS:
                break
        logs.line(level="ERROR", error="AssumeRole", reason=why)
        raise StoreUnavailable("no session could be had")

    def _answer(self, response: http.client.HTTPResponse, text: bytes) -> Answer:
        found = {name.decode(): value.decode() for name, value in _ELEMENT.findall(text)}
        if response.status == HTTPStatus.OK and len(found.keys() - {"Code"}) < 3:
            raise http.client.IncompleteRead(text)
        return Answer(response.status, found.pop("Code", ""), found)
