from __future__ import annotations

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "labels"
    verbose_name = "Canonical labels"

    def ready(self) -> None:
        from labels.held_out import held_out_limits
        from sheets.item_limits import add_source

        add_source(held_out_limits)
