"""The templates of the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from sheets.reading import columns_of
from templates_app import actions
from templates_app.drafts import publishing_faults
from templates_app.filters import TemplateFilter
from templates_app.models import PromptTemplate
from templates_app.preflight import preflight
from templates_app.preview import missing_variables, preview
from templates_app.serializers import (
    PreflightQuerySerializer,
    PreflightSerializer,
    PreviewSerializer,
    TemplateSerializer,
    TemplateTestSerializer,
)


class TemplateViewSet(ModelViewSet[PromptTemplate]):
    """Prompt templates, one row a version."""

    queryset = PromptTemplate.objects.all()
    serializer_class = TemplateSerializer
    filterset_class = TemplateFilter
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @property
    def actor(self) -> str:
        return self.request.user.get_username()

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = actions.create_template(serializer.validated_data, actor=self.actor)

    def perform_update(self, serializer: Any) -> None:
        data = serializer.validated_data
        serializer.instance = actions.update_template(serializer.instance, data, actor=self.actor)

    def perform_destroy(self, instance: PromptTemplate) -> None:
        actions.delete_template(instance, actor=self.actor)

    @extend_schema(request=None, responses=TemplateSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def publish(self, _request: Request, **_: Any) -> Response:
        """Check the draft and freeze it; 400 with every fault by field."""
        return Response(TemplateSerializer(actions.publish(self.get_object(), actor=self.actor)).data)

    @extend_schema(request=None, responses={201: TemplateSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def duplicate(self, _request: Request, **_: Any) -> Response:
        """Copy the template as a draft of the next version."""
        return Response(TemplateSerializer(actions.duplicate(self.get_object(), actor=self.actor)).data, status=201)

    @extend_schema(request=None, responses=TemplateSerializer, filters=False)
    @action(detail=True, methods=["post"])
    def archive(self, _request: Request, **_: Any) -> Response:
        """Keep the template readable, and out of use."""
        return Response(TemplateSerializer(actions.archive(self.get_object(), actor=self.actor)).data)

    @extend_schema(request=TemplateTestSerializer, responses=PreviewSerializer, filters=False)
    @action(detail=True, methods=["post"], permission_classes=[IsAuthenticated])  # writes nothing
    def test(self, request: Request, **_: Any) -> Response:
        """Render the template on the first rows of a sheet; nothing is written."""
        template = self.get_object()
        given = TemplateTestSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        sheet = given.validated_data["sheet_id"]
        data = {
            "faults": publishing_faults(template),
            "missing": missing_variables(template, columns_of(sheet)),
            "items": preview(template, sheet, given.validated_data["limit"]),
        }
        return Response(PreviewSerializer(data).data)

    @extend_schema(parameters=[PreflightQuerySerializer], responses=PreflightSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def preflight(self, request: Request, **_: Any) -> Response:
        """Count what generating for a sheet would pre-approve and draft, with tokens and cost."""
        template = self.get_object()
        given = PreflightQuerySerializer(data=request.query_params, context={"request": request})
        given.is_valid(raise_exception=True)
        return Response(PreflightSerializer(preflight(template, **given.validated_data)).data)
