from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated

from workbench.api.errors import unknown_url
from workbench.api.tokens import TokenView
from workbench.signed_in import signed_in

APPS = ("sheets", "templates_app", "labels", "training", "governance")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("signed-in/", signed_in, name="signed-in"),
    path("label/", include("labels.labeling.urls")),
    path("review/", include("training.review.urls")),
    path("api/schema", SpectacularAPIView.as_view(permission_classes=[IsAuthenticated]), name="schema"),
    path("api/docs", login_required(SpectacularSwaggerView.as_view(url_name="schema")), name="docs"),
    path("api/v1/auth/token", TokenView.as_view()),
    *(path("api/v1/", include(f"{app}.urls")) for app in APPS),
    *([path("accounts/", include("workbench.oidc_urls"))] if settings.OIDC else []),
    re_path(r"^api(?:/|$)", unknown_url),
]
handler403 = "workbench.not_allowed.not_allowed"
handler500 = "workbench.api.errors.server_error"
