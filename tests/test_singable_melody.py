"""A melody made singable, and the chorale on it."""

import itertools

import pytest

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.score import Key, Note, melody
from seqmusic.transformation.chorale import ChoraleSettings
from seqmusic.transformation.planning import key_with_mode
from seqmusic.transformation.singable_melody import COMPASS, GRID_TICKS, singable_melody
from seqmusic.transformation.transform import transform

SONG = parse_theme(
    "C6:1/8 D6:1/8 E6:1/8 F6:1/16 E6:1/16 D6:1/4 R:1/4 | E6:1/8 F6:1/8 G6:1/8 E6:1/8 C6:1/4 R:1/4"
)


def test_values_compass_and_phrases_of_a_small_song() -> None:
    found, sentences = singable_melody(SONG)
    notes = found.voices[0].notes
    assert notes[0].duration_ticks == 24  # eighths become quarters
    assert all(note.duration_ticks % GRID_TICKS == 0 for note in notes)
    assert all(a.end_ticks == b.onset_ticks for a, b in itertools.pairwise(notes))
    low, high = found.voices[0].compass or (0, 0)
    assert COMPASS[0] <= low <= high <= COMPASS[1]
    assert [index for index, note in enumerate(notes) if note.fermata] == [5, 10]
    assert any("multiplied by 2" in sentence for sentence in sentences)


def test_ornaments_shorter_than_an_eighth_go_and_are_counted() -> None:
    onsets = [0, 24, 48, 51, 54, 72, 96]
    notes = [Note(on, 3, 60 + i) for i, on in enumerate(onsets)]
    found, sentences = singable_melody(melody(notes))
    assert len(found.voices[0].notes) < len(notes)
    assert any("are left out" in sentence for sentence in sentences)


def test_a_long_wait_between_phrases_is_shortened_by_whole_bars() -> None:
    quarters = [Note(24 * i, 24, 60 + i) for i in range(5)]
    later = [Note(24 * (5 + 16) + 24 * i, 24, 60 + i) for i in range(5)]
    found, _ = singable_melody(melody([*quarters, *later]))
    assert found.voices[0].notes[5].onset_ticks == 24 * (5 + 16) - 4 * 96


def test_more_notes_than_there_are_are_refused() -> None:
    with pytest.raises(RequestError, match=r"--notes must be in 4\.\.11 with this melody, got 40"):
        singable_melody(SONG, 40)


def test_the_soprano_of_the_chorale_is_the_melody() -> None:
    (found,) = transform(SONG, "chorale", ChoraleSettings(), Request(n=1))
    soprano, _ = singable_melody(SONG)
    assert [n.pitch for n in found.score.voices[0].notes] == [
        n.pitch for n in soprano.voices[0].notes
    ]
    assert len(found.score.voices) == 4
    assert {check.name: check.passed for check in found.checks}["melody"]


def test_a_signature_of_six_flats_without_a_mode_is_a_key() -> None:
    notes = parse_theme("Gb4 Ab4 Bb4 Cb5 | Db5 Bb4 Ab4 Gb4", key=Key(-6)).voices[0].notes
    assert key_with_mode(melody(notes, key=Key(-6))) == Key(-6, "major")
