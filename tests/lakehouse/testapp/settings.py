"""The project's settings with the throwaway apps, for processes that a test starts."""

from __future__ import annotations

from workbench.settings import *  # noqa: F403
from workbench.settings import DATABASE_ROUTERS, INSTALLED_APPS

THROWAWAY_APPS = ["tests.lakehouse.testapp", "tests.lakehouse.growing"]
THROWAWAY_ROUTER = "tests.lakehouse.testapp.router.TestappRouter"

INSTALLED_APPS = [*THROWAWAY_APPS, *INSTALLED_APPS]
DATABASE_ROUTERS = [THROWAWAY_ROUTER, *DATABASE_ROUTERS]
