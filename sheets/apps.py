from __future__ import annotations

from django.apps import AppConfig


class SheetsConfig(AppConfig):
    name = "sheets"
    verbose_name = "Data"

    def ready(self) -> None:
        from governance.querysets import add_about
        from sheets.audit_rows import about_hidden

        add_about(about_hidden)
