"""The one kind of router, so that no URL of the API ends in a slash."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Routes without trailing slashes; an id is anything but a slash."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
