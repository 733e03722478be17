"""PostgreSQL as Django knows it, with a fresh token for a password at each new connection."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from workbench.lakebase.credentials import token


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to Lakebase. `OPTIONS["endpoint"]` names what the tokens are asked for.

    Never with psycopg's pool, which would keep the first token as the password of all its connections.
    """

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        return params | {"password": token(params.pop("endpoint"))}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            # True where the server asked for a password, so that one that is only waking up costs no token.
            if error.pgconn is None or not error.pgconn.used_password:
                raise
        again = token(self.settings_dict["OPTIONS"]["endpoint"], refused=conn_params["password"])
        return super().get_new_connection(conn_params | {"password": again})
