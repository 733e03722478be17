"""Who may do what by API: everybody signed in may read, writing needs the permission that the admin asks for too."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission, DjangoModelPermissions
from rest_framework.request import Request


class MayWrite(DjangoModelPermissions):
    """Add, change or delete needs the user's permission on the view's model; a view without a model needs sign-in."""

    message = "You may read this, but not change it: ask an owner for the permission, which the admin gives to users."

    def has_permission(self, request: Request, view: Any) -> bool:
        if getattr(view, "queryset", None) is None:
            return bool(request.user and request.user.is_authenticated)
        return super().has_permission(request, view)


def may(permission: str) -> type[BasePermission]:
    """Return the permission class of an endpoint that writes although it is read: `may("training.add_export")`."""

    class May(BasePermission):
        message = MayWrite.message

        def has_permission(self, request: Request, _view: Any) -> bool:
            return bool(request.user and request.user.has_perm(permission))

    return May
