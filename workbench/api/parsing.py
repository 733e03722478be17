"""The one parser of the API: JSON that the lakehouse can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# Schemas and answers are walked by recursion, several calls a level.
DEEPEST = 32


class BoundedJSONParser(JSONParser):
    """JSON of at most 32 levels, with whole numbers of 64 bits and text that is valid Unicode."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise _too_deep() from error
        if _levels_exceed(data, DEEPEST):
            raise _too_deep()
        try:
            orjson.dumps(data)
        except orjson.JSONEncodeError as error:
            raise ParseError(f"The JSON cannot be kept: {error}. Send valid Unicode and 64-bit numbers.") from error
        return data


def _too_deep() -> ParseError:
    return ParseError(f"The JSON is nested too deeply: allowed are {DEEPEST} levels. Send flatter values.")


def _levels_exceed(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        level = [child for item in level for child in _children(item)]
    return bool(level)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
