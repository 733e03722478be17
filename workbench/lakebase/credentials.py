"""Passwords of Lakebase: OAuth tokens, one for each endpoint, shared by the threads of a process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors.base import DatabricksError
from django.db.utils import OperationalError

# A token is only looked at when a connection opens; what is left of it must outlast that.
SPARE_SECONDS = 300
# The SDK would try for five minutes. A request may take two.
PATIENCE: dict[str, Any] = {"http_timeout_seconds": 10, "retry_timeout_seconds": 20}


@dataclass(frozen=True)
class Credential:
    """A token, and when it ends in seconds since 1970."""

    token: str = field(repr=False)
    ends: float

    @property
    def lasts(self) -> bool:
        return self.ends - SPARE_SECONDS > time.time()


_kept: dict[str, Credential] = {}
_lock = threading.Lock()


def token(endpoint: str, *, refused: str = "") -> str:
    """Return a token of the endpoint `projects/P/branches/B/endpoints/E` that is good for minutes at least.

    The last one is given again while it lasts, unless it is the `refused` one. OperationalError, without any token in
    it, where Databricks gives none.
    """
    with _lock:
        kept = _kept.get(endpoint)
        if kept is None or not kept.lasts or kept.token == refused:
            kept = _kept[endpoint] = _fresh(endpoint)
        return kept.token


def _fresh(endpoint: str) -> Credential:
    try:
        given = _workspace().postgres.generate_database_credential(endpoint=endpoint)
    # The SDK says by ValueError that sign-in is not configured, and by OSError and TimeoutError that nobody answers.
    except (DatabricksError, ValueError, OSError) as error:
        raise OperationalError(
            f"Databricks gave no password for the Lakebase endpoint {endpoint!r}: {' '.join(str(error).split())} Check the "
            "endpoint's name, the DATABRICKS_* sign-in, and that it may connect to the database."
        ) from error
    ends = given.expire_time.ToSeconds() if given.expire_time else time.time() + 2 * SPARE_SECONDS
    return Credential(given.token or "", ends)


@lru_cache(maxsize=1)
def _workspace() -> Any:
    return WorkspaceClient(config=Config(**PATIENCE))
