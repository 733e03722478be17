"""A session on a SQL warehouse, with time-outs of seconds, that comes back after it was lost."""

from __future__ import annotations

import contextlib
import io
import random
import re
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, BinaryIO

import urllib3.exceptions
from databricks.sql import client, exc

from workbench import workspace

from ..pep249 import DatabaseError, InterfaceError, OperationalError
from .cursor import Cursor
from .errors import ConflictError, ConnectionLostError, from_server
from .patience import FAILURES, MOST_SECONDS, RETRIES, watched

ATTEMPTS = 5
# Statements that change nothing and may run twice. WITH is none of them: it may begin an INSERT.
READ = re.compile(r"[\s(]*(SELECT|VALUES|SHOW|DESC|DESCRIBE|EXPLAIN)\b", re.IGNORECASE)

SESSION = {"TIMEZONE": "UTC", "ANSI_MODE": "TRUE", "STATEMENT_TIMEOUT": "55"}


class _Session(client.Connection):
    """The connector's connection. One that failed to open has no session, and its `__del__` stumbles over that."""

    session: Any = SimpleNamespace(is_open=False, use_kernel=False, useragent_header="")


class Connection:
    """Runs statements for one thread at a time; each is one POST and, when it writes, one commit."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        path: str,
        catalog: str,
        schema: str,
        volume: str,
        connector: dict[str, Any] | None = None,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        self.volume, self.most_seconds = volume, most_seconds
        url = workspace.address(host, port)
        self._arguments: dict[str, Any] = {
            "server_hostname": host,
            "http_path": path,
            "catalog": catalog,
            "schema": schema,
            "credentials_provider": lambda: workspace.sign_in(url).authenticate,
            "session_configuration": SESSION,
            "user_agent_entry": "training-dataset-workbench",
            "enable_telemetry": False,
            "use_cloud_fetch": False,
            "_disable_pandas": True,
            "_port": port,
            **RETRIES,
            **({"_connection_uri": f"{url}{path}"} if url.startswith("http:") else {}),
            **(connector or {}),
        }
        self._raw: Any = None
        self._idle: list[Any] = []
        self._closed = False
        self._open()

    def _open(self) -> None:
        try:
            self._raw = _Session(**self._arguments)
        except FAILURES as error:
            raise _wrapped(error) from error
        except ValueError as error:
            raise OperationalError(f"The sign-in to Databricks is not configured: {error}") from error
        policy = getattr(self._raw.session.backend, "retry_policy", None)
        if policy is None:
            self._drop()
            raise OperationalError(
                "The warehouse refuses the Thrift protocol, and over another one a write could be sent twice: use a "
                "serverless, pro or classic SQL warehouse."
            )
        # urllib3 would send a POST again whose answer was lost, and a write would happen twice.
        policy.read = False

    def cursor(self) -> Cursor:
        if self._closed:
            raise InterfaceError("The connection is closed; open another one.")
        return Cursor(self)

    def put(self, path: str, content: bytes) -> None:
        """Write a file of a volume."""
        self.release(self._run(f"PUT '__input_stream__' INTO '{path}'", (), io.BytesIO(content)))

    def remove(self, path: str) -> None:
        """Remove a file of a volume."""
        self.release(self._run(f"REMOVE '{path}'", ()))

    def run(self, statement: str, parameters: Sequence[Any]) -> Any:
        """Return the connector's cursor after the statement. Pass it to `release` when its rows are read.

        A commit conflict wrote nothing and is tried again, five times in all. A lost session is opened again, for
        this statement if it only reads, else for the next one.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._run(statement, parameters)
            except ConflictError:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0.2, 1.0) * min(2.0, 0.05 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    def _run(self, statement: str, parameters: Sequence[Any], stream: BinaryIO | None = None) -> Any:
        try:
            return self._send(statement, parameters, stream)
        except ConnectionLostError:
            self._drop()
            if not READ.match(statement):
                raise
        return self._send(statement, parameters)

    def _send(self, statement: str, parameters: Sequence[Any], stream: BinaryIO | None = None) -> Any:
        if self._raw is None:
            self._open()
        # The connector keeps every cursor until its connection closes, so cursors are used again.
        raw = self._idle.pop() if self._idle else self._raw.cursor()
        try:
            with watched(raw, self.most_seconds):
                return raw.execute(statement, list(parameters) or None, input_stream=stream)
        except (*FAILURES, OperationalError) as error:
            self.release(raw)
            raise _wrapped(error) from error

    def fetch(self, raw: Any, size: int) -> Any:
        """Return the next rows of a statement as an Arrow table; empty at the end."""
        try:
            return raw.fetchmany_arrow(size)
        except FAILURES as error:
            raise _wrapped(error) from error

    def release(self, raw: Any) -> None:
        """Take a cursor back; what was not fetched from it is gone."""
        if self._raw is not None and raw.connection is self._raw:
            self._idle.append(raw)

    def commit(self) -> None:
        """Nothing: every statement has committed already."""

    def rollback(self) -> None:
        """Nothing: there is no transaction over statements."""

    def close(self) -> None:
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        raw, self._raw, self._idle = self._raw, None, []
        if raw is not None:
            with contextlib.suppress(*FAILURES):
                raw.close()


def _wrapped(error: BaseException) -> DatabaseError:
    if isinstance(error, DatabaseError):
        return error
    if isinstance(error, exc.RequestError):
        return _refused(error)
    if isinstance(error, exc.Error):
        return from_server(str(error))
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return OperationalError(f"The warehouse did not answer in time; the statement may still run: {error}")
    return ConnectionLostError(f"The connection to the warehouse was lost: {error}")


def _refused(error: Any) -> OperationalError:
    """A request that the server answered by a status such as 403 or 503, or whose answer broke off."""
    cause = error.args[1] if len(error.args) > 1 else None
    status = error.context.get("http-code")
    if isinstance(cause, exc.RequestError) or (status or 200) >= 400:
        why = cause or error.context.get("error-message") or error
        return OperationalError(f"The warehouse refused the request (HTTP {status}): {why}")
    return ConnectionLostError(f"The connection to the warehouse was lost: {cause or error}")
