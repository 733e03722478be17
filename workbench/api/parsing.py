"""The one parser of the API: JSON that the lakehouse can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isinf
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
        for level in _levels(data):
            # Only too large a number is parsed as that: NaN and Infinity by name are refused as they are read.
            if any(isinstance(each, float) and isinf(each) for each in level):
                raise ParseError("The JSON cannot be kept: it has a number of more than 64 bits. Send a smaller one.")
        try:
            orjson.dumps(data)
        except orjson.JSONEncodeError as error:
            raise ParseError(f"The JSON cannot be kept: {error}. Send valid Unicode and 64-bit numbers.") from error
        return data


def _too_deep() -> ParseError:
    return ParseError(f"The JSON is nested too deeply: allowed are {DEEPEST} levels. Send flatter values.")


def _levels(value: Any) -> Iterator[list[Any]]:
    """Yield the values of each level; ParseError where there are more than DEEPEST."""
    level = [value]
    for _ in range(DEEPEST + 1):
        yield level
        level = [child for item in level for child in _children(item)]
    if level:
        raise _too_deep()


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
