"""Style: cases worked out by hand, and the published figures of the usual benchmark."""

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from small_scores import chorale_like, quarters, score

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.metrics.distributions import DISTRIBUTIONS, chords, pooled_counts
from seqmusic.metrics.rates import Rate, RateEstimate, pooled_rate
from seqmusic.metrics.style import (
    STYLE_METRICS,
    ends_on_tonic,
    hold_rate,
    onset_rate,
    repeated_bars,
    style_estimates,
)
from seqmusic.score import Key, Score, TimeSignature, Voice, melody


def estimates_by_name(scores: list[Score]) -> dict[str, RateEstimate]:
    return {estimate.name: estimate for estimate in style_estimates(scores)}


@given(chorale_like())
def test_cells_that_are_not_held_are_onsets(piece: Score) -> None:
    holds, onsets = hold_rate(piece), onset_rate(piece)
    first_cells = len(piece.voices) * bool(onsets.opportunities)
    assert onsets.hits == first_cells + holds.opportunities - holds.hits


def test_repeated_bars_are_counted_voice_by_voice() -> None:
    three = TimeSignature(3, 4)
    soprano, bass = (60, 62, 64, 60, 62, 64, 65), (48, 50, 52, 48, 50, 53, 60)
    lines = [Voice(name, quarters(*line)) for name, line in (("Soprano", soprano), ("Bass", bass))]
    assert repeated_bars(Score(tuple(lines), ((0, three),))) == Rate(1, 6)
    assert repeated_bars(Score(tuple(lines), ((0, three),), pickup_ticks=24)) == Rate(0, 6)
    assert repeated_bars(Score(tuple(lines), ())) == Rate(0, 0)


@pytest.mark.parametrize(
    ("last", "key", "is_closed"),
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
def test_endings_on_the_tonic(last: tuple[int, ...], key: Key, is_closed: bool) -> None:
    piece = score(*((pitch + 2, pitch) for pitch in last), key=key)
    assert ends_on_tonic(piece) is is_closed
    assert ends_on_tonic(piece.transposed(3)) is is_closed


def test_voices_that_end_earlier_do_not_count_in_the_ending() -> None:
    assert ends_on_tonic(score((60, 72), (48, 60), (41, None), key=Key(0, "major")))


def test_scores_without_music_have_only_an_ending() -> None:
    nothing = [Score(()), Score((Voice("Soprano", ()),)), Score((), ())]
    estimates = style_estimates(nothing)
    assert [estimate.name for estimate in estimates] == [metric.name for metric in STYLE_METRICS]
    known = [estimate.name for estimate in estimates if not math.isnan(estimate.value)]
    assert known == ["endings on the tonic"]
    assert all(not count(empty) for count in DISTRIBUTIONS.values() for empty in nothing)


def test_long_pieces_have_more_weight() -> None:
    pooled = pooled_rate("hits", "%", [Rate(0, 10), Rate(30, 30)], 100)
    assert (pooled.value, pooled.hits, pooled.opportunities) == (75, 30, 40)
    assert (pooled.low, pooled.high) == (0, 100)


def test_chorales_obey_the_rules(chorales: Dataset) -> None:
    """The ranges hold the three splits of this corpus and of the usual benchmark, with a margin."""
    estimates = estimates_by_name([work.score for work in chorales.kept_works])
    for name, low, high in (
        ("parallel fifths", 0.4, 1.3),
        ("parallel octaves", 0.15, 0.8),
        ("voice crossings", 1.8, 3.1),
        ("upper voices beyond an octave", 1.0, 1.9),
        ("held cells", 76, 79),
        ("onsets", 0.85, 0.97),
        ("endings on the tonic", 90, 99),
    ):
        assert low < estimates[name].value < high, name
        assert estimates[name].low < estimates[name].value < estimates[name].high


@pytest.fixture(scope="module")
def benchmark() -> Dataset:
    path = Path(os.environ.get("SEQMUSIC_JSB", ""))
    if not path.is_file():
        pytest.skip("SEQMUSIC_JSB does not name the benchmark's file, Jsb16thSeparated.json")
    return benchmark_dataset(path)


PUBLISHED = (
    *("parallel fifths", "parallel octaves", "voice crossings"),
    *("upper voices beyond an octave", "onsets"),
)


@pytest.mark.parametrize(
    ("split", "values", "hidden_per_piece", "held"),
    [
        ("train", (0.67, 0.61, 2.4, 1.3, 0.894), 0.43, (0.809, 0.796, 0.780, 0.734)),
        ("valid", (0.80, 0.40, 3.0, 1.1, 0.869), 0.42, (0.814, 0.799, 0.790, 0.740)),
        ("test", (0.91, 0.36, 2.0, 1.6, 0.931), 0.47, (0.802, 0.789, 0.768, 0.722)),
    ],
)
def test_the_benchmark_has_its_published_figures(
    benchmark: Dataset,
    split: str,
    values: tuple[float, ...],
    hidden_per_piece: float,
    held: tuple[float, ...],
) -> None:
    pieces = [work.score for work in benchmark.works_in(split)]
    estimates = estimates_by_name(pieces)
    tolerances = (0.005, 0.005, 0.06, 0.05, 0.0005)
    for name, value, tolerance in zip(PUBLISHED, values, tolerances, strict=True):
        assert estimates[name].value == pytest.approx(value, abs=tolerance), name
    hidden = estimates["hidden fifths and octaves"].hits / len(pieces)
    assert hidden == pytest.approx(hidden_per_piece, abs=0.005)
    for voice, share in enumerate(held):
        rates = [hold_rate(Score(piece.voices[voice : voice + 1])) for piece in pieces]
        assert pooled_rate("", "", rates, 1).value == pytest.approx(share, abs=0.002)


def test_benchmark_chords_have_their_published_shares(benchmark: Dataset) -> None:
    counts = pooled_counts([chords(work.score) for work in benchmark.works_in("train")])
    triads = sum(counts[name] for name in ("major", "minor", "diminished", "augmented"))
    sevenths = sum(n for name, n in counts.items() if name.endswith("seventh"))
    assert triads / counts.total() == pytest.approx(0.746, abs=0.001)
    assert sevenths / counts.total() == pytest.approx(0.116, abs=0.001)


def test_a_melody_has_the_figures_that_one_voice_can_have() -> None:
    tune = melody(quarters(60, 67, 66, 60, 60), key=Key(0, "major"))
    estimates = style_estimates([tune])
    assert {e.name: e.value for e in estimates if not math.isnan(e.value)} == {
        "held cells": pytest.approx(100 * 16 / 19),
        "onsets": pytest.approx(4 / 20),
        "stepwise motion": pytest.approx(100 / 3),
        "leaps beyond a fifth": 0,
        "leaps beyond an octave": 0,
        "tritone leaps": pytest.approx(100 / 3),
        "repeated bars": 0,
        "endings on the tonic": 100,
    }
