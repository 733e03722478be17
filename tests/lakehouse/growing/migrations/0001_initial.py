from django.db import migrations, models

import workbench.lakehouse.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Gadget",
            fields=[
                ("id", workbench.lakehouse.fields.KeyField(serialize=False)),
                ("name", models.CharField(max_length=50)),
                ("size", models.IntegerField(default=0)),
                ("old", models.TextField(default="")),
            ],
        ),
    ]
