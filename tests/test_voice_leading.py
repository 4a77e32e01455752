"""Voice leading: cases worked out by hand, the definition on the grid, and music21 as an oracle."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given
from music21 import corpus, note, stream
from music21.voiceLeading import VoiceLeadingQuartet
from small_scores import chorale_like, score

from seqmusic.corpus.dataset import Dataset
from seqmusic.metrics.rates import Rate
from seqmusic.metrics.voice_leading import (
    Parallel,
    crossings,
    hidden_fifths_and_octaves,
    pair_moves,
    parallel_fifths,
    parallel_fifths_and_octaves,
    parallel_octaves,
    parallels,
    wide_spacings,
)
from seqmusic.pitch_grid import pitch_grid
from seqmusic.score import Note, Score, Voice
from seqmusic.tonality import infer_key, tonic_pitch_class

QUICK_CHORALES = ("bwv269", "bwv40.8", "bwv145.5", "bwv301")
N_SPREAD_CHORALES = 50


def grid_parallels(grid: np.ndarray) -> list[Parallel]:
    """The definition of the published rates, cell by cell."""
    found = []
    for upper, lower in itertools.combinations(range(len(grid)), 2):
        for step in range(1, grid.shape[1]):
            a, b, c, d = (
                int(grid[v, s])
                for v, s in ((upper, step - 1), (upper, step), (lower, step - 1), (lower, step))
            )
            if -1 in (a, b, c, d) or a == b or c == d or (b > a) != (d > c) or a < c or b < d:
                continue
            for kind, size in (("fifth", 7), ("octave", 0)):
                if (a - c) % 12 == (b - d) % 12 == size:
                    found.append(Parallel(6 * step, upper, lower, kind))
    return sorted(found)


@given(chorale_like())
def test_parallels_agree_with_the_definition_on_the_grid(piece: Score) -> None:
    assert parallels(piece) == grid_parallels(pitch_grid(piece))
    assert parallels(piece.transposed(5)) == parallels(piece)
    fifths, octaves = parallel_fifths(piece), parallel_octaves(piece)
    assert fifths.hits + octaves.hits == len(parallels(piece))
    both = Rate(len(parallels(piece)), fifths.opportunities)
    assert parallel_fifths_and_octaves(piece) == both


def test_parallels_by_hand() -> None:
    fifths, octaves, unisons = ((67, 69), (60, 62)), ((72, 74), (60, 62)), ((60, 62), (60, 62))
    assert parallels(score(*fifths)) == [Parallel(24, 0, 1, "fifth")]
    assert (
        parallels(score(*octaves)) == parallels(score(*unisons)) == [Parallel(24, 0, 1, "octave")]
    )
    for lines in (
        ((67, 67, 69), (60, None, 62)),  # a rest between
        ((67, 67), (60, 60)),  # repeated, not moved
        ((67, 74), (60, 55)),  # contrary motion into a twelfth
        ((60, 62), (65, 67)),  # crossed voices: a fifth below
        ((67, 69), (60, 63)),  # into a tritone
    ):
        assert parallels(score(*lines)) == []
    assert parallel_fifths(score((67, 69, 71), (60, 62, 63))) == Rate(1, 2)


def test_parallels_of_short_notes_have_their_tick() -> None:
    upper = Voice("Alto", (Note(0, 3, 67), Note(3, 21, 69)))
    together, later = (
        Voice("Bass", (Note(0, tick, 60), Note(tick, 24 - tick, 62))) for tick in (3, 6)
    )
    assert parallels(Score((upper, together))) == [Parallel(3, 0, 1, "fifth")]
    assert parallels(Score((upper, later))) == []


def test_hidden_fifths_are_counted_in_the_outer_voices_alone() -> None:
    leap, step = ((64, 69), (48, 50)), ((67, 69), (48, 50))
    assert hidden_fifths_and_octaves(score(*leap)) == Rate(1, 1)
    assert hidden_fifths_and_octaves(score(*step)) == Rate(0, 1)
    parallel_octaves = score((64, 69), (52, 57))
    assert hidden_fifths_and_octaves(parallel_octaves) == Rate(0, 1)
    assert hidden_fifths_and_octaves(score(leap[0], (60, 60), leap[1])) == Rate(1, 1)
    assert hidden_fifths_and_octaves(score((80, 80), *leap)) == Rate(0, 0)


def test_crossings_and_spacings_need_enough_voices() -> None:
    assert crossings(score((60, 60, None), (62, 59, 72))) == Rate(4, 12)
    assert crossings(score((60, 60))) == wide_spacings(score((60,), (40,))) == Rate(0, 0)
    assert wide_spacings(score((73, 72), (60, 60), (40, 40))) == Rate(4, 8)


def music21_voice_leading(parsed: stream.Score) -> tuple[int, list[Parallel], int]:
    """Moves of two voices, parallels, and hidden fifths and octaves of the outer voices."""
    position = {id(part): index for index, part in enumerate(parsed.parts)}
    n_moves, n_hidden, found = 0, 0, []
    for moment in parsed.asTimespans(classList=(note.Note,)).iterateVerticalities():
        for motion in moment.getAllVoiceLeadingQuartets(
            includeRests=False, includeOblique=False, returnObjects=False
        ):
            (a, b), (c, d) = sorted(motion, key=lambda spans: position[id(spans[0].part)])
            if a.pitches[0].midi == b.pitches[0].midi or c.pitches[0].midi == d.pitches[0].midi:
                continue  # to music21 a pitch differs from itself with a natural sign
            quartet = VoiceLeadingQuartet(a.element, b.element, c.element, d.element)
            upper, lower, n_moves = position[id(a.part)], position[id(c.part)], n_moves + 1
            intervals = (("P5", "fifth"), ("P8", "octave"), ("P1", "octave"))
            if not quartet.voiceCrossing():
                kinds = [
                    kind
                    for name, kind in intervals
                    if quartet.parallelMotion(name, allowOctaveDisplacement=True)
                ]
                found += [Parallel(round(24 * moment.offset), upper, lower, kind) for kind in kinds]
            if (upper, lower) == (0, 3) and abs(quartet.hIntervals[0].semitones) > 2:
                n_hidden += any(quartet.hiddenInterval(name) for name, _ in intervals)
    return n_moves, sorted(found), n_hidden


def agrees_with_music21(name: str, piece: Score, parsed: stream.Score) -> bool:
    """Assert that the voice leading agrees; return whether the key does."""
    n_moves, found, n_hidden = music21_voice_leading(parsed)
    assert parallels(piece) == found, name
    assert hidden_fifths_and_octaves(piece).hits == n_hidden, name
    assert len(list(pair_moves(piece))) == n_moves, name
    oracle, key = parsed.analyze("key.krumhanslkessler"), infer_key(piece)
    return bool((oracle.tonic.pitchClass, oracle.mode) == (tonic_pitch_class(key), key.mode))


def parsed_chorale(name: str) -> stream.Score:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # by music21 itself
        return corpus.parse(f"bach/{name}")


def test_music21_finds_the_same(chorales: Dataset) -> None:
    same_key = [
        agrees_with_music21(name, chorales.work(name).score, parsed_chorale(name))
        for name in QUICK_CHORALES
    ]
    assert sum(same_key) >= len(QUICK_CHORALES) - 1
    assert sum(len(parallels(chorales.work(name).score)) for name in QUICK_CHORALES) >= 3


@pytest.mark.slow
def test_music21_finds_the_same_in_fifty_chorales(chorales: Dataset) -> None:
    pieces = [
        work for work in chorales.kept_works[::6] if len(parsed_chorale(work.name).parts) == 4
    ][:N_SPREAD_CHORALES]
    assert len(pieces) == N_SPREAD_CHORALES
    same_key = [
        agrees_with_music21(work.name, work.score, parsed_chorale(work.name)) for work in pieces
    ]
    assert sum(same_key) >= 0.9 * N_SPREAD_CHORALES  # the last bass note has more weight here
