"""In which shape an answer is written, of what the caller accepts."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnyAccept(DefaultContentNegotiation):
    """What no renderer can write is no reason to refuse.

    A download writes its own answer, of a type that no renderer has, and an `<img>` asks for images only. Errors are JSON
    whatever the caller accepts.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        try:
            renderer, media_type = super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            renderer = next(iter(renderers))
            media_type = renderer.media_type
        return renderer, str(media_type)
