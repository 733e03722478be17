"""Users as Databricks Apps forwards them. Settings use this inside Apps only: elsewhere anybody can write the headers."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from drf_spectacular.authentication import SessionScheme
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

log = logging.getLogger(__name__)

LONGEST_NAME = 150
# At least one of them comes with whatever a browser sends that could change something.
SENT_BY_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site")


class ForwardedUserMiddleware(RemoteUserMiddleware):
    """Signs in who the proxy names: by e-mail address, or by `X-Forwarded-User` for those without one."""

    header = "HTTP_X_FORWARDED_EMAIL"

    def process_request(self, request: HttpRequest) -> None:
        if not request.META.get(self.header) and (name := request.META.get("HTTP_X_FORWARDED_USER")):
            request.META[self.header] = name
        super().process_request(request)


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
