from __future__ import annotations

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    verbose_name = "Training sheets"

    def ready(self) -> None:
        from training import checks  # noqa: F401 - registers itself
