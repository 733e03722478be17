"""Signing in to the API by token."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from workbench.problems import Forbidden
from workbench.tokens import MARK, owner_of


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token …`, or `Bearer …`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the token's owner and its row, or None where no token is sent; AuthenticationFailed says why."""
        word, _, sent = get_authorization_header(request).partition(b" ")
        sent, is_ours = sent.strip(), sent.strip().startswith(MARK.encode())
        # Another's bearer token, such as that of a workspace, is for the proxy in front of us.
        if not (word.lower() == b"token" or (word.lower() == b"bearer" and is_ours)):
            return None
        try:
            return owner_of(sent.decode())
        except UnicodeDecodeError as error:
            raise AuthenticationFailed("The token holds bytes that are no text: send it as it was given.") from error
        except Forbidden as problem:
            raise AuthenticationFailed(problem.message) from problem

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # spectacular has few types
    target_class = "workbench.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return how the OpenAPI document describes it."""
        words = "`Token …`, from POST /api/v1/auth/token"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}
