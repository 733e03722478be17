"""The addresses of allauth that a sign-in by OpenID Connect goes through, and no others of it."""

from __future__ import annotations

from allauth.socialaccount.providers.openid_connect import views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

WORDS = "Signing in did not work, or was cancelled. Try again; if it fails again, an owner finds the reason in the server's log."


def failed(request: HttpRequest) -> HttpResponse:
    """Say that signing in did not work."""
    return render(request, "workbench/locked_out.html", {"words": WORDS}, status=401)


def home(_request: HttpRequest) -> HttpResponse:
    """Go to the admin: allauth sends here whoever asked for one of its pages that are not there."""
    return redirect("admin:login")


urlpatterns = [
    path("<str:provider_id>/login/", views.login, name="openid_connect_login"),
    path("<str:provider_id>/login/callback/", views.callback, name="openid_connect_callback"),
    path("cancelled", failed, name="socialaccount_login_cancelled"),
    path("failed", failed, name="socialaccount_login_error"),
    path("sign-up", failed, name="socialaccount_signup"),
    path("connections", home, name="socialaccount_connections"),
    path("login", home, name="account_login"),
    path("inactive", failed, name="account_inactive"),
]
