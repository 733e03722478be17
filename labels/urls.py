from __future__ import annotations

from django.urls import path

from labels import views
from labels.opinions.views import AgreementView, LabelOpinionViewSet, SecondOpinionViewSet
from workbench.api.routers import Router

api = Router()
api.register("canonical-labels", views.CanonicalLabelViewSet)
api.register("second-opinions", SecondOpinionViewSet)
api.register("label-opinions", LabelOpinionViewSet)

urlpatterns = [path("agreement", AgreementView.as_view()), *api.urls]
