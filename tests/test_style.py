"""Measures of style in one table: hand-worked cases, and the figures that the usual benchmark is known for."""

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from small_scores import chorale_like, quarters, score

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.metrics.distributions import DISTRIBUTIONS, chords, pooled_counts
from seqmusic.metrics.rates import Rate, pooled_rate
from seqmusic.metrics.style import (
    STYLE_METRICS,
    ends_on_tonic,
    hold_rate,
    onset_rate,
    repeated_bars,
    style_estimates,
)
from seqmusic.score import Key, Score, TimeSignature, Voice, melody


@given(chorale_like())
def test_what_is_not_held_begins(piece: Score) -> None:
    held, begun = hold_rate(piece), onset_rate(piece)
    assert (
        begun.hits == len(piece.voices) * bool(begun.opportunities) + held.opportunities - held.hits
    )


def test_a_bar_is_repeated_within_its_voice() -> None:
    three = TimeSignature(3, 4)
    soprano, bass = (60, 62, 64, 60, 62, 64, 65), (48, 50, 52, 48, 50, 53, 60)
    lines = [Voice(name, quarters(*line)) for name, line in (("Soprano", soprano), ("Bass", bass))]
    assert repeated_bars(Score(tuple(lines), ((0, three),))) == Rate(1, 6)
    assert repeated_bars(Score(tuple(lines), ((0, three),), pickup_ticks=24)) == Rate(0, 6)
    assert repeated_bars(Score(tuple(lines), ())) == Rate(0, 0)


@pytest.mark.parametrize(
    ("last", "key", "closes"),
    [
        ((72, 67, 64, 48), Key(0, "major"), True),
        ((72, 67, 63, 48), Key(0, "major"), False),  # a minor third in a major piece
        ((76, 69, 61, 45), Key(0, "minor"), True),  # a major third in a minor piece
        ((76, 72, 67, 48), Key(0, "minor"), False),  # the tonic chord of the other key
        ((72, 67, 60, 52), Key(0, "major"), False),  # the third in the bass
        ((74, 71, 67, 55), Key(0, "major"), False),  # on the dominant
        ((60, 60, 48, 48), Key(0, "major"), True),
        ((67,), Key(1, "major"), True),
        ((67,), Key(0, "major"), False),
    ],
)
def test_what_closes_a_piece(last: tuple[int, ...], key: Key, closes: bool) -> None:
    piece = score(*((pitch + 2, pitch) for pitch in last), key=key)
    assert ends_on_tonic(piece) is closes
    assert ends_on_tonic(piece.transposed(3)) is closes


def test_a_voice_that_stopped_before_has_no_say_in_the_end() -> None:
    assert ends_on_tonic(score((60, 72), (48, 60), (41, None), key=Key(0, "major")))


def test_scores_without_music_have_no_figures() -> None:
    nothing = [Score(()), Score((Voice("Soprano", ()),)), Score((), ())]
    figures = style_estimates(nothing)
    assert [figure.name for figure in figures] == [measure.name for measure in STYLE_METRICS]
    assert [figure.name for figure in figures if not math.isnan(figure.value)] == [
        "endings on the tonic"
    ]
    assert all(not count(empty) for count in DISTRIBUTIONS.values() for empty in nothing)


def test_long_pieces_count_for_more() -> None:
    figure = pooled_rate("hits", "%", [Rate(0, 10), Rate(30, 30)], 100)
    assert (figure.value, figure.hits, figure.opportunities) == (75, 30, 40)
    assert (figure.low, figure.high) == (0, 100)


def test_chorales_keep_the_rules_as_told(chorales: Dataset) -> None:
    """The ranges are what the three parts of this corpus and of the usual benchmark have, with room for a part of another size."""
    figures = {
        figure.name: figure
        for figure in style_estimates([work.score for work in chorales.kept_works])
    }
    for name, low, high in (
        ("parallel fifths", 0.4, 1.3),
        ("parallel octaves", 0.15, 0.8),
        ("voice crossings", 1.8, 3.1),
        ("upper voices beyond an octave", 1.0, 1.9),
        ("held cells", 76, 79),
        ("onsets", 0.85, 0.97),
        ("endings on the tonic", 74, 88),
    ):
        assert low < figures[name].value < high, name
        assert figures[name].low < figures[name].value < figures[name].high


@pytest.fixture(scope="module")
def benchmark() -> Dataset:
    path = Path(os.environ.get("SEQMUSIC_JSB", ""))
    if not path.is_file():
        pytest.skip("SEQMUSIC_JSB does not name the benchmark's file, Jsb16thSeparated.json")
    return benchmark_dataset(path)


@pytest.mark.parametrize(
    ("split", "fifths", "octaves", "hidden_a_piece", "crossed", "spaced", "begun", "held"),
    [
        ("train", 0.67, 0.61, 0.43, 2.4, 1.3, 0.894, (0.809, 0.796, 0.780, 0.734)),
        ("valid", 0.80, 0.40, 0.42, 3.0, 1.1, 0.869, (0.814, 0.799, 0.790, 0.740)),
        ("test", 0.91, 0.36, 0.47, 2.0, 1.6, 0.931, (0.802, 0.789, 0.768, 0.722)),
    ],
)
def test_the_benchmark_has_its_published_figures(
    benchmark: Dataset,
    split: str,
    fifths: float,
    octaves: float,
    hidden_a_piece: float,
    crossed: float,
    spaced: float,
    begun: float,
    held: tuple[float, ...],
) -> None:
    pieces = [work.score for work in benchmark.works_in(split)]
    told = {figure.name: figure for figure in style_estimates(pieces)}
    assert told["parallel fifths"].value == pytest.approx(fifths, abs=0.005)
    assert told["parallel octaves"].value == pytest.approx(octaves, abs=0.005)
    assert told["hidden fifths and octaves"].hits / len(pieces) == pytest.approx(
        hidden_a_piece, abs=0.005
    )
    assert told["voice crossings"].value == pytest.approx(crossed, abs=0.06)
    assert told["upper voices beyond an octave"].value == pytest.approx(spaced, abs=0.05)
    assert told["onsets"].value == pytest.approx(begun, abs=0.0005)
    for voice, share in enumerate(held):
        alone = pooled_rate(
            "", "", [hold_rate(Score(piece.voices[voice : voice + 1])) for piece in pieces], 1
        )
        assert alone.value == pytest.approx(share, abs=0.002)


def test_benchmark_chords_have_their_published_shares(benchmark: Dataset) -> None:
    told = pooled_counts([chords(work.score) for work in benchmark.works_in("train")])
    triads = sum(told[name] for name in ("major", "minor", "diminished", "augmented"))
    sevenths = sum(n for name, n in told.items() if name.endswith("seventh"))
    assert triads / told.total() == pytest.approx(0.746, abs=0.001)
    assert sevenths / told.total() == pytest.approx(0.116, abs=0.001)


def test_a_melody_has_the_figures_that_one_voice_can_have() -> None:
    tune = melody(quarters(60, 67, 66, 60, 60), key=Key(0, "major"))
    told = {
        figure.name: figure.value
        for figure in style_estimates([tune])
        if not math.isnan(figure.value)
    }
    assert told == {
        "held cells": pytest.approx(100 * 16 / 19),
        "onsets": pytest.approx(4 / 20),
        "leaps beyond a fifth": 0,
        "leaps beyond an octave": 0,
        "tritone leaps": pytest.approx(100 / 3),
        "repeated bars": 0,
        "endings on the tonic": 100,
    }
