"""Who may do what by API: everybody signed in may read, writing needs the permission that the admin asks for too."""

from __future__ import annotations

from rest_framework.permissions import DjangoModelPermissions


class MayWrite(DjangoModelPermissions):
    """Add, change or delete needs the user's permission on the view's model."""

    message = "You may read this, but not change it: ask an owner for the permission, which the admin gives to users."
