from __future__ import annotations

from django.apps import AppConfig


class SheetsConfig(AppConfig):
    name = "sheets"
    verbose_name = "Data"

    def ready(self) -> None:
        from governance.naming import add_kind
        from governance.querysets import add_about
        from sheets.audit_rows import about_hidden
        from sheets.models import Sheet

        add_about(about_hidden)
        add_kind("sheet", Sheet, "name")
