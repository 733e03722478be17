"""An OpenID Connect provider on this machine: discovery, keys, the code flow with PKCE, and user info."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "workbench", "the client's secret"


class Provider:
    """Signs in whoever `person` says, without asking; `codes` are good once, and only with the verifier of their challenge."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {}
        self.codes: dict[str, tuple[str, str, dict[str, Any]]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.refused: list[str] = []
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def __enter__(self) -> Provider:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        match parts.path:
            case "/.well-known/openid-configuration":
                self.answer(request, self.discovery())
            case "/keys":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
                self.answer(request, {"keys": [public | {"kid": "one", "alg": "RS256", "use": "sig"}]})
            case "/userinfo":
                token = request.headers.get("Authorization", "").removeprefix("Bearer ")
                known = self.tokens.get(token)
                self.answer(request, known or {"error": "invalid_token"}, 200 if known else 401)
            case "/authorize":
                self.authorize(request, {name: values[0] for name, values in parse_qs(parts.query).items()})
            case _:
                self.answer(request, {"error": "not_found"}, 404)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, request: BaseHTTPRequestHandler, asked: dict[str, str]) -> None:
        fine = asked.get("client_id") == CLIENT_ID and asked.get("code_challenge_method") == "S256"
        if not fine or "openid" not in asked.get("scope", "").split():
            self.refused.append("authorize")
            self.answer(request, {"error": "invalid_request"}, 400)
            return
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"], dict(self.person))
        request.send_response(302)
        request.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        request.end_headers()

    def post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        challenge, address, person = self.codes.pop(given.get("code", ""), ("", "", {}))
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        known = (given.get("client_id"), given.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if not (proved and known and given.get("redirect_uri") == address):
            self.refused.append("token")
            self.answer(request, {"error": "invalid_grant"}, 400)
            return
        access = secrets.token_urlsafe(16)
        self.tokens[access] = person
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **person}
        signed = jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "one"})
        self.answer(request, {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": signed})

    def answer(self, request: BaseHTTPRequestHandler, body: dict[str, Any], status: int = 200) -> None:
        text = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)
