"""What one rendering may cost.

A signal or a thread that kills would not do: renderings run in any thread, and neither stops an operation inside C. So
every operation whose cost a template can choose is charged before it runs, and between operations the thread's own CPU
time is looked at. One unit is a loop turn, an element of a list, or 16 characters.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import Undefined
from jinja2.utils import Namespace

from templates_app.problems import TemplateCostError, TemplateLimitError

MAX_OUTPUT = 200_000
MAX_VALUE = 1_000_000
MAX_UNITS = 1_000_000
MAX_SECONDS = 1.5
MAX_WIDTH = 1_000
MAX_RANGE = 100_000
MAX_BITS = 16_384
_SHRINK = 16

_DIRECTIVE = re.compile(r"%(?:\([^()]*\))?[#0\- +]*(\*|\d*)(?:\.(\*|\d*))?")


class Meter:
    """The budget of one rendering."""

    def __init__(self) -> None:
        self.left = MAX_UNITS
        self.deadline = time.thread_time() + MAX_SECONDS

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise TemplateCostError(
                f"The template does too much: allowed are {MAX_UNITS:,} loop turns, list elements and 16-character "
                "pieces of text. Loop over less, or repeat less."
            )
        if time.thread_time() > self.deadline:
            raise TemplateCostError(f"The template takes longer than {MAX_SECONDS} seconds. Loop over less.")

    def text(self, length: int) -> None:
        """Charges a text that is about to be made."""
        if length > MAX_VALUE:
            raise TemplateLimitError(
                f"The template makes a text of {length:,} characters; allowed are {MAX_VALUE:,}. Repeat or pad less."
            )
        self.spend(length // _SHRINK + 1)

    def value(self, value: Any) -> None:
        """Charges a value with everything in it, a part that is used twice counted twice, as printing it would."""
        if isinstance(value, str):
            self.spend((len(value) // _SHRINK) + 1)
        elif isinstance(value, _HOLDERS):
            self._holder(value)
        else:
            self._opaque(value)

    def _holder(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Mapping):
                self.spend(len(item) + 1)
                waiting.extend(item.keys())
                waiting.extend(item.values())
            elif isinstance(item, _HOLDERS):
                self.spend(len(item) + 1)
                waiting.extend(item)
            elif isinstance(item, str | bytes):
                if len(item) >= _SHRINK:
                    self.spend(len(item) // _SHRINK)
            elif isinstance(item, Undefined):
                str(item)  # raises, as printing the missing value would
            else:
                self._opaque(item)

    def _opaque(self, value: Any) -> None:
        # A namespace can hold itself, so its size cannot be known; printing one has no use.
        if isinstance(value, Namespace):
            raise TemplateLimitError(
                "A namespace can only be read by its attributes, not printed, filtered or put in a list."
            )
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise TemplateLimitError(f"The template makes a number beyond {MAX_BITS:,} bits.")

    def through(self, items: Iterator[Any]) -> Iterator[Any]:
        """The same items, each charged as it is taken."""
        for item in items:
            self.value(item)
            yield item


_HOLDERS: tuple[type[Any], ...] = (
    list,
    tuple,
    set,
    frozenset,
    Mapping,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)
_current: ContextVar[Meter | None] = ContextVar("meter of the rendering", default=None)


def meter() -> Meter:
    """The meter of the rendering that runs in this thread; outside of one a fresh one."""
    return _current.get() or Meter()


def start() -> None:
    """Begins a new rendering in this thread."""
    _current.set(Meter())


def stop() -> None:
    """Ends it."""
    _current.set(None)


def bounded_range(*bounds: int) -> range:
    """Python's range, of at most a hundred thousand numbers."""
    numbers = range(*bounds)
    # Not len(): it overflows beyond the machine's word.
    if (numbers.stop - numbers.start) // numbers.step > MAX_RANGE:
        raise TemplateLimitError(f"The template asks for a range of more than {MAX_RANGE:,} numbers. Loop over less.")
    return numbers


def check_width(width: Any) -> None:
    """Refuses a count, width or precision that is only there to make something huge."""
    if isinstance(width, int | float) and abs(width) > MAX_WIDTH:
        raise TemplateLimitError(f"Found a width, count or precision of {width:,}; allowed are up to {MAX_WIDTH:,}.")


def check_format(text: str, values: Any) -> None:
    """Charges `text % values`; a width or precision in it is held to the same bound."""
    for at in (hit.start() for hit in re.finditer("%", text)):
        hit = _DIRECTIVE.match(text, at)
        sizes = hit.groups("") if hit else ()
        # Nested parentheses are legal in a key and would hide the width behind them.
        if "*" in sizes or (text.startswith("%(", at) and hit is not None and "(" not in hit.group()):
            raise TemplateLimitError(
                f"The format {text[at : at + 20]!r} is not allowed. Use %s, %d or %.2f with plain widths."
            )
        for size in sizes:
            check_width(int(size[:9] or 0))
    meter().value(values)
    meter().text(len(text))
