"""The HTTP server: routes, request checks, response limit, and the switch that pauses the cluster."""

import json
from http.server import ThreadingHTTPServer

from local.json_service import Body, JsonHandler, ServiceError
from local.rds_data.errors import bad_request
from local.rds_data.sessions import Sessions, execute
from local.rds_data.statement import numbered
from local.rds_data.values import metadata, parameter, records

_REQUEST_LIMIT, _RESPONSE_LIMIT, _STATEMENT_LIMIT = 4 << 20, 1 << 20, 65_536


class RdsDataServer(ThreadingHTTPServer):
    """Serves the Data API on loopback; while `paused` is set, every call finds the cluster resuming."""

    daemon_threads = True

    def __init__(self, port: int, sessions: Sessions) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.paused = False
        self._sessions = sessions
        self._operations = {
            "/Execute": self._execute,
            "/BatchExecute": self._batch_execute,
            "/BeginTransaction": self._begin,
            "/CommitTransaction": self._commit,
            "/RollbackTransaction": self._roll_back,
        }

    def answer(self, path: str, body: Body) -> Body:
        """What the service says to one request."""
        if path == "/_local/paused":  # not the service's: how a test lets the cluster fall asleep
            self.paused = bool(body["paused"])
            return {}
        operation = self._operations.get(path)
        if operation is None:
            raise ServiceError("UnknownOperationException", path, 404)
        for name in ("resourceArn", "secretArn"):
            if not body.get(name):
                raise bad_request(f"{name} is missing")
        if self.paused:
            raise ServiceError("DatabaseResumingException", "The database is resuming after being auto-paused.")
        return operation(body)

    def _execute(self, body: Body) -> Body:
        given = {one["name"]: one for one in body.get("parameters", [])}
        sql, names = numbered(_statement(body), given)
        with self._sessions.connection(body["secretArn"], _database(body), body.get("transactionId")) as connection:
            result = execute(connection, sql, [parameter(given[name]) for name in names])
        if not result.nfields:
            return {"numberOfRecordsUpdated": result.command_tuples or 0, "generatedFields": []}
        answer: Body = {"numberOfRecordsUpdated": 0, "records": records(result)}
        if body.get("includeResultMetadata"):
            answer["columnMetadata"] = metadata(result)
        return answer

    def _batch_execute(self, body: Body) -> Body:
        statement, sets = _statement(body), body.get("parameterSets") or [[]]
        with self._sessions.connection(body["secretArn"], _database(body), body.get("transactionId")) as connection:
            for one_set in sets:
                given = {one["name"]: one for one in one_set}
                sql, names = numbered(statement, given)
                execute(connection, sql, [parameter(given[name]) for name in names])
        return {"updateResults": [{"generatedFields": []} for _ in sets]}

    def _begin(self, body: Body) -> Body:
        return {"transactionId": self._sessions.begin(body["secretArn"], _database(body))}

    def _commit(self, body: Body) -> Body:
        self._sessions.end(body.get("transactionId", ""), "COMMIT")
        return {"transactionStatus": "Transaction Committed"}

    def _roll_back(self, body: Body) -> Body:
        self._sessions.end(body.get("transactionId", ""), "ROLLBACK")
        return {"transactionStatus": "Rollback Complete"}


class _Handler(JsonHandler):
    server: RdsDataServer

    def post(self, raw: bytes) -> bytes:
        """Every operation is a POST of JSON."""
        if len(raw) > _REQUEST_LIMIT:
            raise bad_request("Request exceeds 4 MiB")
        payload = json.dumps(self.server.answer(self.path, json.loads(raw or b"{}")), ensure_ascii=False).encode()
        if len(payload) > _RESPONSE_LIMIT:
            raise bad_request("Database returned more than the allowed response size limit")
        return payload


def _statement(body: Body) -> str:
    sql = str(body.get("sql", ""))
    if not sql.strip() or len(sql) > _STATEMENT_LIMIT:
        raise bad_request("sql must have 1 to 65536 characters")
    return sql


def _database(body: Body) -> str:
    return str(body.get("database") or "")
