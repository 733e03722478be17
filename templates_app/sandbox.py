"""The Jinja2 environment of prompts: no loader, no statements that reach other templates, everything metered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer

from templates_app import operations
from templates_app.metering import bounded_range, meter
from workbench.canonical import canonical_json

# Names no template can write, as a filter's name has no space.
_STEP, _VALUE, _CONCAT = "metered step", "metered value", "metered concat"
_REFUSED = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport, nodes.Block)
_RUNTIME = (LoopContext, Macro, Cycler, Joiner, Namespace)
_PRINTABLE = (str, int, float, Decimal, date, time, timedelta, UUID, bytes, type(None), Undefined)


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 for prompts. Autoescape is off: a prompt is text for a model, which would learn `&lt;` as data."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self) -> None:
        # Not optimized: folding constants would run `'a' * 10**9` while compiling, before any budget.
        super().__init__(undefined=StrictUndefined, autoescape=False, loader=None, optimized=False, finalize=_printed)
        self.filters = operations.filters()
        self.filters |= {_STEP: _step, _VALUE: _charged, _CONCAT: operations.concat}
        self.tests = operations.tests()
        self.globals = {name: self.globals[name] for name in ("dict", "cycler", "joiner", "namespace")}
        self.globals["range"] = bounded_range

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        return super()._generate(_MeteredTree().visit(source), name, filename, defer_init)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        operations.binary(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - Jinja2's own names
        meter().value([value for value in (*args, *kwargs.values()) if not isinstance(value, Namespace)])
        operations.method(__obj, args, kwargs)
        result = super().call(__context, __obj, *args, **kwargs)
        if not isinstance(result, (*_RUNTIME, range)):
            meter().value(result)
        return result

    def getattr(self, obj: Any, attribute: str) -> Any:
        # A column `items` or `count` is the column, not the method of the mapping that holds it.
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> None:
        """None, so that `format` and `format_map` are judged like any attribute, and refused."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, _RUNTIME):
            return super().is_safe_attribute(obj, attr, value)
        return any(isinstance(obj, kind) and attr in names for kind, names in _ATTRIBUTES)


_ATTRIBUTES: tuple[tuple[Any, frozenset[str]], ...] = (
    (str, operations.TEXT_METHODS),
    (Mapping, operations.MAPPING_METHODS),
    (list | tuple, operations.LIST_METHODS | {"grouper", "list"}),  # the last two are of the filter groupby
    (date | time | timedelta, operations.TIME_ATTRIBUTES),
    (float, frozenset({"is_integer"})),
)


class _MeteredTree(NodeTransformer):
    """The tree with a charge at every loop turn and at everything that makes a value without a call."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        # Text that stands in the loop is made once a turn without any call to charge it.
        literal = sum(len(data.data) for part in node.body for data in part.find_all(nodes.TemplateData))
        turn = _filtered(nodes.Const(1 + literal // 16), _STEP, node.lineno)
        node.body.insert(0, nodes.ExprStmt(turn, lineno=node.lineno))
        if node.test is not None:
            node.test = nodes.And(_filtered(nodes.Const(1), _STEP, node.lineno), node.test, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), _CONCAT, node.lineno)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _VALUE, node.lineno)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _VALUE, node.lineno)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _VALUE, node.lineno) if node.ctx == "load" else node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _VALUE, node.lineno) if isinstance(node.arg, nodes.Slice) else node

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        if isinstance(node, _REFUSED):
            word = type(node).__name__.lower()
            raise TemplateSyntaxError(
                f"A prompt stands alone: '{word}' is not allowed. Write the text here.", node.lineno
            )
        return super().generic_visit(node, *args, **kwargs)


def _filtered(node: nodes.Expr, name: str, line: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=line)


def _step(units: int) -> bool:
    meter().spend(units)
    return True


def _charged(value: Any) -> Any:
    meter().value(value)
    return value


@pass_context  # which also keeps Jinja2 from printing constants while compiling
def _printed(_context: Context, value: Any) -> Any:
    """What `{{ value }}` prints: lists and objects as JSON, as answers are written; the rest as text."""
    meter().value(value)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        value = canonical_json(value)
    elif not isinstance(value, _PRINTABLE):
        raise TypeError(f"a {type(value).__name__} cannot be printed; print a text or number, or finish with | list")
    if isinstance(value, str):
        meter().text(len(value))
    return value
