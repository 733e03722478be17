"""Signing in without a browser: user name and password for a token."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workbench.api.authentication import TokenAuthentication
from workbench.api.lines import TooLarge
from workbench.api.parsing import BoundedJSONParser
from workbench.api.rates import SignInRate
from workbench.api.serializers import BoundedListField
from workbench.models import AccessToken
from workbench.problems import Invalid
from workbench.tokens import make_token, revoke_token

# Enough for the longest password; whoever sends it is not known yet.
LARGEST = 32 * 1024
WRONG = "Unable to log in with this user name and password. Check both; after several failures the name is locked for a while."


class CredentialsSerializer(serializers.Serializer[Any]):
    """A user name and password, and what the token shall be."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)
    name = serializers.CharField(max_length=100, default="API", help_text="What the token is for.")
    expires_at = serializers.DateTimeField(required=False, help_text="Default: WORKBENCH_TOKEN_DAYS from now.")
    roles = BoundedListField(
        child=serializers.CharField(max_length=150),
        max_length=100,
        required=False,
        help_text="Groups of the user: the token may do what these may. Default: all that the user may.",
    )


class TokenSerializer(serializers.ModelSerializer[AccessToken]):
    token = serializers.CharField(read_only=True, help_text="Shown this once.")
    roles = serializers.SlugRelatedField("name", many=True, read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = AccessToken
        fields = ("token", "id", "name", "prefix", "roles", "created_at", "expires_at")


class SignInParser(BoundedJSONParser):
    """JSON no longer than signing in needs."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise TooLarge(f"The request is too large: send at most {LARGEST:,} bytes to sign in.")
        return super().parse(BytesIO(body), media_type, parser_context)


class TokenView(APIView):
    """`POST {"username", "password"}` for a token; `DELETE` with it, to revoke it."""

    throttle_classes = (SignInRate,)
    parser_classes = (SignInParser,)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return none for signing in: a token that is sent along does not matter."""
        return [TokenAuthentication()] if getattr(self.request, "method", "") == "DELETE" else []

    def get_permissions(self) -> list[Any]:
        return [IsAuthenticated()] if getattr(self.request, "method", "") == "DELETE" else []

    @extend_schema(
        operation_id="token",
        request=CredentialsSerializer,
        responses={200: TokenSerializer, 429: OpenApiResponse(description="Too many failures, or too often")},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Return a new token, to be sent as `Authorization: Token …`; 400 where name or password is wrong."""
        given = CredentialsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        # Lockout counts on the request of Django, which the middleware sees as well.
        user: Any = authenticate(request._request, username=wanted["username"], password=wanted["password"])
        if user is None:
            raise Invalid(WRONG)
        roles = None
        if "roles" in wanted:
            roles = list(user.groups.filter(name__in=wanted["roles"]))
            if missing := sorted(set(wanted["roles"]) - {group.name for group in roles}):
                words = f"{user} does not belong to {missing[0]!r}: name groups of the user, or leave it out."
                raise Invalid.of_fields("No token was made.", {"roles": [words]})
        token, text = make_token(
            user, name=wanted["name"], expires_at=wanted.get("expires_at"), roles=roles, actor=user.get_username()
        )
        token.token = text  # type: ignore[attr-defined]
        return Response(TokenSerializer(token).data)

    @extend_schema(operation_id="token_revoke", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the token that this request is signed in by."""
        if not isinstance(request.auth, AccessToken):
            raise NotAuthenticated
        revoke_token(request.auth, actor=request.user.get_username())
        return Response(status=204)
