from django.db import migrations, models

import tests.lakehouse.growing.models
import workbench.lakehouse.fields


class Migration(migrations.Migration):
    dependencies = [("growing", "0001_initial")]

    operations = [
        migrations.AddField("gadget", "note", models.TextField(null=True)),
        migrations.AddField("gadget", "grade", models.CharField(max_length=10, default='it\'s "B"\\%')),
        migrations.AddField(
            "gadget",
            "words",
            workbench.lakehouse.fields.ArrayField(default=tests.lakehouse.growing.models.first_words),
        ),
        migrations.AddField("gadget", "data", models.JSONField(default=dict)),
        migrations.AddField("gadget", "checked", models.BooleanField(default=False)),
    ]
