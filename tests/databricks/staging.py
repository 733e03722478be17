"""PUT, GET and REMOVE of volume files as a warehouse runs them: it answers a presigned URL, the client does the rest."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pyarrow as pa

from tests.databricks.answers import RefusedError, Result
from tests.databricks.http import Reply, Request, Server
from workbench.lakehouse.engines.local.layout import Layout
from workbench.lakehouse.engines.local.volumes import resolve

STATEMENTS = {
    "PUT": re.compile(r"PUT '(?P<local>[^']+)' INTO '(?P<path>[^']+)'(?P<overwrite> OVERWRITE)?"),
    "GET": re.compile(r"GET '(?P<path>[^']+)' TO '(?P<local>[^']+)'"),
    "REMOVE": re.compile(r"REMOVE '(?P<path>[^']+)'"),
}
METHODS = {"PUT": "PUT", "GET": "GET", "REMOVE": "DELETE"}
PRESIGNED = "/presigned/"


class Staging:
    """Gives presigned URLs, each for one method and one file, and serves them. `requests` are the methods that came."""

    def __init__(self, directory: Path, server: Server) -> None:
        self.layout, self.server = Layout(directory), server
        self.signed: dict[str, tuple[str, Path]] = {}
        self.requests: list[str] = []
        server.routes[PRESIGNED] = self.serve

    def run(self, sql: str, parameters: int) -> Result | None:
        """The answer to a statement about a volume file; None for any other statement."""
        verb = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
        if verb not in STATEMENTS:
            return None
        found = STATEMENTS[verb].fullmatch(sql.strip())
        if not found or parameters:
            raise RefusedError(f"[PARSE_SYNTAX_ERROR] A {verb} of a file without parameters SQLSTATE: 42601")
        file, given = resolve(self.layout, found["path"]), found.groupdict()
        if verb == "PUT" and file.exists() and not given["overwrite"]:
            raise RefusedError("[FILE_IN_STAGING_PATH_ALREADY_EXISTS] Use OVERWRITE SQLSTATE: 42000")
        ticket = secrets.token_hex(8)
        self.signed[PRESIGNED + ticket] = (METHODS[verb], file)
        row = {
            "operation": verb,
            "presignedUrl": f"{self.server.address}{PRESIGNED}{ticket}",
            "headers": '{"x-loopback": "signed"}',
            "localFile": given.get("local"),
        }
        columns = {name: pa.array([value], pa.string()) for name, value in row.items()}
        return Result(pa.table(columns), None, staging=True)

    def serve(self, request: Request) -> Reply:
        """Storage: it knows the URL and its headers, and refuses a second sign-in beside them."""
        self.requests.append(request.method)
        method, file = self.signed.get(request.path, ("", Path()))
        signed = request.headers.get("x-loopback") == "signed" and "authorization" not in request.headers
        if request.method != method or not signed:
            return Reply(403, b"The request does not match its signature")
        if method == "PUT":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(request.body)
            return Reply()
        if not file.is_file():
            return Reply(404, b"No such file")
        if method == "GET":
            return Reply(200, file.read_bytes())
        file.unlink()
        return Reply(204)
