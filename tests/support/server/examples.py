"""Runs the examples of a docstring, with `await` at top level too."""

import ast
import doctest
import io
from collections.abc import Callable, Coroutine
from contextlib import redirect_stdout
from inspect import CO_COROUTINE
from types import CodeType
from typing import Any

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples_of(subject: object) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(getattr(subject, "__doc__", None) or "")


def wrong(
    examples: list[doctest.Example], names: dict[str, Any], run: Callable[[Coroutine[Any, Any, Any]], Any]
) -> str:
    """The first example that prints something else than it says, with the difference; empty if there is none."""
    checker = doctest.OutputChecker()
    for example in examples:
        code = compile(example.source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with redirect_stdout(io.StringIO()) as out:
            _run(code, names, run)
        if not checker.check_output(example.want, out.getvalue(), OPTIONS):
            return f"{example.source}{checker.output_difference(example, out.getvalue(), OPTIONS)}"
    return ""


def _run(code: CodeType, names: dict[str, Any], run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    result = eval(code, names)
    if code.co_flags & CO_COROUTINE:
        run(result)
