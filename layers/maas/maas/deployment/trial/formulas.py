"""Symbols that are formulas of other symbols, as exporters write `past_length + 1` and `2*s0`."""

import ast
import operator
from collections.abc import Mapping
from typing import Any

_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv}
_LONGEST = 200


def names(symbol: str) -> list[str]:
    """The symbols that it is computed from; itself if it is no formula."""
    formula = _parsed(symbol)
    return [symbol] if formula is None else [node.id for node in ast.walk(formula) if isinstance(node, ast.Name)]


def value(symbol: str, sizes: Mapping[Any, int]) -> int:
    """Its size, at least 0, where those of `names` are in `sizes`; 1 for one that is not."""
    formula = _parsed(symbol)
    return sizes.get(symbol, 1) if formula is None else max(0, _computed(formula, sizes))


def _parsed(symbol: str) -> ast.expr | None:
    try:
        found = ast.parse(symbol.strip(), mode="eval").body if len(symbol) <= _LONGEST else None
    except (SyntaxError, ValueError):
        return None
    return found if isinstance(found, ast.BinOp) and all(map(_is_allowed, ast.walk(found))) else None


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int and 0 < node.value < 1 << 31
    if isinstance(node, ast.operator):
        return type(node) in _OPERATORS
    return isinstance(node, ast.BinOp | ast.Name | ast.Load)


def _computed(node: ast.expr, sizes: Mapping[Any, int]) -> int:
    if isinstance(node, ast.BinOp):
        left, right = _computed(node.left, sizes), _computed(node.right, sizes)
        is_by_zero = isinstance(node.op, ast.FloorDiv) and right == 0
        return 0 if is_by_zero else int(_OPERATORS[type(node.op)](left, right))
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int)
        return node.value
    assert isinstance(node, ast.Name)
    return sizes.get(node.id, 1)
