from __future__ import annotations

from training import views
from training.exports.views import ExportViewSet
from training.files.conversation_views import ConversationViewSet
from training.files.views import TrainingFileViewSet
from training.findings.views import FindingViewSet
from training.ground_truth.views import GroundTruthViewSet
from training.held_out_views import HeldOutViewSet
from training.jobs.views import JobRunViewSet
from training.review.saved_views import ReviewViewViewSet
from training.review.views import QAPairViewSet
from training.tracing.views import TracingViewSet, WithdrawalViewSet
from workbench.api.routers import Router

api = Router()
api.register("training-sheets", views.TrainingSheetViewSet)
api.register("qa-pairs", QAPairViewSet)
api.register("review-events", views.ReviewEventViewSet)
api.register("review-views", ReviewViewViewSet)
api.register("exports", ExportViewSet)
api.register("jobs", JobRunViewSet)
api.register("conversations", ConversationViewSet)
api.register("training-files", TrainingFileViewSet)
api.register("ground-truth", GroundTruthViewSet, basename="ground-truth")
api.register("held-out", HeldOutViewSet)
api.register("findings", FindingViewSet)
api.register("governance", TracingViewSet, basename="governance")
api.register("withdrawals", WithdrawalViewSet)

urlpatterns = api.urls
