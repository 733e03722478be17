"""Credentials of Lakebase from the loopback workspace: tokens that are good for an hour, and a list of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from databricks.sdk.service import database, postgres
from google.protobuf.timestamp_pb2 import Timestamp

from tests.databricks.exchange import RefusedError, Routes
from tests.databricks.http import Request


@dataclass(frozen=True)
class Issued:
    """A token, whom it was made for, and until when it is good."""

    token: str
    instance: str
    expires: dt.datetime


class Credentials:
    """Makes tokens. `lifetime` is how long each is good; `issued` is what was made, the newest last."""

    def __init__(self) -> None:
        self.lifetime = dt.timedelta(hours=1)
        self.issued: list[Issued] = []

    def routes(self) -> Routes:
        return {
            ("POST", "/api/2.0/postgres/credentials"): self.of_endpoint,
            ("POST", "/api/2.0/database/credentials"): self.of_instance,
        }

    def of_endpoint(self, request: Request) -> dict[str, Any]:
        made = self._issue(str(request.json.get("endpoint") or ""))
        expires = Timestamp()
        expires.FromDatetime(made.expires)
        return postgres.DatabaseCredential(token=made.token, expire_time=expires).as_dict()

    def of_instance(self, request: Request) -> dict[str, Any]:
        made = self._issue(",".join(request.json.get("instance_names") or []))
        return database.DatabaseCredential(token=made.token, expiration_time=made.expires.isoformat()).as_dict()

    def _issue(self, instance: str) -> Issued:
        if not instance:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", "Name the endpoint or the instances.")
        made = Issued(f"lakebase-{len(self.issued) + 1}", instance, dt.datetime.now(dt.UTC) + self.lifetime)
        self.issued.append(made)
        return made
