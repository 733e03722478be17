"""Makes a site: both databases, Rosa with a token, a sheet, and four tasks in the queue."""

from __future__ import annotations

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django_q.tasks import async_task

from sheets.models import Sheet
from tests.lakehouse.testapp.models import Part, Shelf, Tag
from tests.tokens import known_token
from workbench.router import LAKEHOUSE

call_command("migrate", verbosity=0)
call_command("migrate", database=LAKEHOUSE, verbosity=0)
with connections[LAKEHOUSE].schema_editor() as editor:
    for model in (Shelf, Tag, Part):
        editor.create_model(model)
known_token(User.objects.create_superuser("rosa"), "rosa")
Sheet.objects.create(name="PCB", primary_table="mirion_vital.samples.pcb_inspections", join_keys=["id"])
for name in ("bolt", "cog", "nut", "pin"):
    async_task("tests.lakehouse.testapp.work.stock", name)
