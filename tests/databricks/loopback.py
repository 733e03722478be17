"""A SQL warehouse on this machine: the Thrift calls of the connector, executed on the local engine; its workspace beside it.

It is strict: a wrong token, an unknown call, more than 255 markers or 1 MB of parameters are errors. It keeps what it was
sent, and can be told to fail.
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from databricks.sql.thrift_api.TCLIService import TCLIService
from databricks.sql.thrift_api.TCLIService import ttypes as t
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from tests.databricks import answers
from tests.databricks.workspace import TOKEN, Workspace
from workbench.lakehouse.engines import embedded
from workbench.lakehouse.engines.local import Connection, Error, connect

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


@dataclass
class Session:
    """One client's connection to the local engine."""

    connection: Connection
    configuration: dict[str, str]
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Statement:
    """What arrived: the text, and each parameter as (type, value)."""

    sql: str
    parameters: list[tuple[str, str | None]]


class Loopback:
    """The server. `fail` says what happens to the next statements; `calls` and `statements` are what arrived."""

    def __init__(self, directory: Path, catalog: str = "mirion_vital", schema: str = "workbench") -> None:
        self.directory, self.catalog, self.schema = directory, catalog, schema
        self.calls: list[str] = []
        self.statements: list[Statement] = []
        self.failures: deque[str] = deque()
        self.sessions: dict[bytes, Session] = {}
        self.results: dict[bytes, answers.Result] = {}
        self.awake = threading.Event()
        self.direct_rows = 5000
        self.polls = 0
        with self.local() as connection:
            embedded.prepare(connection, f"`{catalog}`", f"`{schema}`")
        self.workspace = Workspace(directory)
        self.http = _Server(("127.0.0.1", 0), _Handler)
        self.http.warehouse = self
        self.port = int(self.http.server_address[1])
        self.url = f"databricks://127.0.0.1:{self.port}{PATH}?catalog={catalog}&schema={schema}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.awake.set()
        self.http.shutdown()
        self.http.server_close()
        for session in self.sessions.values():
            session.connection.close()
        self.workspace.close()

    def local(self) -> Connection:
        """A connection to the lakehouse behind the server."""
        return connect(self.directory, catalog=self.catalog, schema=self.schema)

    def fail(self, *kinds: str) -> None:
        """Let the next statements fail: `503`, `sleep`, `drop`, `drop after`, `expired`, or `[CLASS] a server's text`."""
        self.failures.extend(kinds)

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
        given = req.parameters or []
        failure = self.failures.popleft() if self.failures else ""
        if session is None or failure == "expired":
            return t.TExecuteStatementResp(status=_invalid())
        self.statements.append(Statement(req.statement, [(p.type, p.value and p.value.stringValue) for p in given]))
        handle = t.TOperationHandle(
            operationId=t.THandleIdentifier(guid=uuid.uuid4().bytes, secret=b"0" * 16),
            operationType=t.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        try:
            if failure:
                raise answers.RefusedError(failure)
            with session.lock:
                result = answers.run(session.connection, req.statement, given)
        except (Error, answers.RefusedError) as error:
            return t.TExecuteStatementResp(
                status=OK,
                operationHandle=handle,
                directResults=t.TSparkDirectResults(operationStatus=answers.failed(error)),
            )
        if self.polls or result.table.num_rows > self.direct_rows:
            result.polls = self.polls
            self.results[handle.operationId.guid] = result
        return t.TExecuteStatementResp(
            status=OK, operationHandle=handle, directResults=result.direct(self.direct_rows, waits=bool(self.polls))
        )

    def _result(self, handle: t.TOperationHandle) -> answers.Result:
        return self.results[handle.operationId.guid]

    def GetOperationStatus(self, req: t.TGetOperationStatusReq) -> t.TGetOperationStatusResp:  # noqa: N802
        result = self._result(req.operationHandle)
        result.polls -= 1
        return result.status()

    def GetResultSetMetadata(self, req: t.TGetResultSetMetadataReq) -> t.TGetResultSetMetadataResp:  # noqa: N802
        return self._result(req.operationHandle).metadata()

    def FetchResults(self, req: t.TFetchResultsReq) -> t.TFetchResultsResp:  # noqa: N802
        return self._result(req.operationHandle).fetch(min(req.maxRows, self.direct_rows))

    def CloseOperation(self, req: t.TCloseOperationReq) -> t.TCloseOperationResp:  # noqa: N802
        self.results.pop(req.operationHandle.operationId.guid, None)
        return t.TCloseOperationResp(status=OK)

    def CancelOperation(self, req: t.TCancelOperationReq) -> t.TCancelOperationResp:  # noqa: N802
        return t.TCancelOperationResp(status=OK)


def _error(text: str) -> t.TStatus:
    return t.TStatus(statusCode=t.TStatusCode.ERROR_STATUS, errorMessage=text)


def _invalid() -> t.TStatus:
    text = "Invalid SessionHandle: SessionHandle [unknown]"
    return t.TStatus(statusCode=t.TStatusCode.INVALID_HANDLE_STATUS, errorMessage=text)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    warehouse: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        # Without this an answer waits 40 ms for the client's acknowledgement.
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        super().setup()

    def _workspace(self) -> None:
        self.server.warehouse.workspace.serve(self)

    do_HEAD = do_PUT = do_PATCH = do_DELETE = _workspace  # noqa: N815 - the base class's names

    def do_GET(self) -> None:
        """What databricks-sdk asks before it signs in, and the workspace."""
        if self.path.startswith("/api/"):
            return self._workspace()
        found = self.path == "/.well-known/databricks-config"
        body = {"oidc_endpoint": f"http://127.0.0.1:{self.server.warehouse.port}/oidc"} if found else {}
        return self._answer(200 if found else 404, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def do_POST(self) -> None:
        if self.path.startswith("/api/"):
            return self._workspace()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        warehouse = self.server.warehouse
        if self.path != PATH or self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._answer(403, b"", {"x-databricks-reason-phrase": "Invalid access token"})
        name = TBinaryProtocol(TMemoryBuffer(body)).readMessageBegin()[0]
        warehouse.calls.append(name)
        if name not in CALLS:
            return self._answer(400, b"", {"x-databricks-reason-phrase": f"Unknown call {name}"})
        kind = warehouse.failures[0] if name == "ExecuteStatement" and warehouse.failures else ""
        if kind in ("503", "sleep", "drop", "drop after"):
            warehouse.failures.popleft()
        if kind == "sleep":
            warehouse.awake.wait(5)
        if kind == "503":
            return self._answer(503, b"", {"Retry-After": "1"})
        if kind == "drop":
            return self._hang_up()
        out = TMemoryBuffer()
        TCLIService.Processor(warehouse).process(TBinaryProtocol(TMemoryBuffer(body)), TBinaryProtocol(out))
        if kind == "drop after":
            return self._hang_up()
        return self._answer(200, out.getvalue(), {"Content-Type": "application/x-thrift"})

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
