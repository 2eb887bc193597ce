"""The database over the RDS Data API: stateless HTTPS, one statement a call, no connection to keep."""

import base64
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from agent_memory.adapters.aws_http import NO_ANSWER, AwsError
from agent_memory.adapters.aws_rest import AwsRestClient
from agent_memory.adapters.sqlstate import refusal
from agent_memory.domain.database import Call, Row, Scalar, StatementRefused
from agent_memory.errors import StoreUnavailable

_RESUME_S = 10  # Aurora takes about 15 s to resume, and a caller has waited for some of them
_STATEMENT_S = 60.0  # the service ends a statement after 45 s
_ROLLBACK_S = 0.3  # of a call's time is kept to free its locks
_SQLSTATE = re.compile(r"SQLState: (\w{5})")
_LOGIN_REFUSED = {"28P01", "28000"}
_UNAVAILABLE = {
    "InvalidResourceStateException",  # the cluster is being changed
    "StatementTimeoutException",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionNotFoundException",  # rolled back by the service; the whole of it can be done again
}


def make_client(region: str) -> AwsRestClient:
    """Make the client; it connects at its first call."""
    return AwsRestClient("rds-data", region)


class DataApi:
    """One database of one cluster, as the login that a secret holds. Every statement is sent once."""

    # The service takes 4 MiB and gives 1 MiB, of JSON: bytes travel as base64, a third longer.
    max_request_bytes = 3_000_000
    max_answer_bytes = 700_000

    def __init__(self, client: AwsRestClient, cluster_arn: str, secret_arn: str, database: str) -> None:
        self._client = client
        self._target = {"resourceArn": cluster_arn, "secretArn": secret_arn}
        self._database = {"database": database}

    def call(self, function: str, arguments: Mapping[str, Scalar], timeout_s: float = 2.0) -> list[Row]:
        """Rows of `memory.<function>`, called with named arguments."""
        return self.call_all([Call(function, arguments)], timeout_s)[0]

    def call_all(self, calls: Sequence[Call], timeout_s: float = 2.0) -> list[list[Row]]:
        """Rows of each call, in order: all of them happen, or none."""
        deadline = time.monotonic() + timeout_s
        if len(calls) == 1:
            return [self.execute(_sql(calls[0]), calls[0].arguments, deadline=deadline)]
        deadline -= _ROLLBACK_S
        with self.transaction(deadline) as begun:
            return [self.execute(_sql(call), call.arguments, begun, deadline) for call in calls]

    def execute(
        self,
        sql: str,
        parameters: Mapping[str, Scalar],
        transaction_id: str | None = None,
        deadline: float | None = None,
        *,
        outlasts_the_call: bool = False,
    ) -> list[Row]:
        """Run one statement, in a transaction of its own unless one is named.

        The service ends a call after 45 s, and with it the statement unless that may outlast the call.
        """
        request = {
            **self._database,
            "sql": sql,
            "parameters": [{"name": name, "value": _field(value)} for name, value in parameters.items()],
            "includeResultMetadata": True,
        }
        if transaction_id:
            request["transactionId"] = transaction_id
        if outlasts_the_call:
            request["continueAfterTimeout"] = True
        answer = self._send("/Execute", request, deadline)
        names = [column["label"] for column in answer.get("columnMetadata") or ()]
        return [dict(zip(names, map(_value, record), strict=True)) for record in answer.get("records") or ()]

    def accepts_login(self) -> bool:
        """Whether the secret's login still opens the database; False when its password or its role is refused."""
        try:
            self.execute("SELECT true AS open", {})
        except StatementRefused as error:
            if error.code in _LOGIN_REFUSED:
                return False
            raise
        return True

    @contextmanager
    def transaction(self, deadline: float | None = None) -> Iterator[str]:
        """The id of a transaction that commits at the end of the block, or rolls back when the block raises."""
        begun = self._send("/BeginTransaction", self._database, deadline)["transactionId"]
        try:
            yield begun
        except BaseException:
            # Free its locks now; if that fails the service does so after three minutes. The first error matters more.
            with suppress(StoreUnavailable, StatementRefused):
                self._send("/RollbackTransaction", {"transactionId": begun}, deadline and deadline + _ROLLBACK_S)
            raise
        self._send("/CommitTransaction", {"transactionId": begun}, deadline)

    def _send(self, path: str, request: Mapping[str, Any], deadline: float | None) -> dict[str, Any]:
        """Errors are cut off from their cause: the service's words may quote data or secrets."""
        if deadline is None:
            deadline = time.monotonic() + _STATEMENT_S
        try:
            return self._client.call(path, {**self._target, **request}, deadline)
        except AwsError as error:
            raise _meaning(error) from None
        except NO_ANSWER:
            raise StoreUnavailable("the database service did not answer") from None


def _sql(call: Call) -> str:
    named = ", ".join(f"{name} => :{name}" for name in call.arguments)
    return f"SELECT * FROM memory.{call.function}({named})"  # noqa: S608 (names are ours)


def _meaning(error: AwsError) -> StoreUnavailable | StatementRefused:
    if error.code == "DatabaseResumingException":
        return StoreUnavailable("the database is resuming from its pause", retry_after_s=_RESUME_S)
    if error.code in _UNAVAILABLE or error.status >= 500:
        return StoreUnavailable("the database service did not do its work")
    sqlstate = _SQLSTATE.search(str(error.body.get("message") or error.body.get("Message")))
    return refusal(sqlstate[1] if sqlstate else error.code)


def _field(value: Scalar) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case float():
            return {"doubleValue": value}
        case bytes():
            return {"blobValue": base64.b64encode(value).decode()}
        case _:
            return {"stringValue": value}


def _value(field: Mapping[str, Any]) -> Scalar:
    """A field holds exactly one entry, named for its type."""
    ((kind, value),) = field.items()
    match kind:
        case "isNull":
            return None
        case "blobValue":
            return base64.b64decode(value)
    return value  # type: ignore[no-any-return]
