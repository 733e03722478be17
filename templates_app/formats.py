"""The formats of JSON Schema that an answer is checked against.

Those of jsonschema, but for IRIs: the grammar that it takes for them is compiled for seconds whenever a process starts.
"""

from __future__ import annotations

from typing import Any

from django.utils.encoding import iri_to_uri
from jsonschema import Draft202012Validator, FormatChecker
from rfc3986_validator import validate_rfc3986

FORMATS = FormatChecker(())
FORMATS.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)


def _is_iri(value: Any, rule: str) -> bool:
    return not isinstance(value, str) or bool(validate_rfc3986(iri_to_uri(value), rule=rule))


@FORMATS.checks("iri", raises=ValueError)
def is_iri(value: Any) -> bool:
    """An IRI is what is a URI once its letters beyond ASCII are percent-encoded."""
    return _is_iri(value, "URI")


@FORMATS.checks("iri-reference", raises=ValueError)
def is_iri_reference(value: Any) -> bool:
    return _is_iri(value, "URI_reference")
