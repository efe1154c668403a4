"""Small changes of Python code, found in its syntax tree and written into its text; mutants.py tries them.

Changes are those that a slip would make (mutation analysis: DeMillo, Lipton and Sayward 1978): another comparison,
operator or number, a condition turned round, two arguments swapped, a statement left out. Annotations, decorators,
texts and the ``strict`` of zip are left alone: they change no result.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")), ast.LtE: ("<=", ("<", ">")), ast.Gt: (">", (">=", "<=")), ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)), ast.NotEq: ("!=", ("==",)), ast.In: ("in", ("not in",)), ast.NotIn: (r"not\s+in", ("in",)),
    ast.Is: ("is", ("is not",)), ast.IsNot: (r"is\s+not", ("is",)),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}  # fmt: skip
TWINS = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}
SYMMETRIC = {"min", "max", "minimum", "maximum", "hypot", "gcd", "union1d", "intersect1d", "array_equal", "allclose"}
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list"}


@dataclass(frozen=True)
class Change:
    """The text from ``start`` to ``end`` (bytes of the file) becomes ``after``; ``line`` counts from 1."""

    line: int
    start: int
    end: int
    before: str
    after: str

    def apply(self, source: bytes) -> bytes:
        """The file's bytes with the change."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def changes(source: bytes) -> list[Change]:
    """All changes of a file that still parse, in the order of the file.

    Raises:
        SyntaxError: the file itself does not parse.
    """
    text = _Text(source)
    tree = ast.parse(source)
    found = {change for node in _nodes(tree) for change in _of_node(node, text)}
    ordered = sorted(found, key=lambda change: (change.start, change.end, change.after))
    return [change for change in ordered if _parses(change.apply(source))]


class _Text:
    """A file's bytes, and where its nodes stand in them."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.source[start:end].decode()

    def change(self, node: ast.expr | ast.stmt, after: str) -> Change:
        start, end = self.span(node)
        return Change(node.lineno, start, end, self.of(node), after)

    def operator(self, left: ast.expr, right: ast.expr, node: ast.expr, old: str, new: str) -> Change | None:
        """The operator between two operands changed; what stands around it (brackets, comments) stays."""
        gap = self.span(left)[1], self.span(right)[0]
        place = re.search(old.encode(), re.sub(rb"#[^\n]*", lambda m: b" " * len(m[0]), self.source[gap[0] : gap[1]]))
        if place is None:
            return None
        start, end = self.span(node)
        first, last = gap[0] + place.start(), gap[0] + place.end()
        after = self.source[start:first] + new.encode() + self.source[last:end]
        return Change(self.source[:first].count(b"\n") + 1, start, end, self.of(node), after.decode())


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node below ``tree`` but those in annotations, decorators and ``strict=``; ``-1`` is one number."""
    yield tree
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.operand, ast.Constant):
        return
    for name, value in ast.iter_fields(tree):
        if name in SKIPPED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(child, ast.keyword) and child.arg == "strict"):
                yield from _nodes(child)


def _of_node(node: ast.AST, text: _Text) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        old, others = COMPARISONS[type(node.ops[0])]
        for new in others:
            yield from _given(text.operator(node.left, node.comparators[0], node, old, new))
    elif isinstance(node, ast.Compare):
        for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            old, others = COMPARISONS[type(op)]
            yield from _given(text.operator(left, right, node, old, others[0]))
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        old, new = ARITHMETIC[type(node.op)]
        change = text.operator(node.left, node.right, node, re.escape(old), new)
        yield from _given(change if old in "+-*/" else _in_brackets(change))
    elif isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        if len(node.values) == 2:
            yield from _given(_in_brackets(text.operator(node.values[0], node.values[1], node, old, new)))
        yield from (text.change(node, f"({text.of(value)})") for value in node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield text.change(node, f"({text.of(node.operand)})")
    elif isinstance(node, ast.Constant):
        yield from (text.change(node, after) for after in _other_constants(node.value))
    elif isinstance(node, ast.Call):
        yield from _of_call(node, text)
    else:
        yield from _of_statement(node, text)


def _of_call(node: ast.Call, text: _Text) -> Iterator[Change]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in TWINS:
        end = text.span(node.func)[1]
        yield Change(node.lineno, end - len(name), end, name, TWINS[name])
    starred = any(isinstance(item, ast.Starred) for item in node.args[:2])
    if len(node.args) > 1 and name not in SYMMETRIC and not starred:
        (first, last), other = text.span(node.args[0]), text.span(node.args[1])
        between = text.source[last : other[0]].decode()
        swapped = f"{text.of(node.args[1])}{between}{text.of(node.args[0])}"
        yield Change(node.args[0].lineno, first, other[1], text.source[first : other[1]].decode(), swapped)


def _of_statement(node: ast.AST, text: _Text) -> Iterator[Change]:
    if isinstance(node, (ast.If, ast.IfExp, ast.While)) and not isinstance(node.test, (ast.Compare, ast.UnaryOp)):
        yield text.change(node.test, f"(not ({text.of(node.test)}))")
    elif isinstance(node, (ast.Raise, ast.AugAssign, ast.Continue, ast.Break, ast.Assert, ast.Delete)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield text.change(node, "pass")


def _other_constants(value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(not value)]
    if isinstance(value, int):
        return [str(value + 1), f"({value - 1})"]
    if isinstance(value, float):
        return [repr(value * 1.5 + 0.1)]
    return []


def _in_brackets(change: Change | None) -> Change | None:
    """For an operator that binds otherwise than the one before it."""
    return None if change is None else replace(change, after=f"({change.after})")


def _given(change: Change | None) -> list[Change]:
    return [] if change is None else [change]


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True
