"""Who may do what by API: everybody signed in may read, writing needs the permission that the admin asks for too.

Both only in sheets that the user sees, see `workbench.sheet_rights`.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS, BasePermission, DjangoModelPermissions
from rest_framework.request import Request

from workbench.sheet_rights import need_work, visible_to


class VisibleRows(BaseFilterBackend):
    """Lists, and single rows, are of the sheets that the user sees; of others nothing is there."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        return visible_to(request.user, queryset)


class MayWrite(DjangoModelPermissions):
    """Add, change or delete needs the user's permission on the view's model; a view without a model needs sign-in."""

    message = "You may read this, but not change it: ask an owner for the permission, which the admin gives to users."

    def has_permission(self, request: Request, view: Any) -> bool:
        if getattr(view, "queryset", None) is None:
            return bool(request.user and request.user.is_authenticated)
        return super().has_permission(request, view)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Refuse to change what belongs to a sheet that the user may only look at."""
        if request.method not in SAFE_METHODS:
            need_work(request.user, obj)
        return True


def may(permission: str) -> type[BasePermission]:
    """Return the permission class of an endpoint that writes although it is read: `may("training.add_export")`."""

    class May(BasePermission):
        message = MayWrite.message

        def has_permission(self, request: Request, _view: Any) -> bool:
            return bool(request.user and request.user.has_perm(permission))

        def has_object_permission(self, request: Request, _view: Any, obj: Any) -> bool:
            need_work(request.user, obj)
            return True

    return May
