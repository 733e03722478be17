from django.db import migrations, models

import workbench.lakehouse.fields


class Migration(migrations.Migration):
    dependencies = [("growing", "0003_changes")]

    operations = [
        migrations.CreateModel(
            name="Maker",
            fields=[("id", workbench.lakehouse.fields.KeyField(serialize=False))],
        ),
        migrations.AddField(
            "gadget",
            "state",
            workbench.lakehouse.fields.ChoiceField(
                max_length=10, choices=[("new", "New"), ("used", "Used")], default="new"
            ),
        ),
        migrations.AddField("gadget", "maker", models.ForeignKey("growing.Maker", models.PROTECT, null=True)),
        migrations.AddConstraint(
            "gadget", models.CheckConstraint(condition=models.Q(size__gte=0), name="growing_gadget_size")
        ),
    ]
