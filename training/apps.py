from __future__ import annotations

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    verbose_name = "Training sheets"

    def ready(self) -> None:
        from governance.foresight import add_look
        from training import checks  # noqa: F401 - registers itself
        from training.tracing.what_if import look

        add_look(look)
