"""The project's settings where a dead worker is noticed, and a chunk written, sooner; a generation is one job."""

from __future__ import annotations

from workbench.settings import *  # noqa: F403

JOB_LEASE = 6.0
FINDINGS = "ask"
