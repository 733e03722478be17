"""Every role looks at held-out items and at sensitive data that was found."""

from django.db import migrations

from workbench.granting import giving
from workbench.roles import ROLES

NEW = ["governance.view_heldoutitem", "training.view_finding"]


class Migration(migrations.Migration):
    dependencies = [("workbench", "0004_rights_to_second_opinions")]

    operations = [giving({role: NEW for role in ROLES})]
