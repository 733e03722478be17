"""Tokens that open the API in their owner's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.utils import timezone


class AccessToken(models.Model):
    """A token of a user: only its first letters and its SHA-256 are kept, so that nobody can read it back."""

    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="access_tokens")
    name = models.CharField(max_length=100, help_text="What it is for.")
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    roles = models.ManyToManyField(
        Group,
        blank=True,
        related_name="+",
        help_text="It may do what these of the owner's groups may; without any, all that the owner may.",
    )
    scoped = models.BooleanField(default=False, editable=False, help_text="It has the rights of its roles only.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(help_text="From then on it is refused.")
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "access_tokens"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """Return "revoked", "expired" or "active"."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "active"


class TokenOwner(User):
    """The owner of a scoped token, who has the rights of its roles and no others, be they a superuser or not."""

    class Meta:
        proxy = True
        default_permissions = ()

    group_ids: frozenset[int] = frozenset()

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        """Return the permissions of the token's roles that its owner still belongs to."""
        if not hasattr(self, "_token_permissions"):
            given = Permission.objects.filter(group__in=self.group_ids).values_list(
                "content_type__app_label", "codename"
            )
            self._token_permissions = {f"{app}.{codename}" for app, codename in given.order_by()}
        return self._token_permissions

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and perm in self.get_all_permissions()

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions())
