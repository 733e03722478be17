"""Making the roles' groups and giving them permissions, in a migration of this app and once only.

What a later version adds to a role is a migration of its own, so that what an owner took away stays away:
`operations = [giving({"domain expert": ["training.view_thing"]})]`.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps as installed
from django.db import migrations

from workbench.roles import Rights


def giving(rights: Rights) -> migrations.RunPython:
    """Return the step of a migration that makes the roles that are not there and gives them the permissions."""

    def give(_apps: Any, schema_editor: Any) -> None:
        give_rights(rights, using=schema_editor.connection.alias)

    return migrations.RunPython(give, migrations.RunPython.noop)


def give_rights(rights: Rights, *, using: str = "default") -> None:
    """Give each role its permissions, and take none away.

    Django makes permissions after all migrations, so those that are needed are made here, by its own function. A codename
    that nothing defines is left out: a test compares the roles with what there is.
    """
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    for label in sorted({codename.split(".")[0] for codenames in rights.values() for codename in codenames}):
        create_permissions(installed.get_app_config(label), verbosity=0, using=using)
    known = {
        f"{each.content_type.app_label}.{each.codename}": each
        for each in Permission.objects.using(using).select_related("content_type")
    }
    for role, codenames in rights.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        group.permissions.add(*(known[codename] for codename in codenames if codename in known))
