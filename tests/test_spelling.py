"""Spelling by context: cases from harmony textbooks, worked out by hand."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import replace

import pytest

from seqmusic.formats.lilypond import lilypond_text
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.formats.theme import parse_theme, theme_text
from seqmusic.score import Key, Note, Score, Voice
from seqmusic.spelling import spell_notes
from seqmusic.tonality import parse_key

C_MAJOR, G_MAJOR = Key(0, "major"), Key(1, "major")


def chords(text: str, key: Key | None) -> Score:
    """Chords of equally many pitches, a quarter each, from high to low, as a score of that key."""
    columns = [chord.split() for chord in text.split("|")]
    lines = zip(*columns, strict=True)
    return parse_theme(" ; ".join(" ".join(line) for line in lines), key=key)


def written(score: Score) -> str:
    """The score of a `chords` text again, spelled by its context."""
    lines = [[str(spelling) for spelling in voice.values()] for voice in spell_notes(score)]
    return " | ".join(" ".join(chord) for chord in zip(*lines, strict=True))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("G major", "D5 G4 B3 G2 | F5 D4 Bb3 Bb2 | D5 G4 B3 G2"),  # bIII, alone between tonics
        ("G major", "D5 G4 B3 G3 | D5 F4 Bb3 Bb2 | C5 Eb4 A3 C3 | D5 F#4 A3 D3"),  # bIII, iv
        ("C major", "C5 G4 E4 C3 | B4 G#4 E4 E3 | C5 A4 E4 A2"),  # V/vi
        ("C major", "C5 G4 E4 C3 | C#5 A4 E4 G3 | D5 A4 D4 F3"),  # V/ii
        ("C major", "B4 G4 E4 E3 | B4 F#4 D#4 B2 | B4 G4 E4 E3"),  # V/iii
        ("C major", "C5 G4 E4 C3 | C5 A4 Eb4 F#3 | B4 G4 D4 G3"),  # viio7/V: F# rises, Eb falls
        ("C major", "C5 A4 E4 A3 | B4 F4 D4 G#3 | C5 E4 C4 A3"),  # viio7/vi: G# rises
        ("C major", "G4 E4 C4 C3 | A4 E4 C#4 C#3 | A4 F4 D4 D3"),  # a bass that rises by semitones
        ("C major", "G4 E4 C4 C3 | Ab4 F4 C4 F3 | G4 E4 C4 C3"),  # iv: Ab falls
        ("C major", "G4 E4 C4 C3 | G#4 E4 C4 C3 | A4 F4 C4 F3"),  # an augmented triad: G# rises
        ("C major", "C5 G4 E4 C3 | C5 F#4 C4 Ab2 | B4 G4 D4 G2"),  # an augmented sixth opens
        ("A minor", "E5 C5 A4 A3 | F5 Bb4 D4 D3 | E5 G#4 B3 E3 | E5 A4 C4 A2"),  # Neapolitan
        ("C minor", "C5 G4 Eb4 C3 | Db5 F4 Ab3 F3 | B4 G4 D4 G3 | C5 G4 Eb4 C3"),  # the same in C
        ("C minor", "G4 Eb4 C4 C3 | Ab4 F4 B3 D3 | G4 Eb4 C4 Eb3"),  # viio7 of minor: Ab falls
    ],
)
def test_chromatic_chords_are_spelled_as_their_function(key: str, text: str) -> None:
    assert written(chords(text, parse_key(key))) == text


@pytest.mark.parametrize(
    ("key", "theme"),
    [
        ("A minor", "E4 F#4 G#4 A4 G4 F4 E4"),  # sixth and seventh are raised upwards only
        ("C minor", "G4 A4 B4 C5 Bb4 Ab4 G4"),
        ("C minor", "C4 D4 Eb4 F4 G4 Ab4 B4 C5"),  # the augmented second of harmonic minor
        ("D major", "D4 D#4 E4 E#4 F#4 G4 G#4 A4"),  # upwards the chromatic scale has sharps
        ("C major", "C5 B4 Bb4 A4 Ab4 G4"),  # and downwards flats
        ("C major", "G4 F#4 G4 A4 G#4 A4 D4 C#4 D4"),  # lower neighbors
        ("C major", "E4 D#4 E4 B4 A#4 B4"),
        ("Db major", "Ab4 Gb4 F4 G4 Ab4 Cb5 Bb4 C5 Db5"),
    ],
)
def test_melodies_go_up_by_raised_and_down_by_lowered_degrees(key: str, theme: str) -> None:
    found = written(parse_theme(theme, key=parse_key(key)))
    assert found.replace(" |", "") == theme


def test_a_modulation_is_spelled_in_the_key_that_it_reaches() -> None:
    """From F minor to Db minor, whose third and seventh are Fb and Cb, not E and B."""
    text = (
        "Ab4 F4 C4 F3 | Bb4 F4 Db4 Bb2 | Ab4 Eb4 C4 Ab2 | Ab4 Fb4 Cb4 Ab2 | Ab4 Fb4 Db4 Db3 "
        "| Gb4 Eb4 Cb4 Cb3 | Fb4 Db4 Ab3 Db3 | Ab4 Eb4 Cb4 Ab2"
    )
    assert written(chords(text, parse_key("F minor"))) == text


def test_keys_that_sound_alike_are_spelled_alike_in_flats_and_in_sharps() -> None:
    """In F# major the raised tonic is C## in V/vi; in Gb major all lies twelve fifths lower."""
    sharp = chords("C#5 A#4 F#4 F#3 | C##5 A#4 E#4 A#3 | D#5 A#4 F#4 D#3", Key(6, "major"))
    flat = replace(sharp, key=Key(-6, "major"))
    assert written(sharp) == "C#5 A#4 F#4 F#3 | C##5 A#4 E#4 A#3 | D#5 A#4 F#4 D#3"
    assert written(flat) == "Db5 Bb4 Gb4 Gb3 | D5 Bb4 F4 Bb3 | Eb5 Bb4 Gb4 Eb3"


def test_music_without_a_key_is_spelled_in_the_key_it_sounds_in() -> None:
    text = "Eb4 Ab4 Bb4 C5 Db5 Eb5 D5 Eb5 Ab4"  # Ab major, and D below the dominant
    assert theme_text(parse_theme(text)).replace(" |", "") == text


def test_no_spelling_needs_more_than_two_accidentals() -> None:
    notes = tuple(Note(6 * i, 6, 12 + 7 * i % 108) for i in range(400))
    for sharps, mode in itertools.product((-7, 0, 7), ("major", "minor", "")):
        score = Score((Voice("Soprano", notes),), key=Key(sharps, mode))
        (spelled,) = spell_notes(score)
        assert all(abs(spelling.alter) <= 2 for spelling in spelled.values())
        assert [spelled[note.onset_ticks].pitch for note in notes] == [n.pitch for n in notes]


def test_empty_voices_have_no_spelling() -> None:
    assert spell_notes(Score((Voice("Soprano", ()), Voice("Bass", (Note(0, 24, 60),))))) == [
        {},
        {0: spell_notes(Score((Voice("Bass", (Note(0, 24, 60),)),)))[0][0]},
    ]
    assert spell_notes(Score(())) == []


def test_files_are_written_as_the_context_spells() -> None:
    score = chords("D5 G4 E4 C4 | C5 G4 Eb4 C4 | B4 G4 D4 B3", G_MAJOR)
    assert " es'4 " in lilypond_text(score)  # Eb
    assert re.search(r"<step>E</step>\s*<alter>-1</alter>", musicxml_text(score))
    assert theme_text(score).split(" ; ")[2] == "E4 Eb4 D4"


def test_the_time_is_linear_in_the_number_of_notes() -> None:
    """Twenty times the notes take about twenty times as long, not four hundred times."""
    quarter = 24

    def seconds(n_quarters: int) -> float:
        return min(seconds_once(n_quarters) for _ in range(3))

    def seconds_once(n_quarters: int) -> float:
        voices = tuple(
            Voice(
                f"Voice {i}",
                tuple(Note(quarter * n, quarter, 50 + n % 12) for n in range(n_quarters)),
            )
            for i in range(4)
        )
        start = time.process_time()
        spell_notes(Score(voices, key=C_MAJOR))
        return time.process_time() - start

    assert seconds(2000) < 100 * seconds(100)
