from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("growing", "0002_columns")]

    operations = [
        migrations.RenameField("gadget", "name", "title"),
        migrations.AlterField("gadget", "size", models.BigIntegerField(default=0)),
        migrations.RemoveField("gadget", "old"),
    ]
