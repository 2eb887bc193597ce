"""The database over the RDS Data API: stateless HTTPS, one statement a call, no connection to keep."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.domain.database import Row, Scalar, StatementRefused
from agent_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from types_boto3_rds_data.client import RDSDataServiceClient
    from types_boto3_rds_data.type_defs import ExecuteStatementRequestTypeDef, SqlParameterTypeDef

_RESUME_S = 10  # Aurora takes about 15 s to resume, and a caller has waited for some of them
_SQLSTATE = re.compile(r"SQLState: (\w{5})")
# Connection lost, out of resources, shutting down, deadlock or lock time-out: another try may well succeed.
_TRANSIENT = re.compile(r"08...|53...|57P0.|40001|40P01|55P03")
_LOGIN_REFUSED = {"28P01", "28000"}
_UNAVAILABLE = {
    "InvalidResourceStateException",  # the cluster is being changed
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionNotFoundException",  # rolled back by the service; the whole of it can be done again
}


class DataApi:
    """One database of one cluster, as the login that a secret holds."""

    def __init__(self, client: "RDSDataServiceClient", cluster_arn: str, secret_arn: str, database: str) -> None:
        self._client = client
        self._cluster_arn = cluster_arn
        self._secret_arn = secret_arn
        self._database = database

    def call(self, function: str, arguments: Mapping[str, Scalar]) -> list[Row]:
        """Rows of `memory.<function>`, called with named arguments."""
        named = ", ".join(f"{name} => :{name}" for name in arguments)
        return self.execute(f"SELECT * FROM memory.{function}({named})", arguments)  # noqa: S608 (names are ours)

    def execute(self, sql: str, parameters: Mapping[str, Scalar], transaction_id: str | None = None) -> list[Row]:
        """Run one statement, in a transaction of its own unless one is named."""
        request: ExecuteStatementRequestTypeDef = {
            "resourceArn": self._cluster_arn,
            "secretArn": self._secret_arn,
            "database": self._database,
            "sql": sql,
            "parameters": [_parameter(name, value) for name, value in parameters.items()],
            "includeResultMetadata": True,
        }
        if transaction_id:
            request["transactionId"] = transaction_id
        with _translated():
            answer = self._client.execute_statement(**request)
        names = [column["label"] for column in answer.get("columnMetadata", [])]
        return [dict(zip(names, map(_value, record), strict=True)) for record in answer.get("records", [])]

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
    def transaction(self) -> Iterator[str]:
        """The id of a transaction that commits at the end of the block, or rolls back when the block raises."""
        with _translated():
            begun = self._client.begin_transaction(
                resourceArn=self._cluster_arn, secretArn=self._secret_arn, database=self._database
            )["transactionId"]
        try:
            yield begun
        except BaseException:
            self._roll_back(begun)
            raise
        with _translated():
            self._client.commit_transaction(
                resourceArn=self._cluster_arn, secretArn=self._secret_arn, transactionId=begun
            )

    def _roll_back(self, transaction_id: str) -> None:
        """Free its locks now; if that fails the service does so after three minutes. The first error matters more."""
        try:
            self._client.rollback_transaction(
                resourceArn=self._cluster_arn, secretArn=self._secret_arn, transactionId=transaction_id
            )
        except (BotoCoreError, ClientError):
            return


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the service's errors into ours, cut off from their cause: its words may quote data or secrets."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error.response) from None
    except BotoCoreError:
        raise StoreUnavailable("the database service did not answer") from None


def _meaning(response: Mapping[str, Any]) -> StoreUnavailable | StatementRefused:
    code, message = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    if code == "DatabaseResumingException":
        return StoreUnavailable("the database is resuming from its pause", retry_after_s=_RESUME_S)
    if code in _UNAVAILABLE or response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return StoreUnavailable("the database service did not do its work")
    sqlstate = _SQLSTATE.search(message)
    if sqlstate and _TRANSIENT.fullmatch(sqlstate[1]):
        return StoreUnavailable("the database is busy")
    return StatementRefused(sqlstate[1] if sqlstate else code)


def _parameter(name: str, value: Scalar) -> "SqlParameterTypeDef":
    match value:
        case None:
            return {"name": name, "value": {"isNull": True}}
        case bool():
            return {"name": name, "value": {"booleanValue": value}}
        case int():
            return {"name": name, "value": {"longValue": value}}
        case float():
            return {"name": name, "value": {"doubleValue": value}}
        case _:
            return {"name": name, "value": {"stringValue": value}}


def _value(field: Mapping[str, Any]) -> Scalar:
    """A field holds exactly one entry, named for its type."""
    ((kind, value),) = field.items()
    return None if kind == "isNull" else value
