"""Users as Databricks Apps forwards them. Settings use this inside Apps only: elsewhere anybody can write the headers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.models import AnonymousUser, Group, User
from django.http import HttpRequest, HttpResponse
from drf_spectacular.authentication import SessionScheme
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

log = logging.getLogger(__name__)

NAMED_BY = ("X-Forwarded-Email", "X-Forwarded-User")
LONGEST_NAME = 150
# At least one of them comes with whatever a browser sends that could change something.
SENT_BY_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site")


class ForwardedUserMiddleware:
    """Takes each request for one of whom the proxy names: by e-mail address, or by the other name where there is none.

    Nothing is kept in a session, so that every request is of the user whom it names, and of nobody without a name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = next((request.headers[header] for header in NAMED_BY if request.headers.get(header)), None)
        user = authenticate(request, remote_user=name) if name else None
        request.user = user or AnonymousUser()
        return self.get_response(request)


class ForwardedUserBackend(RemoteUserBackend):
    """Makes a user at first sight, who may read the API; WORKBENCH_OWNERS and WORKBENCH_NEW_USERS_GROUP give more."""

    def authenticate(self, request: Any, remote_user: str) -> Any:  # type: ignore[override]
        if not 0 < len(self.clean_username(remote_user)) <= LONGEST_NAME:
            log.warning("A forwarded user has no name, or one of more than %s characters: not signed in", LONGEST_NAME)
            return None
        return super().authenticate(request, remote_user)

    def clean_username(self, username: str) -> str:
        return username.strip().lower()

    def configure_user(self, request: Any, user: Any, created: bool = True) -> Any:
        if created:
            self._welcome(user)
        if user.username in settings.OWNERS and not user.is_superuser:
            user.is_staff = user.is_superuser = True
            user.save(update_fields=["is_staff", "is_superuser"])
        return user

    def _welcome(self, user: User) -> None:
        user.set_unusable_password()
        user.email = user.username if "@" in user.username else ""
        group = Group.objects.filter(name=settings.NEW_USERS_GROUP).first() if settings.NEW_USERS_GROUP else None
        if group:
            user.is_staff = True
            user.groups.add(group)
        elif settings.NEW_USERS_GROUP:
            log.warning("There is no group %r for new users: an owner makes it in the admin", settings.NEW_USERS_GROUP)
        user.save()


class ForwardedAuthentication(SessionAuthentication):
    """The API's sign-in for the forwarded user. Browsers prove by CSRF token that the page is ours; scripts need not."""

    def enforce_csrf(self, request: Request) -> None:
        if any(name in request.headers for name in SENT_BY_BROWSERS):
            super().enforce_csrf(request)


class ForwardedScheme(SessionScheme):  # type: ignore[no-untyped-call]  # spectacular has few types
    target_class = "workbench.forwarded.ForwardedAuthentication"
