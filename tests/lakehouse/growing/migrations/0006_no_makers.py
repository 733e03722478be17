from django.db import migrations, models

import workbench.lakehouse.fields


class Migration(migrations.Migration):
    dependencies = [("growing", "0005_another_state")]

    operations = [
        migrations.RenameField("gadget", "state", "condition"),
        migrations.RemoveField("gadget", "maker"),
        migrations.DeleteModel("Maker"),
    ]
