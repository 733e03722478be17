from django.db import migrations, models

import workbench.lakehouse.fields


class Migration(migrations.Migration):
    dependencies = [("growing", "0004_states_and_makers")]

    operations = [
        migrations.AlterField(
            "gadget",
            "state",
            workbench.lakehouse.fields.ChoiceField(
                max_length=10, choices=[("new", "New"), ("used", "Used"), ("lost", "Lost")], default="new"
            ),
        ),
        migrations.RemoveConstraint("gadget", "growing_gadget_size"),
    ]
