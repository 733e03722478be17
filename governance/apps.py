from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = "Governance"

    def ready(self) -> None:
        from governance import checks  # noqa: F401 - registers itself
        from governance.sensitive.detectors import DETECTORS
        from governance.sensitive.presidio import detector

        if settings.PRESIDIO:
            DETECTORS["presidio"] = detector(settings.PRESIDIO)
