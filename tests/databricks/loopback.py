"""A SQL warehouse on this machine: the Thrift calls of the connector, executed on the local engine; its workspace beside it.

It is strict: a wrong token, an unknown call, more than 255 markers or 1 MB of parameters are errors. It keeps what it was
sent, and can be told to fail.
"""

from __future__ import annotations

import ssl
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from databricks.sql.thrift_api.TCLIService import TCLIService
from databricks.sql.thrift_api.TCLIService import ttypes as t
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from tests.databricks import answers
from tests.databricks.answers import State
from tests.databricks.http import Reply, Request, Server
from tests.databricks.sign_in import TOKEN, SignIn
from tests.databricks.staging import Staging
from tests.databricks.workspace import Workspace
from workbench.lakehouse.engines.local import Connection, Error, connect, prepare

__all__ = ["PATH", "TOKEN", "Loopback", "Statement"]

PATH = "/sql/1.0/warehouses/loopback"
CALLS = frozenset(
    {
        "OpenSession",
        "CloseSession",
        "ExecuteStatement",
        "GetOperationStatus",
        "GetResultSetMetadata",
        "FetchResults",
        "CloseOperation",
        "CancelOperation",
    }
)
OK = t.TStatus(statusCode=t.TStatusCode.SUCCESS_STATUS)
# What happens to the request itself, before or after the call; every other failure is the call's own.
STATUSES = {"429": 429, "503": 503, "500": 500}
TRANSPORT = {*STATUSES, "sleep", "drop", "drop after"}
KEPT = 1000


@dataclass
class Session:
    """One client's connection to the local engine."""

    connection: Connection
    configuration: dict[str, str]
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Statement:
    """What arrived: the text, and each parameter as (type, value). `executed` says whether it was run."""

    sql: str
    parameters: list[tuple[str, str | None]]
    executed: bool = False


@dataclass
class Operation:
    """A statement on its way: it runs after `polls` questions about it, unless it was cancelled before."""

    session: Session
    statement: Statement
    given: Sequence[t.TSparkParameter]
    polls: int
    failure: str
    result: answers.Result | None = None
    cancelled: bool = False


class Loopback:
    """The server. `fail` says what happens to the next calls; `calls` and `statements` are what arrived, the last 1,000.

    `polls`: so many questions find each statement PENDING, as on a warehouse that starts. `direct_rows`: so many rows
    travel in one answer. `retry_after`: the header of a 429 or 503. `delay`: seconds that each statement takes longer.
    """

    def __init__(
        self,
        directory: Path,
        catalog: str = "mirion_vital",
        schema: str = "workbench",
        *,
        port: int = 0,
        certificate: ssl.SSLContext | None = None,
    ) -> None:
        self.directory, self.catalog, self.schema = directory, catalog, schema
        self.calls: list[str] = []
        self.statements: list[Statement] = []
        self.failures: defaultdict[str, deque[str]] = defaultdict(deque)
        self.sessions: dict[bytes, Session] = {}
        self.operations: dict[bytes, Operation] = {}
        self.awake = threading.Event()
        self.waiting = threading.Event()
        self.direct_rows = 5000
        self.polls = 0
        self.delay = 0.0
        self.retry_after = "0"
        with self.local() as connection:
            prepare(connection, f"`{catalog}`", f"`{schema}`")
            connection.cursor().execute("CREATE VOLUME IF NOT EXISTS staging")
        self.http = Server(port, certificate)
        self.http.routes[PATH] = self.thrift
        self.sign_in = SignIn(self.http)
        self.staging = Staging(directory, self.http)
        self.workspace = Workspace(directory, accepts=self.sign_in.accepts)
        self.http.routes["/api/"] = self.workspace.answer
        host = self.http.address.partition("://")[2]
        self.url = f"databricks://{host}{PATH}?catalog={catalog}&schema={schema}"

    def __enter__(self) -> Self:
        self.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.awake.set()
        self.http.__exit__()
        for session in self.sessions.values():
            session.connection.close()
        self.workspace.close()

    def local(self) -> Connection:
        """A connection to the lakehouse behind the server."""
        return connect(self.directory, catalog=self.catalog, schema=self.schema)

    def fail(self, *kinds: str, call: str = "ExecuteStatement") -> None:
        """Let the next calls fail: one of `TRANSPORT`, `expired`, or `[CLASS] a server's text`."""
        self.failures[call].extend(kinds)

    @property
    def executed(self) -> list[str]:
        """The statements that were run, not only sent."""
        return [statement.sql for statement in self.statements if statement.executed]

    def thrift(self, request: Request) -> Reply | None:
        """One call in, one answer out."""
        if not self.sign_in.accepts(request):
            return Reply(403, headers={"x-databricks-reason-phrase": "Invalid access token"})
        name = TBinaryProtocol(TMemoryBuffer(request.body)).readMessageBegin()[0]
        self.calls.append(name)
        del self.calls[:-KEPT]
        if name not in CALLS:
            return Reply(400, headers={"x-databricks-reason-phrase": f"Unknown call {name}"})
        queue = self.failures[name]
        kind = queue.popleft() if queue and queue[0] in TRANSPORT else ""
        if kind in STATUSES:
            return Reply(STATUSES[kind], headers={} if kind == "500" else {"Retry-After": self.retry_after})
        if kind == "sleep":
            self.waiting.set()
            self.awake.wait(5)
        if kind == "drop":
            return None
        out = TMemoryBuffer()
        TCLIService.Processor(self).process(TBinaryProtocol(TMemoryBuffer(request.body)), TBinaryProtocol(out))
        return None if kind == "drop after" else Reply(200, out.getvalue(), {"Content-Type": "application/x-thrift"})

    # The calls.

    def OpenSession(self, req: t.TOpenSessionReq) -> t.TOpenSessionResp:  # noqa: N802 - the protocol's name
        if (req.configuration or {}).get("TIMEZONE") != "UTC":
            return t.TOpenSessionResp(status=_error("[INVALID_CONF] The session's TIMEZONE must be UTC."))
        space = req.initialNamespace
        handle = t.THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)
        connection = connect(self.directory, catalog=space.catalogName, schema=space.schemaName)
        self.sessions[handle.guid] = Session(connection, dict(req.configuration))
        version = t.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8
        return t.TOpenSessionResp(
            status=OK,
            serverProtocolVersion=version,
            sessionHandle=t.TSessionHandle(sessionId=handle, serverProtocolVersion=version),
            initialNamespace=space,
            canUseMultipleCatalogs=True,
        )

    def CloseSession(self, req: t.TCloseSessionReq) -> t.TCloseSessionResp:  # noqa: N802
        session = self.sessions.pop(req.sessionHandle.sessionId.guid, None)
        if session is None:
            return t.TCloseSessionResp(status=_invalid())
        session.connection.close()
        return t.TCloseSessionResp(status=OK)

    def ExecuteStatement(self, req: t.TExecuteStatementReq) -> t.TExecuteStatementResp:  # noqa: N802
        session = self.sessions.get(req.sessionHandle.sessionId.guid)
        failure = self.failures["ExecuteStatement"].popleft() if self.failures["ExecuteStatement"] else ""
        if session is None or failure == "expired":
            return t.TExecuteStatementResp(status=_invalid())
        given = req.parameters or []
        statement = Statement(req.statement, [(p.type, p.value and p.value.stringValue) for p in given])
        self.statements.append(statement)
        # A server in the foreground stays up for days.
        del self.statements[:-KEPT]
        self.awake.wait(self.delay)
        guid = uuid.uuid4().bytes
        handle = t.TOperationHandle(
            operationId=t.THandleIdentifier(guid=guid, secret=b"0" * 16),
            operationType=t.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        operation = self.operations[guid] = Operation(session, statement, given, self.polls, failure)
        status = self._advance(operation)
        direct = t.TSparkDirectResults(operationStatus=status)
        if operation.result:
            direct = operation.result.direct(self.direct_rows)
        if direct.closeOperation or status.operationState == State.ERROR_STATE:
            del self.operations[guid]
        return t.TExecuteStatementResp(status=OK, operationHandle=handle, directResults=direct)

    def _advance(self, operation: Operation) -> t.TGetOperationStatusResp:
        """The operation's state, after it was run if its time has come."""
        if operation.cancelled:
            return answers.in_state(State.CANCELED_STATE)
        if operation.polls > 0:
            return answers.in_state(State.PENDING_STATE)
        try:
            operation.result = operation.result or self._run(operation)
        except (Error, answers.RefusedError) as error:
            return answers.failed(error)
        return operation.result.status()

    def _run(self, operation: Operation) -> answers.Result:
        if operation.failure:
            raise answers.RefusedError(operation.failure)
        sql = operation.statement.sql
        with operation.session.lock:
            operation.statement.executed = True
            return self.staging.run(sql, len(operation.given)) or answers.run(
                operation.session.connection, sql, operation.given
            )

    def _result(self, handle: t.TOperationHandle) -> answers.Result:
        found = self.operations[handle.operationId.guid].result
        assert found is not None, "the statement has not finished"
        return found

    def GetOperationStatus(self, req: t.TGetOperationStatusReq) -> t.TGetOperationStatusResp:  # noqa: N802
        operation = self.operations[req.operationHandle.operationId.guid]
        self.waiting.set()
        operation.polls -= 1
        return self._advance(operation)

    def GetResultSetMetadata(self, req: t.TGetResultSetMetadataReq) -> t.TGetResultSetMetadataResp:  # noqa: N802
        if self.operations[req.operationHandle.operationId.guid].cancelled:
            return t.TGetResultSetMetadataResp(status=_error("[OPERATION_CANCELED] It was cancelled SQLSTATE: HY008"))
        return self._result(req.operationHandle).metadata()

    def FetchResults(self, req: t.TFetchResultsReq) -> t.TFetchResultsResp:  # noqa: N802
        return self._result(req.operationHandle).fetch(min(req.maxRows, self.direct_rows))

    def CloseOperation(self, req: t.TCloseOperationReq) -> t.TCloseOperationResp:  # noqa: N802
        self.operations.pop(req.operationHandle.operationId.guid, None)
        return t.TCloseOperationResp(status=OK)

    def CancelOperation(self, req: t.TCancelOperationReq) -> t.TCancelOperationResp:  # noqa: N802
        operation = self.operations.get(req.operationHandle.operationId.guid)
        if operation is None:
            return t.TCancelOperationResp(status=_invalid())
        operation.cancelled = True
        return t.TCancelOperationResp(status=OK)


def _error(text: str) -> t.TStatus:
    return t.TStatus(statusCode=t.TStatusCode.ERROR_STATUS, errorMessage=text)


def _invalid() -> t.TStatus:
    text = "Invalid SessionHandle: SessionHandle [unknown]"
    return t.TStatus(statusCode=t.TStatusCode.INVALID_HANDLE_STATUS, errorMessage=text)
