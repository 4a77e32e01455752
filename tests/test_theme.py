"""Typed themes: what they mean, what is refused, and that they can be written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import ThemeError
from seqmusic.formats.theme import parse_theme, theme_text
from seqmusic.formats.voice_names import default_voice_names
from seqmusic.score import Key, Note, Score, TimeSignature, Voice


def notes(text, **settings):
    """(onset, duration, pitch) of each note of a theme of one voice."""
    (voice,) = parse_theme(text, **settings).voices
    return [(note.onset_ticks, note.duration_ticks, note.pitch) for note in voice.notes]


def test_the_theme_of_the_documentation():
    score = parse_theme("C4 D4:1/8 Eb4:3/8 R:1/4 | F4")
    # 1/4 + 1/8 + 3/8 + 1/4 is one whole bar, so F4 stands at tick 96; the rest before it begins
    # at tick 72.
    assert score == Score(
        (Voice("Soprano", (Note(0, 24, 60), Note(24, 12, 62), Note(36, 36, 63), Note(96, 24, 65))),)
    )


@pytest.mark.parametrize(
    ("written", "pitch"),
    [
        ("C4", 60), ("c4", 60), ("60", 60), ("do4", 60), ("B#3", 60), ("Dbb4", 60), ("si#3", 60),
        ("Eb4", 63), ("E♭4", 63), ("mib4", 63), ("MIb4", 63), ("D#4", 63), ("ré#4", 63),
        ("re#4", 63), ("Re♯4", 63), ("re\u0301#4", 63),  # the accent as a separate character
        ("Cx4", 62), ("C##4", 62), ("sol4", 67), ("solb4", 66), ("fa#4", 66), ("fab4", 64),
        ("la4", 69), ("b4", 71), ("Bb4", 70), ("BB4", 70), ("bbb4", 69), ("C-1", 0), ("G9", 127),
        ("0", 0), ("127", 127), ("007", 7),
    ],
)  # fmt: skip
def test_a_pitch_is_a_name_a_syllable_or_a_number(written, pitch):
    assert notes(written) == [(0, 24, pitch)]


def test_octave_and_value_stay_until_another_is_given():
    expected = [(0, 24, 64), (24, 12, 77), (36, 12, 79), (48, 12, 60), (60, 36, 81)]
    assert notes("E F5:1/8 G 60 A:1/4.") == expected


def test_each_voice_starts_again_with_octave_4_and_quarters():
    score = parse_theme("C5:1/2 ; E")
    assert score.voices[1].notes == (Note(0, 24, 64),)


@pytest.mark.parametrize(
    ("value", "ticks"),
    [
        *(("1", 96), ("2", 192), ("2/8", 24), ("3/8", 36)),
        *(("1/4.", 36), ("1/4..", 42), ("1/12", 8), ("1/96", 1)),
    ],
)
def test_values_are_fractions_of_a_whole_note(value, ticks):
    assert notes(f"C4:{value}") == [(0, ticks, 60)]


def test_a_held_note_sounds_on_over_the_bar_line():
    assert notes("C4:3/4 D4:1/4 | _:1/2 E4") == [(0, 72, 60), (72, 72, 62), (144, 48, 64)]


def test_a_fermata_is_a_sign_at_the_end_of_a_token():
    notes = parse_theme("C5^ D5:1/2^ 60 E5:1/8 _^ F5").voices[0].notes
    assert [note.fermata for note in notes] == [True, True, False, True, False]


def test_a_short_first_bar_is_the_pickup_and_without_bar_lines_there_is_none():
    assert parse_theme("G4:1/8 | C5:1/2 D5 |", TimeSignature(4, 4)).pickup_ticks == 12
    assert parse_theme("C4 D4 E4 | F4").pickup_ticks == 72
    assert parse_theme("C4 D4 E4 | F4", TimeSignature(3, 4)).pickup_ticks == 0
    assert parse_theme("C4 D4 E4 F4 G4").pickup_ticks == 0


def test_voices_are_separated_by_semicolons_or_given_one_by_one():
    together = parse_theme("G4 | C5:1; E4 | G4:1;\tC4 | E4:1 ;C3 | C3:1", key=Key(0, "major"))
    assert together == parse_theme(
        ["G4 | C5:1", "E4 | G4:1", "C4 | E4:1", "C3 | C3:1"], key=Key(0, "major")
    )
    assert [voice.name for voice in together.voices] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert together.pickup_ticks == 24


def test_names_of_voices_follow_their_number():
    assert [default_voice_names(n) for n in (1, 2, 3)] == [
        ("Soprano",),
        ("Soprano", "Bass"),
        ("Soprano", "Alto", "Bass"),
    ]
    assert default_voice_names(5) == ("Voice 1", "Voice 2", "Voice 3", "Voice 4", "Voice 5")


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("C4 D4 Zb4", 7, r"^token 3 'Zb4' at character 7: expected a pitch .* mean 'Bb4'\?$"),
        ("H4:1/8", 1, r"did you mean 'B4:1/8'\?"),
        ("E#b", 1, r"did you mean 'E[b#]'\?"),
        ("C4 Dmi4", 4, r"token 2 'Dmi4' at character 4.*did you mean 'mi4'\?"),
        ("C12", 1, r"between C-1 and G9 \(MIDI 0..127\), got 156; did you mean 'C9'\?"),
        ("G#9", 1, r"got 128; did you mean 'G#8'\?"),
        ("C-2", 1, r"got -12; did you mean 'C-1'\?"),
        ("Cb-1", 1, r"got -1; did you mean 'B-1'\?"),
        ("200", 1, r"did you mean '127'\?"),
        ("C٤", 1, r"expected a pitch"),
        (
            "C4:1/0",
            1,
            r"as a fraction of a whole note, such as 1/8, 3/8 or 1; did you mean 'C4:1/4'\?",
        ),
        ("C4:", 1, r"did you mean 'C4:1/4'\?"),
        ("C4:0", 1, r"fraction of a whole note"),
        (
            "C4:1/5",
            1,
            r"a whole number of 96ths of a whole note, got 1/5; did you mean 'C4:3/16'\?",
        ),
        ("C4:65", 1, r"at most 64 whole notes, got 65"),
        (":1/8", 1, r"expected a pitch"),
        ("_ C4", 1, r"holds the note before it, and there is none"),
        ("C4 R _", 6, r"holds the note before it, and there is none"),
        ("C4 R:1/2^", 4, r"^token 2 'R:1/2\^' at character 4: a fermata stands over a note, not"),
        ("C4 ^", 4, r"expected a pitch"),
        ("C4^^", 1, r"expected a pitch"),
        ("", 1, r"holds no note"),
        (" \n", 1, r"holds no note"),
        ("R | R:1", 1, r"holds no note"),
        ("C4 ; ; D4", 5, r"voice at character 5 is empty"),
        (
            "C4 D4 E4 F4 | C4:1/8 D4:3/4 | E4",
            29,
            r"^bar 2 holds 7/8 in 4/4 \(before the \| at character 29\)$",
        ),
        ("G4 | C4 D4 E4 | F4", 15, r"^bar 1 holds 3/4 in 4/4"),
        ("C4:1 D4:1/8 | E4", 13, r"^bar 1 holds 9/8 in 4/4"),
        ("C4:1/12 D4 | E4:1 F4:1/12 |", 27, r"^bar 1 holds 13/12 in 4/4"),
        ("C4 | | D4", 6, r"^bar 1 holds nothing in 4/4"),
        ("| C4", 1, r"^bar 1 holds nothing"),
        ("C4:1 | D4:5/4", 14, r"^bar 2 holds 5/4 in 4/4 \(before the end\)$"),
        ("C4 | D4 ; R:1/8 | E4", 10, r"voice 2 has a pickup of 1/8 and voice 1 one of 1/4"),
        ("C4 ; D4 X", 9, r"^voice 2, token 2 'X' at character 9"),
        ("C4 " * 4000, 10001, r"at most 10,000 characters, got 12,000"),
        ("C4;" * 16 + "C4", 1, r"at most 16 voices, got 17"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_position(text, position, message):
    with pytest.raises(ThemeError, match=message) as refusal:
        parse_theme(text)
    assert refusal.value.position == position
    assert "\n" not in str(refusal.value)


def test_a_position_is_counted_within_its_argument():
    with pytest.raises(ThemeError, match=r"^voice 2, token 2 'Q4' at character 4") as refusal:
        parse_theme(["C4 D4 E4", "C4 Q4"])
    assert refusal.value.position == 4


@given(st.text(st.sampled_from("CDEbHx#4590:/.|;_R^~ doréla-𝄪\n\x00"), max_size=40))
def test_any_text_is_a_score_or_a_theme_error(text):
    try:
        n_notes, position = parse_theme(text).n_notes, 1
    except ThemeError as refusal:
        n_notes, position = 1, refusal.position
    assert n_notes >= 1
    assert 1 <= position <= len(text) + 1


@st.composite
def themes(draw):
    """Scores of the kind that can be typed."""
    meters = [(4, 4), (3, 4), (6, 8), (5, 8), (2, 2)]
    signature = TimeSignature(*draw(st.sampled_from(meters)))
    pickup = draw(st.one_of(st.just(0), st.integers(0, signature.bar_ticks - 1)))
    n_voices = draw(st.integers(1, 6))
    steps = st.tuples(st.integers(0, 60), st.integers(1, 200), st.integers(0, 127), st.booleans())
    voices = []
    for name in default_voice_names(n_voices):
        line, now = [], 0
        for rest, duration, pitch, fermata in draw(st.lists(steps, max_size=8)):
            line.append(Note(now + rest * (rest % 2), duration, pitch, fermata))
            now = line[-1].end_ticks
        voices.append(Voice(name, tuple(line)))
    if not any(voice.notes for voice in voices):
        voices[0] = Voice(voices[0].name, (Note(draw(st.integers(0, 99)), 24, 60),))
    modes = st.sampled_from(["major", "minor", ""])
    key = draw(st.none() | st.builds(Key, st.integers(-7, 7), modes))
    return Score(tuple(voices), ((0, signature),), pickup, key)


@given(themes())
def test_a_written_theme_means_the_same_score(score):
    text = theme_text(score)
    assert parse_theme(text, score.time_signatures[0][1], score.key) == score
    assert parse_theme(text.split(";"), score.time_signatures[0][1], score.key) == score


def test_a_theme_is_written_with_bars_ties_and_the_spelling_of_its_key():
    soprano = Voice("Soprano", (Note(0, 24, 70), Note(24, 120, 75), Note(168, 8, 68)))
    score = Score((soprano, Voice("Bass", ())), ((0, TimeSignature(4, 4)),), 24, Key(-2, "minor"))
    # Bar 1 spans ticks 24..120, so Eb5 (24..144) is held for a quarter in bar 2; the rest ends at
    # tick 168.
    assert theme_text(score) == "Bb4 | Eb5:1 | _:1/4 R Ab4:1/12 ; R |"
