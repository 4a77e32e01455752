"""The vocabulary of names: identifiers are made of words that a textbook would use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("seqmusic", "scripts", "tests")

STANDARD_TERMS = {
    "words": "vocabulary, names, message",
    "chance": "rng, probability",
    "said": "logits, events",
    "say": "log, print",
    "heard": "hidden, past",
    "hear": "on_note, a callback",
    "turns": "rotary angles",
    "own": "the noun itself",
    "told": "given, reported, output",
    "tile": "segment, note",
    "tiles": "columns, segments",
    "places": "positions, states, steps",
    "asked": "request, requested",
    "judged": "assessed, scored",
    "judging": "selection",
    "gather": "collect",
    "gathering": "collecting",
    "keeping": "losses",
    "patience": "timeout",
    "dial": "temperature sweep",
    "sureness": "confidence",
}
"""Words of a private dialect, each with the standard terms for what it used to mean."""

EXCEPTIONS = {
    "patience": "the key of a configuration, as in every library of early stopping",
    "gather": "a method of torch.Tensor",
    "places": "a key of the weights in every checkpoint",
}
"""Whole identifiers that may hold such a word, each with the reason."""

_FIELDS = ("id", "arg", "attr", "name", "asname", "module", "rest")


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each identifier of a module; of a dotted name, of each part."""
    line = 1
    for node in ast.walk(tree):
        line = getattr(node, "lineno", line)
        for field in _FIELDS:
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield from ((line, part) for part in value.split("."))
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from ((line, name) for name in node.names)


def parts(identifier: str) -> set[str]:
    """The words of an identifier.

    >>> sorted(parts("n_toldRows")), sorted(parts("_OWN_NGram2"))
    (['n', 'rows', 'told'], ['2', 'gram', 'n', 'own'])
    """
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", identifier)
    return {part.lower() for part in found}


def dialect(file: str, source: str) -> list[str]:
    """Each use of a dialect word in the name or the identifiers of a module, as file:line."""
    named = [(1, Path(file).stem), *identifiers(ast.parse(source))]
    return sorted(
        {
            f"{file}:{line} {name}: '{word}' is {STANDARD_TERMS[word]}"
            for line, name in named
            if name not in EXCEPTIONS
            for word in parts(name) & STANDARD_TERMS.keys()
        }
    )


def test_identifiers_are_standard_terms() -> None:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 200
    breaches = [
        breach
        for path in files
        for breach in dialect(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert not breaches, "\n".join([f"{len(breaches)} names", *breaches])


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("own = 1", "own"),
        ("x.n_told", "n_told"),
        ("f(isSaid=1)", "isSaid"),
        ("def f(tiles): pass", "tiles"),
        ("def test_what_is_told(): pass", "test_what_is_told"),
        ("class TileRow: pass", "TileRow"),
        ("from a.chance import b", "chance"),
        ("import a as heard", "heard"),
        ("lambda *words: 0", "words"),
        ("try: pass\nexcept E as own: pass", "own"),
        ("f'{own}'", "own"),
        ("def f():\n    global dial", "dial"),
        ("match x:\n    case {**own}: pass", "own"),
    ],
)
def test_dialect_is_seen_in_every_kind_of_name(source: str, name: str) -> None:
    (breach,) = dialect("a.py", source)
    assert re.fullmatch(rf"a\.py:[1-3] {name}: '\w+' is .*", breach)


def test_dialect_is_seen_in_the_name_of_a_file() -> None:
    assert dialect("a/patience_of.py", "") == [
        "a/patience_of.py:1 patience_of: 'patience' is timeout"
    ]


def test_similar_names_are_allowed() -> None:
    source = "owner, essay, placement, untold, settings.patience, x.gather(1)  # own, said"
    assert dialect("a.py", f"{source}\n'''told'''\nf('own')") == []
