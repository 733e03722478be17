from __future__ import annotations

from templates_app import views
from workbench.api.routers import Router

api = Router()
api.register("templates", views.TemplateViewSet)

urlpatterns = api.urls
