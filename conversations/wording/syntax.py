"""One phrasing: Jinja's syntax, of which only what is harmless is understood.

Jinja parses, and nothing else of it is used: its tree is walked once, and what stands on the whitelist below is turned
into small functions. So a template can do nothing that is not written here: no loops, arithmetic, attributes, items,
calls, includes, macros or assignments exist at run time, whatever a sandbox would make of them.

Allowed: text, ``{{ name }}``, ``{{ name|filter }}``, ``{{ "literal" }}``, ``{{ a if b else c }}``, comments, and
``{% if a and not b %}…{% elif c == "x" %}…{% else %}…{% endif %}``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from conversations.errors import TemplateError
from conversations.wording.facts import NAMES

SOURCE_CHARS_MAX = 2_000
"""A phrasing is a sentence or two; anything longer is refused before it is parsed."""
NESTING_MAX = 24
LITERAL_CHARS_MAX = 200
NUMBER_MAX = 10_000

Values = Mapping[str, object]
_Render = Callable[[Values], str]
_Eval = Callable[[Values], object]


def _upper_first(value: object) -> str:
    text = str(value)
    return text[:1].upper() + text[1:]


def _lower_first(value: object) -> str:
    text = str(value)
    return text[:1].lower() + text[1:]


def _bare(value: object) -> str:
    return str(value).rstrip(" .!?…")


FILTERS: Mapping[str, Callable[[object], str]] = {
    "upper_first": _upper_first,
    "lower_first": _lower_first,
    "trim": lambda value: str(value).strip(),
    "bare": _bare,
}
"""The filters that a template may use: ``bare`` takes the closing punctuation away, so that a sentence can go on."""

_ENVIRONMENT = Environment(autoescape=False)  # only its parser is used; customers read plain text, not HTML


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrasing that passed the whitelist. ``needs`` are the facts without which it cannot be said."""

    source: str
    needs: frozenset[str]
    names: frozenset[str]
    _plain: str | None
    _render: _Render | None

    def render(self, values: Values) -> str:
        """The words, with the values in their places. A name without a value yields nothing."""
        if self._plain is not None:
            return self._plain
        assert self._render is not None
        return self._render(values)


def parse_phrase(source: str, where: str = "template", line: int = 1) -> Phrase:
    """Parse one phrasing and hold it to the whitelist.

    Raises TemplateError, with the line and the offending name or construct, if anything else is in it.
    """
    if len(source) > SOURCE_CHARS_MAX:
        raise TemplateError(
            where, line, f"{len(source)} characters in one phrasing, at most {SOURCE_CHARS_MAX}: split it"
        )
    if "{" not in source:
        return Phrase(source, frozenset(), frozenset(), source, None)
    if sum(source.count(opener) for opener in "([{") > 2 * NESTING_MAX or source.count("not ") > NESTING_MAX:
        raise TemplateError(where, line, "too many brackets or negations: write simple sentences")
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateError(
            where, line + error.lineno - 1, f"{error.message}: close every {{{{ }}}} and {{% if %}}"
        ) from None
    except (RecursionError, ValueError, OverflowError):
        raise TemplateError(where, line, "too deeply nested or too large a number: write simple sentences") from None
    compiler = _Compiler(where, line)
    render = compiler.body(tree.body, frozenset(), 0)
    return Phrase(source, frozenset(compiler.needs), frozenset(compiler.names), None, render)


class _Compiler:
    """Turns the whitelisted tree into functions, and notes the names on its way."""

    def __init__(self, where: str, line: int) -> None:
        self.where = where
        self.line = line
        self.needs: set[str] = set()
        self.names: set[str] = set()

    def body(self, body: list[nodes.Node], guarded: frozenset[str], depth: int) -> _Render:
        if depth > NESTING_MAX:
            raise self.refuse(body[0] if body else None, "nested too deeply")
        parts: list[_Render] = []
        for node in body:
            if isinstance(node, nodes.Output):
                parts.extend(self.printed(child, guarded, depth) for child in node.nodes)
            elif isinstance(node, nodes.If):
                parts.append(self.branch(node, guarded, depth))
            else:
                raise self.refuse(node)
        if len(parts) == 1:
            return parts[0]
        return lambda values: "".join([part(values) for part in parts])

    def branch(self, node: nodes.If, guarded: frozenset[str], depth: int) -> _Render:
        branches = [(node.test, node.body), *((inner.test, inner.body) for inner in node.elif_)]
        compiled = [
            (self.value(test, depth + 1), self.body(body, guarded | _certain_names(test), depth + 1))
            for test, body in branches
        ]
        otherwise = self.body(node.else_, guarded, depth + 1) if node.else_ else None

        def render(values: Values) -> str:
            for test, body in compiled:
                if test(values):
                    return body(values)
            return otherwise(values) if otherwise else ""

        return render

    def printed(self, node: nodes.Node, guarded: frozenset[str], depth: int) -> _Render:
        if isinstance(node, nodes.TemplateData):
            text = node.data
            return lambda values: text
        if isinstance(node, nodes.CondExpr):
            test = self.value(node.test, depth + 1)
            then = self.printed(node.expr1, guarded | _certain_names(node.test), depth + 1)
            other = self.printed(node.expr2, guarded, depth + 1) if node.expr2 else None
            return lambda values: then(values) if test(values) else other(values) if other else ""
        value = self.value(node, depth + 1)
        self.needs |= {name.name for name in _names(node)} - guarded
        return lambda values: "" if (found := value(values)) is None else str(found)

    def value(self, node: nodes.Node, depth: int) -> _Eval:
        if depth > NESTING_MAX:
            raise self.refuse(node, "nested too deeply")
        if isinstance(node, nodes.Name) and node.ctx == "load":
            name = self.name(node)
            return lambda values: values.get(name)
        if isinstance(node, nodes.Const):
            constant = self.constant(node)
            return lambda values: constant
        if isinstance(node, nodes.Filter):
            return self.filtered(node, depth)
        if isinstance(node, nodes.Not):
            inner = self.value(node.node, depth + 1)
            return lambda values: not inner(values)
        if isinstance(node, nodes.And | nodes.Or):
            left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
            if isinstance(node, nodes.And):
                return lambda values: left(values) and right(values)
            return lambda values: left(values) or right(values)
        if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in ("eq", "ne"):
            left, right = self.value(node.expr, depth + 1), self.value(node.ops[0].expr, depth + 1)
            if node.ops[0].op == "eq":
                return lambda values: left(values) == right(values)
            return lambda values: left(values) != right(values)
        raise self.refuse(node)

    def name(self, node: nodes.Name) -> str:
        if node.name not in NAMES:
            close = difflib.get_close_matches(node.name, NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(NAMES))}"
            raise self.refuse(node, f"unknown variable {node.name}: {hint}")
        self.names.add(node.name)
        return node.name

    def constant(self, node: nodes.Const) -> object:
        value: Any = node.value
        if isinstance(value, str) and len(value) > LITERAL_CHARS_MAX:
            raise self.refuse(node, f"a literal of {len(value)} characters, at most {LITERAL_CHARS_MAX}")
        if isinstance(value, int | float) and not -NUMBER_MAX <= value <= NUMBER_MAX:
            raise self.refuse(node, "a number that large has no place in a message")
        return value

    def filtered(self, node: nodes.Filter, depth: int) -> _Eval:
        function = FILTERS.get(node.name)
        if function is None:
            raise self.refuse(node, f"unknown filter {node.name}: known are {', '.join(sorted(FILTERS))}")
        if node.node is None or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise self.refuse(node, f"the filter {node.name} takes no arguments")
        inner = self.value(node.node, depth + 1)
        return lambda values: function("" if (found := inner(values)) is None else found)

    def refuse(self, node: nodes.Node | None, message: str | None = None) -> TemplateError:
        line = self.line + (node.lineno - 1 if node is not None and node.lineno else 0)
        if message is None:
            message = (
                f"{type(node).__name__.lower()} is not allowed: use text, {{{{ names }}}}, filters and {{% if %}} only"
            )
        return TemplateError(self.where, line, message)


def _names(node: nodes.Node) -> list[nodes.Name]:
    return [node] if isinstance(node, nodes.Name) else list(node.find_all(nodes.Name))


def _certain_names(test: nodes.Node) -> frozenset[str]:
    """The names that must have a value when the test holds."""
    if isinstance(test, nodes.Name):
        return frozenset({test.name})
    if isinstance(test, nodes.And):
        return _certain_names(test.left) | _certain_names(test.right)
    return frozenset()
