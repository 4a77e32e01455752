"""Voice separation: laws, cases worked out by hand, and the share of notes that chorales regain."""

import contextlib
import itertools
import random
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import corpus

from seqmusic.errors import FormatError
from seqmusic.formats import read_score
from seqmusic.formats.voice_separation import MAX_SEPARATED_VOICES, max_polyphony, separate_voices
from seqmusic.score import Note

NOTES = st.lists(
    st.builds(
        Note,
        st.integers(0, 60).map(lambda tick: 6 * tick),
        st.integers(1, 60),
        st.integers(50, 70),
        st.booleans(),
    ),
    max_size=40,
)


def pitches(lines):
    return [[note.pitch for note in line] for line in lines]


def all_notes(lines):
    return [note for line in lines for note in line]


def n_recovered(voices, lines):
    """How many notes are in the line that has the index of their voice."""
    return sum(
        sum((Counter(line) & Counter(voice)).values())
        for line, voice in itertools.zip_longest(lines, voices, fillvalue=())
    )


def n_recovered_best_order(voices, lines):
    return max(n_recovered(voices, order) for order in itertools.permutations(lines))


def recovered_share(pieces):
    """The share of the notes of all pieces that are in their voice after mixing and separation."""
    back = [n_recovered(voices, separate_voices(all_notes(voices))) for voices in pieces]
    return sum(back) / sum(len(all_notes(voices)) for voices in pieces)


def lines_of(works):
    return [tuple(voice.notes for voice in work.score.voices) for work in works]


@given(NOTES, st.randoms(use_true_random=False))
def test_every_note_is_in_one_line_without_two_at_once_whatever_their_order(notes, rng):
    if max_polyphony(notes) > MAX_SEPARATED_VOICES:
        with pytest.raises(ValueError, match="at most 16 voices"):
            separate_voices(notes)
        return
    lines = separate_voices(notes)
    assert Counter(all_notes(lines)) == Counter(notes)
    assert len(lines) == max_polyphony(notes)
    assert all(a.end_ticks <= b.onset_ticks for line in lines for a, b in itertools.pairwise(line))
    rng.shuffle(notes)
    assert separate_voices(notes) == lines
    assert separate_voices(all_notes(lines)) == lines


@given(
    st.lists(
        st.lists(st.sampled_from([0, 2, 4, 5, 7]), min_size=5, max_size=5), min_size=1, max_size=5
    )
)
def test_voices_that_never_meet_come_back(degrees):
    voices = tuple(
        tuple(Note(24 * i, 24, 100 - 12 * index + degree) for i, degree in enumerate(line))
        for index, line in enumerate(degrees)
    )
    assert separate_voices(all_notes(voices)) == voices


def test_a_voice_takes_up_its_register_after_a_rest():
    high, low = (
        (Note(0, 24, 72), Note(24, 24, 74), Note(96, 24, 72)),
        (Note(0, 24, 48), Note(48, 24, 50), Note(72, 24, 52)),
    )
    assert separate_voices([*low, *high]) == (high, low)


def test_a_note_above_a_held_one_crosses_it():
    # the upper voice holds E4 while the lower one leaps over it to G4 and back
    upper, lower = (
        (Note(0, 96, 64), Note(96, 24, 65)),
        (Note(0, 24, 60), Note(24, 24, 67), Note(48, 24, 60), Note(96, 24, 59)),
    )
    assert separate_voices([*upper, *lower]) == (upper, lower)


def test_a_unison_is_one_note_of_each_voice():
    assert pitches(
        separate_voices([Note(0, 24, 64), Note(0, 24, 60), Note(24, 24, 62), Note(24, 24, 62)])
    ) == [[64, 62], [60, 62]]


def test_no_notes_are_no_voices():
    assert separate_voices([]) == ()


def test_more_notes_at_once_than_voices_are_refused():
    with pytest.raises(ValueError, match="at most 16 voices, got 200 at once"):
        separate_voices([Note(0, 24, i % 128) for i in range(200)])


@pytest.mark.parametrize("n_voices", [1, 5, 16])
def test_the_time_grows_with_the_notes_alone(n_voices):
    rng = random.Random(n_voices)
    notes = [
        Note(24 * (i // n_voices) + rng.choice([0, 6, 12]), 12, rng.randrange(30, 90))
        for i in range(10_000)
    ]
    started = time.process_time()
    assert len(separate_voices(notes)) == n_voices
    assert time.process_time() - started < 3  # about 0.5 on a quiet machine


def test_chorales_come_back_from_their_mixed_notes(chorales):
    pieces = lines_of(chorales.works_in("train")[::9])
    assert len(pieces) > 20
    assert recovered_share(pieces) > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_all_chorales_and_two_or_three_of_their_voices_come_back(part, chorales):
    pieces = lines_of(chorales.works_in(part))
    for n_voices in (2, 3, 4):
        for indices in itertools.combinations(range(4), n_voices):
            some = [tuple(voices[index] for index in indices) for voices in pieces]
            share = recovered_share(some)
            print(f"{part}, voices {indices}: {share:.2%}")
            assert share > 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    ("composer", "n_voices"), [("palestrina", 4), ("monteverdi", 5), ("palestrina", 5)]
)
def test_polyphony_that_crosses_and_rests_is_harder(composer, n_voices):
    """Lines are matched to voices as fits best; two that swap count as wrong from there."""
    paths = sorted(path for path in corpus.getComposer(composer) if path.suffix in (".mxl", ".krn"))
    scores = []
    for path in paths[:: len(paths) // 24]:
        with contextlib.suppress(FormatError):
            scores.append(read_score(path))
    pieces = [
        [voice.notes for voice in score.voices] for score in scores if len(score.voices) == n_voices
    ]
    back = sum(
        n_recovered_best_order(voices, separate_voices(all_notes(voices))) for voices in pieces
    )
    share = back / sum(len(all_notes(voices)) for voices in pieces)
    print(f"{composer}, {len(pieces)} pieces of {n_voices} voices: {share:.1%}")
    assert share > 0.5
