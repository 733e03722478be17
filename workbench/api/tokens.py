"""Signing in without a browser: user name and password for a token."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.authtoken.models import Token
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, Serializer
from rest_framework.views import APIView


class TokenSerializer(Serializer[Any]):
    token = CharField()


class TokenView(APIView):
    """`POST {"username", "password"}`."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="token", request=AuthTokenSerializer, responses=TokenSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """Return the user's token, to be sent as `Authorization: Token …`; 400 where name or password is wrong."""
        serializer = AuthTokenSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        token, _ = Token.objects.get_or_create(user=serializer.validated_data["user"])
        return Response({"token": token.key})
