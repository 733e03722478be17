"""Who may enter the loopback: one personal token, and a service principal by OAuth (client credentials)."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import jwt

from tests.databricks.http import Reply, Request, Server, json_reply

TOKEN = "loopback-token"
CLIENT_ID, CLIENT_SECRET = "loopback-client", "loopback-secret"
KEY = "a key of thirty-two bytes or more"


@dataclass
class SignIn:
    """The workspace's token endpoint. A token lives `lifetime` seconds; `granted` are all it gave, newest last."""

    server: Server
    lifetime: int = 3600
    granted: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=lambda: {TOKEN})

    def __post_init__(self) -> None:
        address = self.server.address
        self.server.routes |= {
            "/.well-known/databricks-config": lambda _: json_reply(200, {"oidc_endpoint": f"{address}/oidc"}),
            "/oidc/.well-known/oauth-authorization-server": lambda _: json_reply(
                200,
                {
                    "authorization_endpoint": f"{address}/oidc/v1/authorize",
                    "token_endpoint": f"{address}/oidc/v1/token",
                },
            ),
            "/oidc/v1/token": self.grant,
        }

    def accepts(self, request: Request) -> bool:
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.valid

    def grant(self, request: Request) -> Reply:
        """A new token, for the right client, by its secret; tokens that it had before are worth nothing any more."""
        given = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return json_reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        if given != {"grant_type": "client_credentials", "scope": "all-apis"}:
            return json_reply(400, {"error": "invalid_request", "error_description": f"Found {sorted(given)}"})
        # As a workspace's, a JWT of its own issuer: the connector exchanges others, and keeps it until `exp`.
        now = int(time.time())
        claims = {"iss": f"{self.server.address}/oidc", "exp": now + self.lifetime, "jti": str(len(self.granted))}
        self.granted.append(jwt.encode(claims, KEY, algorithm="HS256"))
        self.valid = {TOKEN, self.granted[-1]}
        return json_reply(200, {"access_token": self.granted[-1], "token_type": "Bearer", "expires_in": self.lifetime})
