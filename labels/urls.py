from __future__ import annotations

from labels import views
from workbench.api.routers import Router

api = Router()
api.register("canonical-labels", views.CanonicalLabelViewSet)

urlpatterns = api.urls
