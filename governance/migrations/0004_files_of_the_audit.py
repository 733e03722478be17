from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("governance", "0003_first_chain_and_tag_rules")]

    operations = [
        migrations.CreateModel(
            name="AuditFile",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("sha256", models.CharField(max_length=64)),
            ],
            options={"db_table": "audit_files"},
        ),
    ]
