"""A Databricks workspace on this machine: Unity Catalog, tags, files, jobs and credentials for the unmodified SDK.

It stands on the directory of Delta tables and volumes that the loopback SQL warehouse serves. It is strict: a wrong token
is 401, an unknown route 404 `ENDPOINT_NOT_FOUND`. Answers are made of the SDK's own classes, so that none can have a shape
that the SDK does not know. It keeps what it was asked, and can be told to fail.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from databricks.sdk.service.serving import EndpointState, EndpointStateReady, ServingEndpoint, ServingEndpointDetailed

from tests.databricks.exchange import RefusedError, Routes, route
from tests.databricks.http import Reply, Request, Server
from tests.databricks.sign_in import TOKEN
from tests.databricks.workspace_catalog import Catalog
from tests.databricks.workspace_credentials import Credentials
from tests.databricks.workspace_files import Files
from tests.databricks.workspace_jobs import Jobs

OPEN = ("/.well-known/databricks-config",)


def bears_token(request: Request) -> bool:
    return request.headers.get("authorization") == f"Bearer {TOKEN}"


class Workspace:
    """The services over one directory. `requests` is what arrived; `fail` says what happens to the next requests.

    `denied` holds full names (`c.s.t`, `/Volumes/c/s/v/…`) that the one who signs in may not look into.
    """

    url = ""

    def __init__(self, directory: Path, page_size: int = 100, accepts: Callable[[Request], bool] = bears_token) -> None:
        self.accepts = accepts
        self.requests: list[Request] = []
        self.failures: deque[int] = deque()
        self.denied: set[str] = set()
        self.catalog = Catalog(directory, self.denied, page_size)
        self.files = Files(directory, self.denied, page_size)
        self.jobs = Jobs()
        self.credentials = Credentials()
        self.endpoints: list[str] = []
        self.routes: Routes = {
            **self.catalog.routes(),
            **self.files.routes(),
            **self.jobs.routes(),
            **self.credentials.routes(),
            ("GET", "/api/2.0/serving-endpoints"): self._endpoints,
            ("GET", "/api/2.0/serving-endpoints/{}"): self._endpoint,
        }

    def fail(self, *statuses: int) -> None:
        """Let the next requests fail with these HTTP statuses, such as 429 or 503."""
        self.failures.extend(statuses)

    def close(self) -> None:
        self.jobs.close()
        self.catalog.close()

    def answer(self, request: Request) -> Reply | None:
        """Return the reply to one request; None hangs up."""
        self.requests.append(request)
        try:
            if request.path not in OPEN and not self.accepts(request):
                raise RefusedError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type")
            if request.path not in OPEN and self.failures:
                raise RefusedError(self.failures.popleft(), "TEMPORARILY_UNAVAILABLE", "Try again later")
            return route(self.routes, request)
        except RefusedError as refused:
            return refused.reply({"Retry-After": "1"} if refused.status in (429, 503) else {})

    def _endpoints(self, _request: Request) -> dict[str, Any]:
        ready = EndpointState(ready=EndpointStateReady.READY)
        return {"endpoints": [ServingEndpoint(name=name, state=ready).as_dict() for name in self.endpoints]}

    def _endpoint(self, _request: Request, name: str) -> dict[str, Any]:
        if name not in self.endpoints:
            raise RefusedError(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")
        return ServingEndpointDetailed(name=name, state=EndpointState(ready=EndpointStateReady.READY)).as_dict()


@contextlib.contextmanager
def serving(directory: Path, **options: Any) -> Iterator[Workspace]:
    """A workspace over the directory, alone on a port of its own; `url` is where."""
    with Server() as http:
        workspace = Workspace(directory, **options)
        workspace.url = http.address
        http.routes["/"] = workspace.answer
        try:
            yield workspace
        finally:
            workspace.close()
