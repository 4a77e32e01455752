"""ABC: voices, lengths, accidentals, ties and measures, worked out by hand."""

from __future__ import annotations

import pytest

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.abc.reading import read_tune, tune_texts
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Key, TimeSignature


def tune(music: str, meter: str = "4/4", key: str = "C") -> ReadReport:
    return read_tune(f"X:1\nM:{meter}\nL:1/4\nK:{key}\n{music}\n")


def rows(report: ReadReport) -> list[list[tuple[int, int, int]]]:
    """Onset, duration and pitch of the notes of each voice."""
    return [
        [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]
        for voice in report.score.voices
    ]


def pitches(report: ReadReport) -> list[list[int]]:
    return [[pitch for _, _, pitch in voice] for voice in rows(report)]


def test_voices_inside_the_lines_of_the_body():
    """A hymn as the Open Hymnal writes it: voices change at the beginnings of lines."""
    found = read_tune(
        "X:1\nM:4/4\nL:1/4\nV: S1V1 clef=treble\nV: S1V2\nV: S2V1 clef=bass\nK:G\n"
        "[V: S1V1] [Q:1/4=100] G | B A G2 |\n[V: S1V2] D | G F D2 |\n[V: S2V1] B, | D x B,2 |\n"
        "w: not a voice\n[V: S1V1] G4 |]\n[V: S1V2] D4 |]\n[V: S2V1] B,4 |]\n"
    )
    assert [voice.name for voice in found.score.voices] == ["S1V1", "S1V2", "S2V1"]
    assert rows(found) == [
        [(0, 24, 67), (24, 24, 71), (48, 24, 69), (72, 48, 67), (120, 96, 67)],
        [(0, 24, 62), (24, 24, 67), (48, 24, 66), (72, 48, 62), (120, 96, 62)],
        [(0, 24, 59), (24, 24, 62), (72, 48, 59), (120, 96, 59)],
    ]
    assert (found.score.pickup_ticks, found.score.tempo_bpm) == (24, 100)
    assert found.losses == ("lines of words left out: 1",)


def test_voices_inside_a_line_and_over_each_other():
    assert pitches(tune("[V:1] C2 [V:2] E2 [V:1] D2| [V:2] F2|")) == [[60, 62], [64, 65]]
    assert rows(tune("C4 | c2 d2 & (E3 F) | c4 |")) == [
        [(0, 96, 60), (96, 48, 72), (144, 48, 74), (192, 96, 72)],
        [(96, 72, 64), (168, 24, 65)],
    ]


def test_names_of_voices():
    found = read_tune('X:1\nL:1/4\nV:1 name="Flute"\nV:2 nm=Bass\nK:C\nV:1\nc|\nV:2\nC|\n')
    assert [voice.name for voice in found.score.voices] == ["Flute", "Bass"]


def test_voices_whose_measures_differ_begin_their_measures_together():
    found = tune("[V:1] C4 | D4 | E4 |\n[V:2] C4 | D3 | E4 |")
    assert [onset for onset, _, _ in rows(found)[1]] == [0, 96, 192]
    assert found.repairs == (
        "measures that are shorter in one voice than in another filled with rests: 1",
    )


def test_bar_lines_that_one_voice_lacks_do_not_move_its_notes():
    found = tune("[V:1] C4 | D4 | E4 |\n[V:2] C4 D4 | E4 |")
    assert rows(found)[0] == rows(found)[1]
    assert found.repairs == ()


def test_accidentals_hold_in_their_octave_to_the_bar_line_and_over_a_tie():
    """F sharp for the measure, not an octave higher; the tied F is still sharp, the next is not."""
    assert pitches(tune("^F F f =F | ^F4- | F F _B __B |")) == [
        [66, 66, 77, 65, 66, 65, 70, 69],
    ]
    assert pitches(tune("^C, C, [^CE] C")) == [[64], [49, 49, 61, 61]]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("D", Key(2, "major")),
        ("F#m", Key(3, "minor")),
        ("Bb maj", Key(-2, "major")),
        ("Gmix", Key(0)),
        ("E Dorian", Key(2)),
        ("none", None),
        ("HP", None),
    ],
)
def test_keys(key, expected):
    assert tune("C4|", key=key).score.key == expected


def test_lengths():
    """Dotted pairs both ways, a triplet, three in the time of two with a chord, fractions."""
    assert [duration for _, duration, _ in rows(tune("C>D E<F|", "4/4"))[0]] == [36, 12, 12, 36]
    assert [duration for _, duration, _ in rows(tune("C>.(D) E<<F|", "4/4"))[0]] == [36, 12, 6, 42]
    assert [duration for _, duration, _ in rows(tune("(3CDE F/ G/4 A3/2|"))[0]] == [
        *(16, 16, 16, 12, 6, 36)
    ]
    assert rows(tune("(3:2:2C2D E2|")) == [[(0, 32, 60), (32, 16, 62), (48, 48, 64)]]
    assert rows(tune("[CE]2 z Z|z4|C|"))[1][-1] == (264, 24, 60)


def test_measures_and_changes_of_meter():
    found = tune("C|DEF|\nM:2/4\nGA|", "3/4")
    assert found.score.pickup_ticks == 24
    assert found.score.time_signatures == ((0, TimeSignature(3, 4)), (96, TimeSignature(2, 4)))
    assert tune("CDEF|", "none").score.time_signatures == ()
    inside = tune("CD [M:2/4] EF|")
    assert inside.score.time_signatures[1] == (48, TimeSignature(2, 4))
    assert inside.repairs[0].startswith("changes of meter inside a measure begin a new one: 1")


def test_clefs_and_transpositions_give_the_sounding_pitch():
    found = read_tune("X:1\nL:1/4\nK:C\nV:1 clef=treble-8\nC|\nV:2 transpose=-2\nC|\n")
    assert pitches(found) == [[48], [58]]


def test_what_a_score_does_not_hold_is_reported():
    found = tune('"Am"!trill!{ag}A (Bc) .d|1 e4 :|2 f4 |]')
    assert pitches(found) == [[69, 71, 72, 74, 76, 77]]
    assert [message.split(":")[0].split(" (")[0] for message in found.losses] == [
        "chord symbols left out",
        "ornaments and other signs left out",
        "grace notes left out",
        "slurs left out",
        "endings of repeats read one after the other, as written",
        "repeat signs not carried out",
    ]


def test_fermatas_and_signs_that_are_not_understood():
    found = tune("!fermata!C HD !invertedfermata!E F|C ^ ] D2|")
    assert [note.fermata for note in found.score.voices[0].notes][:4] == [True, True, True, False]
    assert found.repairs == (
        "signs that are not understood left out: 2 (first at '^' in measure 2)",
    )
    assert found.status == "repaired"


def test_an_empty_line_ends_a_tune_unless_a_voice_follows():
    assert [text for _, text in tune_texts("X:1\nK:C\nC|\n\nabc\n")] == ["X:1\nK:C\nC|"]
    assert "[V:2]" in tune_texts("X:1\nK:C\n[V:1] C|\n\n[V:2] E|\n")[0][1]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("X:1\nC|\n", r"no tune with a key \(K:\)"),
        ("X:1\nK:C\nz4|\n", "holds no notes"),
        ("X:1\nK:C\n^/C|\n", "measure 1 holds a quarter tone"),
        ("X:1\nK:C\nC99999|\n", "a note of length '99999'; numbers up to 4096"),
        ("X:1\nK:G#\nC|\n", "holds the key 'G#'; a key signature has 7 flats to 7 sharps"),
        ("X:1\nM:1/3\nK:C\nC|\n", "the time signature '1/3'"),
        ("X:1\nM:4/4\nK:C\nC" + "Z999" * 200, "is longer than 400000 quarter notes"),
        ("X:1\nK:C\n" + "".join(f"[V:{n}]C|\n" for n in range(65)), "65 voices; at most 64"),
    ],
)
def test_wrong_tunes_are_refused(text, match):
    with pytest.raises(FormatError, match=match):
        read_tune(text)


def test_the_numbers_of_a_note_length_do_not_divide_by_zero():
    with pytest.raises(CorruptFileError, match="a note of length '1/0'"):
        tune("C1/0|")
