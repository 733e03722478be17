"""The Databricks workspace through databricks-sdk: one sign-in, one client, and its errors in our words.

The SDK costs a second to load, so it is loaded at the first use.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import connections

from workbench.problems import Forbidden, Invalid, NotFound, Unavailable
from workbench.router import LAKEHOUSE

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config

# A server on this machine, for tests, is spoken to over plain HTTP; every other over HTTPS.
PLAIN_HTTP = "127.0.0.1"
# For one request, and for repeating one that a 429, a 503 or a lost connection stopped; the SDK would wait 60 and 300.
SECONDS = 15
# Requests that are sent side by side: more than the SDK keeps connections for would open a new one each time.
AT_ONCE = 10


def address(host: str, port: int | str) -> str:
    """Return the workspace's URL."""
    return f"{'http' if host == PLAIN_HTTP else 'https'}://{host}:{port or 443}"


@lru_cache(maxsize=8)
def sign_in(url: str) -> Config:
    """Return the SDK's sign-in for a workspace, from DATABRICKS_* variables or a profile; one for all threads.

    ValueError where none is configured.
    """
    from databricks.sdk.core import Config

    return Config(host=url, http_timeout_seconds=SECONDS, retry_timeout_seconds=SECONDS)


@lru_cache(maxsize=8)
def _client(url: str) -> WorkspaceClient:
    from databricks.sdk import WorkspaceClient

    return WorkspaceClient(config=sign_in(url))


def workspace() -> WorkspaceClient:
    """Return the client of the workspace that holds the lakehouse; Unavailable where no sign-in is configured."""
    entry = connections[LAKEHOUSE].settings_dict
    try:
        return _client(address(entry["HOST"], entry["PORT"]))
    except ValueError as error:
        raise Unavailable(
            f"The sign-in to Databricks is not configured: {error}. Set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and "
            "DATABRICKS_CLIENT_SECRET."
        ) from error


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Raise NotFound, Forbidden, Invalid or Unavailable for what the SDK raises inside; `what` is what was asked for."""
    from databricks.sdk import errors
    from databricks.sdk.errors.base import DatabricksError

    try:
        yield
    except errors.NotFound as error:
        raise NotFound(f"The workspace has no {what}: {error}") from error
    except (errors.PermissionDenied, errors.Unauthenticated) as error:
        raise Forbidden(
            f"The workspace refuses {what}: {error}. Grant the right in Unity Catalog to whom the workbench signs in as."
        ) from error
    except errors.BadRequest as error:
        raise Invalid(f"The workspace does not accept the request for {what}: {error}") from error
    # OSError covers what requests raises, TimeoutError included.
    except (DatabricksError, OSError) as error:
        raise Unavailable(f"The workspace did not give {what}: {error}. Try again in a minute.") from error
