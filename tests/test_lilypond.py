"""LilyPond text: worked out by hand, and engraved where LilyPond is installed."""

import shutil
import subprocess

import pytest

from seqmusic.errors import FormatError
from seqmusic.formats import read_score
from seqmusic.formats.lilypond import lilypond_text, pitch_name, write_lilypond
from seqmusic.formats.notation.file import chorale_paths, read_chorale
from seqmusic.formats.theme import parse_theme
from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody
from seqmusic.tonality import Spelling

FOUR, THREE, SIX = TimeSignature(4, 4), TimeSignature(3, 4), TimeSignature(6, 8)


def bars_of(score):
    """The lines of the first voice, without what all voices share."""
    text = lilypond_text(score)
    inside = text.split("\\global\n", 1)[1].split('  \\bar "|."', 1)[0]
    return [line.strip() for line in inside.splitlines()]


MELODY_TEXT = r"""\version "2.24.0"
\language "nederlands"
% made
% by hand

\header {
  title = "A \"theme\""
  tagline = ##f
}

global = {
  \key c \minor
  \time 4/4
  \tempo 4 = 67
}

sopranoPart = {
  \global
  \partial 4
  g'4 |  % 0
  c''4. es''8 r4 d''4~ |  % 1
  d''2\fermata  % 2
  \bar "|."
}

\score {
  <<
    \new Staff { \clef treble \new Voice = "sopranoPart" { \sopranoPart } }
  >>
  \layout { }
  \midi {
    \context { \Staff \remove "Staff_performer" }
    \context { \Voice \consists "Staff_performer" }
  }
}
"""


def test_a_melody_in_full():
    notes = (Note(0, 24, 67), Note(24, 36, 72), Note(60, 12, 75), Note(96, 72, 74, fermata=True))
    score = melody(
        notes,
        pickup_ticks=24,
        key=Key(-3, "minor"),
        tempo_bpm=66.6,
        title='A "theme"',
        source="made\nby hand",
    )
    # Bar 1 spans ticks 24..120: C5 to 60, Eb5 to 72, silence to 96, then 24 ticks of D5, of which
    # 48 follow in bar 2.
    assert lilypond_text(score) == MELODY_TEXT


def test_four_voices_stand_on_two_staves():
    text = lilypond_text(parse_theme(["C5", "G4", "E4", "C3"]))
    assert (
        r"""\score {
  \new ChoirStaff <<
    \new Staff \with { instrumentName = \markup \right-column { "Soprano" "Alto" } } <<
      \clef treble
      \new Voice = "sopranoPart" { \voiceOne \sopranoPart }
      \new Voice = "altoPart" { \voiceTwo \altoPart }
    >>
    \new Staff \with { instrumentName = \markup \right-column { "Tenor" "Bass" } } <<
      \clef bass
      \new Voice = "tenorPart" { \voiceOne \tenorPart }
      \new Voice = "bassPart" { \voiceTwo \bassPart }
    >>
  >>
"""
        in text
    )


def test_other_numbers_of_voices_stand_on_a_staff_each_with_distinct_names():
    names = ("Violin", "Violin", "2. Fagott", "弦", "")
    score = Score(tuple(Voice(name, (Note(0, 24, 40 + 10 * i),)) for i, name in enumerate(names)))
    variables = ("violinPart", "violinBPart", "fagottPart", "voicePart", "voiceEPart")
    clefs = ("bass", "bass", "treble", "treble", "treble")
    lines = [line.strip() for line in lilypond_text(score).splitlines()]
    assert [line for line in lines if line.startswith(r"\new Staff")] == [
        rf'\new Staff \with {{ instrumentName = "{name}" }} '
        rf'{{ \clef {clef} \new Voice = "{variable}" {{ \{variable} }} }}'
        for name, clef, variable in zip(names, clefs, variables, strict=True)
    ]


def test_a_change_of_time_signature_inside_a_bar_cuts_it_short():
    score = melody(
        [Note(0, 24, 60), Note(24, 24, 62), Note(48, 72, 64)],
        time_signatures=((0, FOUR), (48, THREE)),
    )
    assert bars_of(score) == [r"\partial 2", "c'4 d'4 |  % 1", r"\time 3/4", "e'2. |  % 2"]


def test_a_pickup_shows_the_beats_of_the_bar_that_it_ends():
    # Five eighths before bar 1 begin at the fourth eighth of a bar, so the half note crosses the
    # middle of the bar.
    assert bars_of(parse_theme("C4:1/2 D4:1/8 | E4")) == [
        r"\partial 1*5/8",
        "c'8~ c'4. d'8 |  % 0",
        "e'8  % 1",
    ]


def test_silence_of_a_whole_bar_and_of_an_odd_one():
    head = parse_theme("C4:1/2. | R:3/4 | R:1/2 D4:1/4", THREE)
    assert bars_of(head) == ["c'2. |  % 1", "R2. |  % 2", "r2 d'4 |  % 3"]
    five = parse_theme("C4:5/4 | R:5/4 | D4:1/4", TimeSignature(5, 4))
    assert bars_of(five) == ["c'1~ c'4 |  % 1", "R1*5/4 |  % 2", "d'4  % 3"]


def test_a_silent_voice_lasts_as_long_as_the_others():
    score = Score(
        (Voice("Soprano", ()), Voice("Bass", (Note(0, 24, 48), Note(24, 120, 50)))), pickup_ticks=24
    )
    assert bars_of(score) == [r"\partial 4", "r4 |  % 0", "R1 |  % 1", "r4  % 2"]


def test_without_a_meter_there_are_no_bar_lines():
    text = lilypond_text(Score((Voice("Soprano", (Note(0, 24, 60), Note(144, 24, 62))),), ()))
    assert r"\cadenzaOn \omit Staff.TimeSignature" in text
    assert r"\time" not in text
    assert "R1" not in text


@pytest.mark.parametrize(
    ("head", "signature", "written"),
    [
        ("C4:3/8 D4:1/8 E4:1/8 F4:3/8", FOUR, "c'4. d'8 e'8 f'4."),
        ("C4:1/4 D4:1/2 E4:1/4", FOUR, "c'4 d'2 e'4"),
        ("C4:1/8 D4:1/4 E4:1/4 F4:1/4 G4:1/8", FOUR, "c'8 d'4 e'8~ e'8 f'4 g'8"),  # shows mid-bar
        ("C4:1/8 D4:1/4 E4:1/4 F4:1/8", THREE, "c'8 d'4 e'4 f'8"),
        ("C4:1/16 D4:1/4 E4:3/16 F4:1/2", FOUR, "c'16 d'8.~ d'16 e'8. f'2"),
        ("C4:5/8 D4:3/8", FOUR, "c'2~ c'8 d'4."),
        ("C4:7/8 R:1/8 | C4", FOUR, "c'2.~ c'8 r8"),
        ("C4:1/4 D4:1/8 E4:1/8 F4:1/4", SIX, "c'4 d'8 e'8 f'4"),
        ("C4:1/8 D4:1/2 E4:1/8", SIX, "c'8 d'4~ d'4 e'8"),
        ("C4:3/8 D4:3/8", SIX, "c'4. d'4."),
        ("C4:3/4", SIX, "c'2."),
        ("C4:1/8 R:5/8 | C4", SIX, "c'8 r8 r8 r4."),
        ("C4:1/4 R:3/4 | C4", FOUR, "c'4 r4 r2"),
        ("C4:1 D4:1", TimeSignature(4, 2), "c'1 d'1"),
        ("C4:2", TimeSignature(4, 2), r"c'\breve"),
        ("C4:1/12 D4 E4 F4:1/4 G4:1/2", FOUR, r"\tuplet 3/2 { c'8 d'8 e'8 } f'4 g'2"),
        (
            "C4:1/6 D4:1/12 E4:1/12 F4:1/6 G4:1/2",
            FOUR,
            r"\tuplet 3/2 { c'4 d'8 } \tuplet 3/2 { e'8 f'4 } g'2",
        ),
        ("C4:1/6 D4 E4 F4:1/2", FOUR, r"\tuplet 3/2 { c'4 d'4 e'4 } f'2"),
        ("C4:1/24 D4 E4 F4:1/8 G4:3/4", FOUR, r"\tuplet 3/2 { c'16 d'16 e'16 } f'8 g'2."),
        ("C4:1/12 R D4 E4:3/4", FOUR, r"\tuplet 3/2 { c'8 r8 d'8 } e'2."),
        ("C4:1/3 D4 E4", FOUR, r"\tuplet 3/2 { c'2 d'2 e'2 }"),
        ("C4:1/4 _:1/12 D4 E4 F4:1/2", FOUR, r"c'4~ \tuplet 3/2 { c'8 d'8 e'8 } f'2"),
        (
            "C4:1/24 D4 E4 F4 G4 A4 C5:3/4",
            FOUR,
            r"\tuplet 3/2 { c'16 d'16 e'16 } \tuplet 3/2 { f'16 g'16 a'16 } c''2.",
        ),
        ("C4:23/96 D4:1/96 E4:3/4", FOUR, r"c'8.~ c'32~ \tuplet 3/2 { c'32 d'64 } e'2."),
    ],
)  # fmt: skip
def test_values_worked_out_by_hand(head, signature, written):
    assert bars_of(parse_theme(head, signature))[0] == f"{written} |  % 1"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        (Spelling("C", 0, 4), "c'"),
        (Spelling("F", 1, 3), "fis"),
        (Spelling("E", -1, 5), "es''"),
        (Spelling("A", -2, 2), "ases,"),
        (Spelling("B", -1, 1), "bes,,"),
        (Spelling("B", -2, 4), "beses'"),
        (Spelling("D", 2, 4), "disis'"),
        (Spelling("G", 0, -1), "g,,,,"),
    ],
)
def test_note_names(spelling, name):
    assert pitch_name(spelling) == name


def test_pitches_without_a_key_are_spelled_in_the_key_they_sound_in():
    assert (
        bars_of(parse_theme("Ab4 Bb4 C5 Db5 | Eb5 Db5 C5 Bb4 | Ab4:1"))[0]
        == "as'4 bes'4 c''4 des''4 |  % 1"
    )


ATTACK = 'x" } #(system "ls") \\include "passwd" %} \x00\r\n\\score { } #(exit)\u2028#(exit)\ud800'


def test_texts_from_outside_stay_texts():
    score = Score(
        (Voice(ATTACK, (Note(0, 96, 60),)), Voice("global", ())), title=ATTACK, source=ATTACK
    )
    text = lilypond_text(score)
    escaped = r'"x\" } #(system \"ls\") \\include \"passwd\" %}    \\score { } #(exit) #(exit) "'
    assert f"title = {escaped}\n" in text
    assert f"instrumentName = {escaped} " in text
    assert text.splitlines()[2:6] == [
        '% x" } #(system "ls") \\include "passwd" %}  ', "% \\score { } #(exit)", "% #(exit) ", ""
    ]  # fmt: skip
    assert "globalPart = {" in text
    assert all(c.isprintable() or c == "\n" for c in text)


def test_a_score_without_voices_is_refused():
    with pytest.raises(FormatError, match="without voices"):
        lilypond_text(Score(()))


def test_every_tempo_is_written_or_left_out():
    def has_tempo(tempo):
        return r"\tempo" in lilypond_text(melody([Note(0, 1, 60)], tempo_bpm=tempo))

    assert all(map(has_tempo, (1, 240)))
    assert not any(map(has_tempo, (0.1, 0.5, float("nan"), float("inf"))))


ENGRAVED = {
    # Pickups, 4/4 and 3/4, bars cut short, fermatas.
    "chorale": lambda: read_chorale(chorale_paths()[65]),
    "triplets": lambda: parse_theme(
        "C4:1/12 | D4 E4 F4 G4:1/6 A4:1/12 B4:1/6 C5 D5 | C4:1/96 R:1/24 D4:1/3 _:59/96 | R:1"
    ),
    "attack": lambda: Score(
        (Voice(ATTACK, (Note(0, 36, 60),)), Voice("hide", ())),
        pickup_ticks=7,
        title=ATTACK,
        source=ATTACK,
    ),
    "no meter": lambda: Score(
        (Voice("Soprano", (Note(0, 50, 60), Note(160, 96, 62))), Voice("display", ())), ()
    ),
}


@pytest.mark.skipif(not shutil.which("lilypond"), reason="lilypond is not installed")
@pytest.mark.parametrize("name", ENGRAVED)
def test_lilypond_engraves_it_without_a_warning_and_plays_the_same_notes(name, tmp_path):
    score = ENGRAVED[name]()
    path = write_lilypond(score, tmp_path / "piece.ly")
    options = ["-dno-print-pages", "--loglevel=WARNING", "-o", str(tmp_path / "piece")]
    command = ["lilypond", *options, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    played = read_score(tmp_path / "piece.midi")
    assert sounds(played) == sounds(score)


def sounds(score):
    return sorted(
        (note.onset_ticks, note.duration_ticks, note.pitch)
        for voice in score.voices
        for note in voice.notes
    )


@pytest.mark.slow
def test_every_chorale_can_be_written():
    for path in chorale_paths():
        try:
            score = read_chorale(path)
        except FormatError:
            continue
        text = lilypond_text(score)
        assert text.count("\\fermata") == sum(
            note.fermata for voice in score.voices for note in voice.notes
        )
        assert text.count(r'\bar "|."') == len(score.voices)
