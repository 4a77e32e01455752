"""The n-grams of a line: short figures of melody and rhythm, each as one number.

There are three views of a note beside the one before: its interval, the ratio of durations, and
both together; and one of a note by itself, its degree above the tonic of the likeliest key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seqmusic.recognition.lines import (
    MAX_INTERVAL,
    MAX_RATIO,
    N_INTERVALS,
    N_RATIOS,
    N_STEPS,
    Integers,
    Line,
    duration_ratios,
    intervals,
    steps,
)
from seqmusic.tonality import all_keys, key_profile, tonic_pitch_class

N_DEGREES = 24  # twelve in a major key, twelve in a minor key
_DEGREE_NAMES = ("1", "b2", "2", "b3", "3", "4", "#4", "5", "b6", "6", "b7", "7")
_RATIO_NAMES = (
    *("1/8", "1/6", "1/4", "1/3", "1/2", "2/3", "="),
    *("x3/2", "x2", "x3", "x4", "x6", "x8"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of n-gram.

    Attributes:
        view: "interval", "rhythm", "step" or "degree".
        base: number of values of one symbol.
        length: symbols in the n-gram.
        n_notes: notes that it spans.
    """

    view: str
    base: int
    length: int
    n_notes: int


KINDS = (
    *(Kind("interval", N_INTERVALS, n, n + 1) for n in (1, 2, 3)),
    *(Kind("rhythm", N_RATIOS, n, n + 1) for n in (1, 2, 3)),
    *(Kind("step", N_STEPS, n, n + 1) for n in (1, 2)),
    *(Kind("degree", N_DEGREES, n, n) for n in (1, 2, 3)),
    Kind("degree with rhythm", N_DEGREES * N_RATIOS, 1, 2),
)


@dataclass(frozen=True, slots=True, eq=False)
class Ngrams:
    """The M n-grams of a line.

    Attributes:
        codes: (M,) the kind and the symbols in one number.
        first_notes: (M,) number of the first note that each spans.
    """

    codes: Integers
    first_notes: Integers


def ngrams_of(line: Line) -> Ngrams:
    """All n-grams of a line, kind by kind."""
    symbols = _symbols(line)
    codes, first = [], []
    for number, kind in enumerate(KINDS):
        values = windows(symbols[kind.view], kind.base, kind.length)
        codes.append(values * len(KINDS) + number)
        first.append(np.arange(len(values)))
    return Ngrams(np.concatenate(codes), np.concatenate(first))


def windows(symbols: Integers, base: int, length: int) -> Integers:
    """(max(0, N - length + 1),) each stretch of so many symbols as one number in this base.

    >>> windows(np.array([1, 2, 3]), 10, 2).tolist()
    [12, 23]
    """
    n = max(0, len(symbols) - length + 1)
    codes = np.zeros(n, np.int64)
    for i in range(length):
        codes = codes * base + symbols[i : i + n]
    return codes


def degrees(line: Line) -> Integers:
    """(N,) semitones above the tonic of the likeliest key, plus 12 in a minor key.

    >>> from seqmusic.formats.theme import parse_theme
    >>> from seqmusic.recognition.lines import line_of
    >>> degrees(line_of(parse_theme("D4 F#4 A4 G4 F#4 E4 D4").voices[0])).tolist()
    [0, 4, 7, 5, 4, 2, 0]
    """
    weights = np.bincount(line.pitches % 12, line.durations, 12)
    mode, tonic = divmod(int(np.argmax(_key_profiles() @ weights)), 12)
    return (line.pitches - tonic) % 12 + 12 * mode


@cache
def _key_profiles() -> NDArray[np.float64]:
    """(24, 12) standardized profiles: major keys by tonic, then minor keys."""
    profiles = np.zeros((24, 12))
    for key in all_keys():
        values = np.array(key_profile(key))
        row = tonic_pitch_class(key) + 12 * (key.mode == "minor")
        profiles[row] = (values - values.mean()) / values.std()
    return profiles


def _symbols(line: Line) -> dict[str, Integers]:
    ratios, of_notes = duration_ratios(line), degrees(line)
    return {
        "interval": intervals(line),
        "rhythm": ratios,
        "step": steps(line),
        "degree": of_notes,
        "degree with rhythm": of_notes[1:] * N_RATIOS + ratios,
    }


def kind_of(code: int) -> Kind:
    """The kind of an n-gram."""
    return KINDS[code % len(KINDS)]


def ngram_text(code: int) -> str:
    """An n-gram in words: intervals in semitones, durations as ratios, degrees of a scale.

    >>> from seqmusic.formats.theme import parse_theme
    >>> from seqmusic.recognition.lines import line_of
    >>> line = line_of(parse_theme("C4:1/4 D4:1/8 B3:1/8").voices[0])
    >>> codes = ngrams_of(line).codes.tolist()
    >>> ngram_text(codes[2]), ngram_text(codes[5])
    ('interval +2 -3', 'rhythm 1/2 =')
    """
    kind = kind_of(code)
    symbols = list(_digits(code, kind))
    text = f"{kind.view} {' '.join(_symbol_text(kind, symbol) for symbol in symbols)}"
    if not kind.view.startswith("degree"):
        return text
    degree = symbols[0] if kind.view == "degree" else symbols[0] // N_RATIOS
    return f"{text} in {'minor' if degree >= N_DEGREES // 2 else 'major'}"


def _digits(code: int, kind: Kind) -> Iterator[int]:
    rest = code // len(KINDS)
    for i in reversed(range(kind.length)):
        yield rest // kind.base**i % kind.base


def _symbol_text(kind: Kind, symbol: int) -> str:
    if kind.view == "interval":
        return _interval_text(symbol)
    if kind.view == "rhythm":
        return _RATIO_NAMES[symbol]
    if kind.view == "step":
        interval, ratio = divmod(symbol, N_RATIOS)
        return f"{_interval_text(interval)}({_RATIO_NAMES[ratio]})"
    if kind.view == "degree":
        return _DEGREE_NAMES[symbol % 12]
    degree, ratio = divmod(symbol, N_RATIOS)
    return f"{_DEGREE_NAMES[degree % 12]}({_RATIO_NAMES[ratio]})"


def _interval_text(symbol: int) -> str:
    return f"{symbol - MAX_INTERVAL:+d}".replace("+0", "0")


assert len(_RATIO_NAMES) == 2 * MAX_RATIO + 1
