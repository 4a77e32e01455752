"""Measures of style: hand-worked cases, the benchmark's published figures, and music21 as an oracle."""

import itertools
import math
import os
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import chord, corpus, note, stream
from music21.voiceLeading import VoiceLeadingQuartet

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.sources import benchmark_dataset
from seqmusic.evaluation.distributions import (
    DISTRIBUTIONS,
    chord_name,
    chords,
    degrees,
    distances,
    jensen_shannon,
    pooled_counts,
    split_half_distance,
)
from seqmusic.evaluation.grid import cell_grid
from seqmusic.evaluation.rates import Rate, pooled
from seqmusic.evaluation.style import MEASURES, ends_on_tonic, hold_rate, onsets, repeated_bars, style_figures
from seqmusic.evaluation.voice_leading import (
    Parallel,
    crossings,
    hidden_fifths_and_octaves,
    pair_moves,
    parallel_fifths,
    parallel_octaves,
    parallels,
    wide_spacings,
)
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice, melody
from seqmusic.tonality import infer_key, tonic_class

QUICK = ("bwv269", "bwv40.8", "bwv145.5", "bwv301")
SPREAD = 50


def quarters(*pitches: int | None) -> tuple[Note, ...]:
    """One note a quarter; None is a rest."""
    return tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches) if pitch is not None)


def score(*lines: tuple[int | None, ...], key: Key | None = None) -> Score:
    return Score(tuple(Voice(f"Voice {i}", quarters(*line)) for i, line in enumerate(lines, start=1)), key=key)


@st.composite
def chorale_like(draw: st.DrawFn) -> Score:
    """Four voices of a few pitches on the sixteenth grid, so that parallels, crossings and rests abound."""
    n_steps = draw(st.integers(1, 12))
    lines = []
    for lowest in (64, 60, 57, 48):
        line = draw(st.lists(st.sampled_from([None, 0, 0, 3, 5, 7, 12]), min_size=n_steps, max_size=n_steps))
        runs = itertools.groupby(enumerate(line), key=lambda cell: cell[1])
        spans = [(degree, [step for step, _ in cells]) for degree, cells in runs]
        lines.append(tuple(Note(6 * steps[0], 6 * len(steps), lowest + degree) for degree, steps in spans if degree is not None))
    return Score(tuple(Voice(name, line) for name, line in zip(SATB, lines, strict=True)))


def grid_parallels(grid: np.ndarray) -> list[Parallel]:
    """The definition that the published rates were counted by, cell by cell."""
    found = []
    for upper, lower in itertools.combinations(range(len(grid)), 2):
        for step in range(1, grid.shape[1]):
            a, b, c, d = (int(grid[v, s]) for v, s in ((upper, step - 1), (upper, step), (lower, step - 1), (lower, step)))
            if -1 in (a, b, c, d) or a == b or c == d or (b > a) != (d > c) or a < c or b < d:
                continue
            for kind, size in (("fifth", 7), ("octave", 0)):
                if (a - c) % 12 == (b - d) % 12 == size:
                    found.append(Parallel(6 * step, upper, lower, kind))
    return sorted(found)


@given(chorale_like())
def test_parallels_are_those_of_the_grid(piece: Score) -> None:
    assert parallels(piece) == grid_parallels(cell_grid(piece))
    assert parallels(piece.transposed(5)) == parallels(piece)
    assert parallel_fifths(piece).hits + parallel_octaves(piece).hits == len(parallels(piece))


def test_what_is_parallel_and_what_is_not() -> None:
    fifths, octaves, unisons = ((67, 69), (60, 62)), ((72, 74), (60, 62)), ((60, 62), (60, 62))
    assert parallels(score(*fifths)) == [Parallel(24, 0, 1, "fifth")]
    assert parallels(score(*octaves)) == parallels(score(*unisons)) == [Parallel(24, 0, 1, "octave")]
    for lines in (
        ((67, 67, 69), (60, None, 62)),  # a rest between
        ((67, 67), (60, 60)),  # struck again, not moved
        ((67, 74), (60, 55)),  # contrary motion into a twelfth
        ((60, 62), (65, 67)),  # crossed voices: a fourth, which turned over is a fifth
        ((67, 69), (60, 63)),  # into a tritone
    ):
        assert parallels(score(*lines)) == []
    assert parallel_fifths(score((67, 69, 71), (60, 62, 63))) == Rate(1, 2)


def test_parallels_of_short_notes_are_heard_where_they_are() -> None:
    upper = Voice("Alto", (Note(0, 3, 67), Note(3, 21, 69)))
    at_once, later = (Voice("Bass", (Note(0, tick, 60), Note(tick, 24 - tick, 62))) for tick in (3, 6))
    assert parallels(Score((upper, at_once))) == [Parallel(3, 0, 1, "fifth")]
    assert parallels(Score((upper, later))) == []


def test_hidden_fifths_are_counted_in_the_outer_voices_alone() -> None:
    leap, step = ((64, 69), (48, 50)), ((67, 69), (48, 50))
    assert hidden_fifths_and_octaves(score(*leap)) == Rate(1, 1)
    assert hidden_fifths_and_octaves(score(*step)) == Rate(0, 1)
    assert hidden_fifths_and_octaves(score((64, 69), (52, 57))) == Rate(0, 1)  # parallel octaves, not hidden ones
    assert hidden_fifths_and_octaves(score(leap[0], (60, 60), leap[1])) == Rate(1, 1)
    assert hidden_fifths_and_octaves(score((80, 80), *leap)) == Rate(0, 0)


def test_crossings_and_spacings_leave_out_what_cannot_be() -> None:
    assert crossings(score((60, 60, None), (62, 59, 72))) == Rate(4, 12)
    assert crossings(score((60, 60))) == wide_spacings(score((60,), (40,))) == Rate(0, 0)
    assert wide_spacings(score((73, 72), (60, 60), (40, 40))) == Rate(4, 8)


@given(chorale_like())
def test_what_is_not_held_begins(piece: Score) -> None:
    held, begun = hold_rate(piece), onsets(piece)
    assert begun.hits == len(piece.voices) * bool(begun.chances) + held.chances - held.hits


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
    figures = style_figures(nothing)
    assert [figure.name for figure in figures] == [measure.name for measure in MEASURES]
    assert [figure.name for figure in figures if not math.isnan(figure.value)] == ["endings on the tonic"]
    assert all(not count(empty) for count in DISTRIBUTIONS.values() for empty in nothing)


def test_long_pieces_count_for_more() -> None:
    figure = pooled("hits", "%", [Rate(0, 10), Rate(30, 30)], 100)
    assert (figure.value, figure.hits, figure.chances) == (75, 30, 40)
    assert (figure.low, figure.high) == (0, 100)


def test_chords_are_named_as_music21_names_them() -> None:
    triples = ({0, *others} for others in itertools.combinations(range(1, 12), 2))
    fours = ({0, third, fifth, other} for third in (3, 4) for fifth in (6, 7, 8) for other in (1, 2, 5, 9, 10, 11))
    for classes in itertools.chain(triples, fours):
        own, theirs = chord_name(frozenset(classes)), chord.Chord(sorted(classes)).commonName
        assert own in theirs if own != "other" else not any(name in theirs for name in ("major triad", "minor triad")), classes
        assert chord_name(frozenset((pitch_class + 7) % 12 for pitch_class in classes)) == own


def test_chords_are_heard_on_the_beat_where_all_voices_sound() -> None:
    upper, lower = (Note(0, 12, 71), Note(12, 24, 72), Note(36, 24, 72)), (Note(0, 36, 60),)
    upbeat = Score((Voice("Alto", upper), Voice("Bass", lower)))
    assert chords(upbeat) == Counter({"two pitches": 1, "one pitch": 1})
    assert chords(Score(upbeat.voices, pickup_ticks=12)) == Counter({"one pitch": 1})


counts = st.dictionaries(st.integers(0, 5), st.integers(1, 50), min_size=1)


@given(counts, counts, counts)
def test_the_distance_is_a_metric(a: dict[int, int], b: dict[int, int], c: dict[int, int]) -> None:
    near = jensen_shannon(a, b)
    assert 0 <= near <= 1
    assert near == pytest.approx(jensen_shannon(b, a))
    assert jensen_shannon(a, {kind: 3 * n for kind, n in a.items()}) == pytest.approx(0, abs=1e-7)
    assert near <= jensen_shannon(a, c) + jensen_shannon(c, b) + 1e-9
    assert math.isnan(jensen_shannon(a, {}))


def test_halves_of_a_corpus_are_apart_by_chance_alone() -> None:
    chance = np.random.default_rng(3)
    pieces = [Counter(chance.integers(0, 4, 40).tolist()) for _ in range(64)]
    assert 0 < split_half_distance(pieces[:16]) < 0.1
    assert split_half_distance(pieces) < split_half_distance(pieces[:16])
    assert split_half_distance([Counter("a"), Counter("b")]) == 1
    with pytest.raises(ValueError, match="two pieces or more, got 1"):
        split_half_distance(pieces[:1])


def test_degrees_are_the_same_in_every_key(chorales: Dataset) -> None:
    for work in chorales.part("test")[:10]:
        for mode in ("major", "minor"):
            assert degrees(work.score.transposed(2), mode) == degrees(work.score, mode)


def test_chorales_are_nearer_to_chorales_than_noise_is(chorales: Dataset) -> None:
    train, test = ([work.score for work in chorales.part(split)][:77] for split in ("train", "test"))
    chance = np.random.default_rng(5)
    noise = [
        Score(tuple(Voice(name, quarters(*chance.integers(55, 75, 40).tolist())) for name in SATB), key=Key(0, mode))
        for mode in ("major", "minor") * 10
    ]
    for real, false in zip(distances(test, train), distances(noise, train), strict=True):
        assert real.distance < 4 * real.floor
        assert false.distance > 2 * real.distance
        assert false.floor == real.floor


def test_chorales_keep_the_rules_as_told(chorales: Dataset) -> None:
    """The ranges are what the three parts of this corpus and of the usual benchmark have, with room for a part of another size."""
    figures = {figure.name: figure for figure in style_figures([work.score for work in chorales.kept])}
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
    pieces = [work.score for work in benchmark.part(split)]
    told = {figure.name: figure for figure in style_figures(pieces)}
    assert told["parallel fifths"].value == pytest.approx(fifths, abs=0.005)
    assert told["parallel octaves"].value == pytest.approx(octaves, abs=0.005)
    assert told["hidden fifths and octaves"].hits / len(pieces) == pytest.approx(hidden_a_piece, abs=0.005)
    assert told["voice crossings"].value == pytest.approx(crossed, abs=0.06)
    assert told["upper voices beyond an octave"].value == pytest.approx(spaced, abs=0.05)
    assert told["onsets"].value == pytest.approx(begun, abs=0.0005)
    for voice, share in enumerate(held):
        alone = pooled("", "", [hold_rate(Score(piece.voices[voice : voice + 1])) for piece in pieces], 1)
        assert alone.value == pytest.approx(share, abs=0.002)


def test_benchmark_chords_have_their_published_shares(benchmark: Dataset) -> None:
    told = pooled_counts([chords(work.score) for work in benchmark.part("train")])
    triads = sum(told[name] for name in ("major", "minor", "diminished", "augmented"))
    sevenths = sum(n for name, n in told.items() if name.endswith("seventh"))
    assert triads / told.total() == pytest.approx(0.746, abs=0.001)
    assert sevenths / told.total() == pytest.approx(0.116, abs=0.001)


def music21_voice_leading(parsed: stream.Score) -> tuple[int, list[Parallel], int]:
    """Moves of two voices, parallels, and hidden fifths and octaves of the outer voices, as music21 finds them."""
    part = {id(own): position for position, own in enumerate(parsed.parts)}
    n_moves, n_hidden, found = 0, 0, []
    for moment in parsed.asTimespans(classList=(note.Note,)).iterateVerticalities():
        for motion in moment.getAllVoiceLeadingQuartets(includeRests=False, includeOblique=False, returnObjects=False):
            (a, b), (c, d) = sorted(motion, key=lambda spans: part[id(spans[0].part)])
            if a.pitches[0].midi == b.pitches[0].midi or c.pitches[0].midi == d.pitches[0].midi:
                continue  # to music21 a pitch differs from itself with a natural sign
            quartet = VoiceLeadingQuartet(a.element, b.element, c.element, d.element)
            upper, lower, n_moves = part[id(a.part)], part[id(c.part)], n_moves + 1
            intervals = (("P5", "fifth"), ("P8", "octave"), ("P1", "octave"))
            if not quartet.voiceCrossing():
                kinds = [kind for name, kind in intervals if quartet.parallelMotion(name, allowOctaveDisplacement=True)]
                found += [Parallel(round(24 * moment.offset), upper, lower, kind) for kind in kinds]
            if (upper, lower) == (0, 3) and abs(quartet.hIntervals[0].semitones) > 2:
                n_hidden += any(quartet.hiddenInterval(name) for name, _ in intervals)
    return n_moves, sorted(found), n_hidden


def agrees_with_music21(name: str, piece: Score, parsed: stream.Score) -> bool:
    """Asserts that voice leading is told alike; returns whether the key is."""
    n_moves, found, n_hidden = music21_voice_leading(parsed)
    assert parallels(piece) == found, name
    assert hidden_fifths_and_octaves(piece).hits == n_hidden, name
    assert len(list(pair_moves(piece))) == n_moves, name
    theirs, ours = parsed.analyze("key.krumhanslkessler"), infer_key(piece)
    return bool((theirs.tonic.pitchClass, theirs.mode) == (tonic_class(ours), ours.mode))


def parsed_chorale(name: str) -> stream.Score:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of music21's own
        return corpus.parse(f"bach/{name}")


def test_music21_finds_the_same(chorales: Dataset) -> None:
    same_key = [agrees_with_music21(name, chorales.work(name).score, parsed_chorale(name)) for name in QUICK]
    assert sum(same_key) >= len(QUICK) - 1
    assert sum(len(parallels(chorales.work(name).score)) for name in QUICK) >= 3


@pytest.mark.slow
def test_music21_finds_the_same_in_fifty_chorales(chorales: Dataset) -> None:
    pieces = [work for work in chorales.kept[::6] if len(parsed_chorale(work.name).parts) == 4][:SPREAD]
    assert len(pieces) == SPREAD
    same_key = [agrees_with_music21(work.name, work.score, parsed_chorale(work.name)) for work in pieces]
    assert sum(same_key) >= 0.9 * SPREAD  # the last bass note has more weight here


def test_a_melody_has_the_figures_that_one_voice_can_have() -> None:
    tune = melody(quarters(60, 67, 66, 60, 60), key=Key(0, "major"))
    told = {figure.name: figure.value for figure in style_figures([tune]) if not math.isnan(figure.value)}
    assert told == {
        "held cells": pytest.approx(100 * 16 / 19),
        "onsets": pytest.approx(4 / 20),
        "leaps beyond a fifth": 0,
        "leaps beyond an octave": 0,
        "tritone leaps": pytest.approx(100 / 3),
        "repeated bars": 0,
        "endings on the tonic": 100,
    }
