from __future__ import annotations

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"
    verbose_name = "Canonical labels"

    def ready(self) -> None:
        from governance.naming import add_kind
        from governance.querysets import add_about
        from labels.audit_rows import about_hidden
        from labels.held_out import held_out_limits
        from labels.models import CanonicalLabel
        from sheets.item_limits import add_source

        add_about(about_hidden)
        add_kind("canonical label", CanonicalLabel, "item_ref")
        add_source(held_out_limits)
