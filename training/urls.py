from __future__ import annotations

from training import views
from workbench.api.routers import Router

api = Router()
api.register("training-sheets", views.TrainingSheetViewSet)
api.register("qa-pairs", views.QAPairViewSet)
api.register("review-events", views.ReviewEventViewSet)
api.register("exports", views.ExportViewSet)
api.register("jobs", views.JobRunViewSet)

urlpatterns = api.urls
