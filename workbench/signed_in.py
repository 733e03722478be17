"""Where a screen whose session ended sends its reader, in a second tab."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from workbench.csp import strict


@strict
@never_cache
@login_required
@require_GET
def signed_in(request: HttpRequest) -> HttpResponse:
    """Say who is signed in; the screen in the other tab hears of it and goes on."""
    return render(request, "workbench/signed_in.html")


def sign_in_pages() -> dict[str, str]:
    """Return the addresses a screen's script needs: to sign in, and to ask who is signed in."""
    return {
        "sign_in": f"{reverse('admin:login')}?{urlencode({'next': reverse('signed-in')})}",
        "signed_in": reverse("signed-in"),
    }
