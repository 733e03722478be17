"""The four roles as groups, with their permissions."""

from django.db import migrations

from workbench.granting import giving
from workbench.roles import ROLES


class Migration(migrations.Migration):
    dependencies = [
        ("workbench", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [giving(ROLES)]
