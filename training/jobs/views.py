"""The API of jobs: how far they are, and what people may ask of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from training.actions.jobs import VERBS
from training.jobs.following import seen
from training.jobs.record import with_live
from training.jobs.serializers import JobRunSerializer
from training.models import JobRun
from workbench.api.permissions import may

View = Callable[..., Response]


def asked(view: View) -> View:
    """Make the view of a verb: POST without a body, the job as the answer."""
    refused = OpenApiResponse(description="The verb does not lead on from the job's status")
    rights = [IsAuthenticated, may("training.change_jobrun")]
    # In this order, as everywhere: `action` forgets what `extend_schema` said before it.
    route: View = action(detail=True, methods=["post"], permission_classes=rights)(view)
    described: View = extend_schema(request=None, responses={200: JobRunSerializer, 409: refused})(route)
    return described


class JobRunViewSet(ReadOnlyModelViewSet[JobRun]):
    """Jobs as they are now; a filter by status asks the record, which a running worker may be ahead of for a moment."""

    queryset = JobRun.objects.all()
    serializer_class = JobRunSerializer
    filterset_fields = ["training_sheet", "status", "job_type"]

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return page if page is None else with_live(page)

    def get_object(self) -> JobRun:
        return seen(super().get_object())

    @asked
    def pause(self, request: Request, pk: str) -> Response:
        """Stop as soon as what was answered is written; `resume` goes on."""
        return self._do("pause", request)

    @asked
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with a paused or failed job; items that have their pair are skipped."""
        return self._do("resume", request)

    @asked
    def retry(self, request: Request, pk: str) -> Response:
        """Ask again for the items that have an error."""
        return self._do("retry", request)

    @asked
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop for good; the pairs that were written stay, to be reviewed."""
        return self._do("cancel", request)

    def _do(self, verb: str, request: Request) -> Response:
        VERBS[verb](self.get_object(), actor=request.user.get_username())
        return Response(self.get_serializer(self.get_object()).data)
