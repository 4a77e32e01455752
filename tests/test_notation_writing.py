"""MusicXML as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from seqmusic.errors import FormatError
from seqmusic.formats.notation.file import chorale_paths, read_chorale
from seqmusic.formats.notation.writing import musicxml_text, score_to_music21
from seqmusic.score import Key, Note, Score, Voice, melody


def test_accidentals_are_printed_where_needed_and_nowhere_else():
    """D major has F# and C# in its signature; G# and the G after it in the same bar need signs."""
    score = melody(
        [Note(0, 24, 66), Note(24, 24, 73), Note(48, 24, 68), Note(72, 24, 67)], key=Key(2, "major")
    )
    text = musicxml_text(score)
    assert _texts(text, "accidental") == ["sharp", "natural"]
    assert _texts(text, "alter") == ["1", "1", "1", "0"]


def _texts(text: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}>([^<]*)</{tag}>", text)


def test_pickup_measure_is_numbered_zero_and_implicit():
    score = melody([Note(0, 24, 60), Note(24, 96, 62)], pickup_ticks=24)
    assert '<measure number="0" implicit="yes">' in musicxml_text(score)
    assert '<measure number="1" implicit="no">' in musicxml_text(score)


def test_tempo_and_fermata_are_written_once():
    """One tempo for the score, not one a part; one fermata for the note, not one a tied part."""
    held = Note(0, 144, 60, fermata=True)
    text = musicxml_text(
        Score((Voice("A", (held,)), Voice("B", (Note(0, 48, 50),))), tempo_bpm=72.5)
    )
    assert (text.count("<per-minute>72.5<"), text.count("<fermata"), text.count("<tied ")) == (
        1,
        1,
        2,
    )


def test_same_score_same_text():
    score = read_chorale(next(path for path in chorale_paths() if path.name == "bwv10.7.mxl"))
    assert musicxml_text(score) == musicxml_text(replace(score))


def test_colors_mark_the_chosen_notes_only():
    score = Score((Voice("A", (Note(0, 24, 60), Note(24, 24, 62))), Voice("B", (Note(0, 48, 50),))))
    text = musicxml_text(
        score, color=lambda voice, n: "#c02030" if voice == 0 and n.onset_ticks == 24 else None
    )
    assert text.count('<note color="#C02030" id="v0-24">') == 1
    assert text.count('<note id="v') == 2


def test_wrong_arguments_are_refused():
    score = melody([Note(0, 24, 60)])
    with pytest.raises(ValueError, match="a color is written like #c02030, got 'red'"):
        musicxml_text(score, color=lambda voice, n: "red")
    with pytest.raises(ValueError, match="staves must be 'open' or 'closed'"):
        musicxml_text(score, staves="two")  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="without voices"):
        musicxml_text(Score(()))


def _spellings(name: str) -> Iterator[tuple[str, str]]:
    """Each note of a chorale as its file spells it and as we write it."""
    from music21 import converter

    path = next(path for path in chorale_paths() if path.name == name)
    theirs = converter.parse(path, forceSource=True, storePickle=False)
    ours = score_to_music21(read_chorale(path))
    for their_part, our_part in zip(theirs.parts, ours.parts, strict=True):
        for their_note, our_note in zip(
            their_part.stripTies().recurse().notes,
            our_part.stripTies().recurse().notes,
            strict=True,
        ):
            yield their_note.pitch.nameWithOctave, our_note.pitch.nameWithOctave


def test_pitches_are_spelled_as_editors_spell_them():
    pairs = [
        pair for name in ("bwv66.6.mxl", "bwv10.7.mxl", "bwv362.mxl") for pair in _spellings(name)
    ]
    assert sum(theirs == ours for theirs, ours in pairs) >= 0.99 * len(pairs)
