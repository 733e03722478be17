from __future__ import annotations

from training import views
from training.exports.views import ExportViewSet
from training.jobs.views import JobRunViewSet
from training.review.views import QAPairViewSet
from workbench.api.routers import Router

api = Router()
api.register("training-sheets", views.TrainingSheetViewSet)
api.register("qa-pairs", QAPairViewSet)
api.register("review-events", views.ReviewEventViewSet)
api.register("exports", ExportViewSet)
api.register("jobs", JobRunViewSet)

urlpatterns = api.urls
