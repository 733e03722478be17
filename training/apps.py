from __future__ import annotations

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    verbose_name = "Training sheets"

    def ready(self) -> None:
        from governance.foresight import add_look
        from governance.naming import add_kind
        from governance.querysets import add_about
        from labels.held_out import add_reserving
        from labels.reserving import add_leaving
        from training import checks  # noqa: F401 - registers itself
        from training.audit_rows import about_hidden
        from training.held_out import leaving, reserving_pairs
        from training.models import QAPair, TrainingFile, TrainingSheet
        from training.tracing.what_if import look

        add_look(look)
        add_about(about_hidden)
        add_kind("pair", QAPair, "item_ref")
        add_kind("training sheet", TrainingSheet, "name")
        add_kind("training file", TrainingFile, "name")
        add_reserving(reserving_pairs)
        add_leaving(leaving)
