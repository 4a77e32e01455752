"""The shape of the code: short files, short functions, few arguments, narrow lines."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_ARGUMENTS, MAX_WIDTH = 300, 40, 8, 100


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def count_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """All arguments but self and cls; *args and **kwargs are one each."""
    arguments = function.args
    positional = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    n_bound = positional[:1] in (["self"], ["cls"])
    n_variadic = (arguments.vararg is not None) + (arguments.kwarg is not None)
    return len(positional) - n_bound + len(arguments.kwonlyargs) + n_variadic


def long_files(file: str, source: str) -> list[str]:
    n_lines = len(source.splitlines())
    return [f"{file}: {n_lines} lines"] if n_lines > MAX_FILE_LINES else []


def long_functions(file: str, source: str) -> list[str]:
    """Functions with too many lines, from `def` to their end, docstring included."""
    return [
        f"{file}:{function.lineno} {function.name} has {n_lines} lines"
        for function in functions(source)
        if (n_lines := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    ]


def functions_of_many_arguments(file: str, source: str) -> list[str]:
    return [
        f"{file}:{function.lineno} {function.name} has {n_arguments} arguments"
        for function in functions(source)
        if (n_arguments := count_arguments(function)) > MAX_ARGUMENTS
    ]


def wide_lines(file: str, source: str) -> list[str]:
    return [
        f"{file}:{number} is {len(line)} wide"
        for number, line in enumerate(source.splitlines(), start=1)
        if len(line) > MAX_WIDTH
    ]


def breaches_of(rule: object, folders: Iterable[str]) -> list[str]:
    assert callable(rule)
    return [
        breach
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for breach in rule(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        (long_files, ("seqmusic", "scripts")),
        (long_functions, ("seqmusic", "scripts")),
        (functions_of_many_arguments, ("seqmusic", "scripts")),
        (wide_lines, ("seqmusic", "scripts", "tests")),
    ],
)
def test_the_code_keeps_its_shape(rule: object, folders: tuple[str, ...]) -> None:
    breaches = breaches_of(rule, folders)
    assert not breaches, "\n".join([f"{len(breaches)} breaches", *breaches])


BODY = "\n    pass"


@pytest.mark.parametrize(
    ("rule", "source", "breach"),
    [
        (long_files, "x = 1\n" * 301, "a.py: 301 lines"),
        (long_functions, f"x = 1\ndef f():{BODY * 40}", "a.py:2 f has 41 lines"),
        (long_functions, f"class A:\n  async def f(self):{BODY * 40}", "a.py:2 f has 41 lines"),
        (
            functions_of_many_arguments,
            f"def f(a, b, /, c, *d, e, f, g, h, **i):{BODY}",
            "a.py:1 f has 9 arguments",
        ),
        (wide_lines, "x = 1\n" + "y" * 101, "a.py:2 is 101 wide"),
    ],
)
def test_each_rule_sees_a_breach(rule: object, source: str, breach: str) -> None:
    assert callable(rule)
    assert rule("a.py", source) == [breach]


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (long_files, "x = 1\n" * 300),
        (long_functions, f"def f():{BODY * 39}"),
        (functions_of_many_arguments, f"def f(self, a, b, c, d, e, f, *, g, h):{BODY}"),
        (wide_lines, "y" * 100 + "\n"),
    ],
)
def test_no_rule_sees_a_breach_at_its_limit(rule: object, source: str) -> None:
    assert callable(rule)
    assert rule("a.py", source) == []
