from __future__ import annotations

from governance import views
from workbench.api.routers import Router

api = Router()
api.register("usage-constraint-audit", views.UsageConstraintAuditViewSet)
api.register("tag-policies", views.TagPolicyViewSet)

urlpatterns = api.urls
