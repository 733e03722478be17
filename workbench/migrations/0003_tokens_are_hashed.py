"""Tokens were kept as they are sent: keep their SHA-256 instead for 90 days more, and drop the old table."""

from datetime import timedelta
from hashlib import sha256

from django.db import migrations
from django.utils import timezone

OLD = "authtoken_token"
LEFT = timedelta(days=90)


def hash_tokens(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if OLD not in connection.introspection.table_names(cursor):
            return
        cursor.execute(f"SELECT key, user_id, created FROM {OLD}")
        rows = cursor.fetchall()
    apps.get_model("workbench", "AccessToken").objects.using(connection.alias).bulk_create(
        apps.get_model("workbench", "AccessToken")(
            user_id=user, name="from before tokens had names", prefix=key[:9], digest=sha256(key.encode()).hexdigest(),
            expires_at=timezone.now() + LEFT,
        )
        for key, user, _ in rows
    )
    schema_editor.execute(f"DROP TABLE {OLD}")


class Migration(migrations.Migration):
    dependencies = [("workbench", "0002_roles")]

    operations = [migrations.RunPython(hash_tokens, migrations.RunPython.noop)]
