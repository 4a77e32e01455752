"""Melody and color: which voice, how many notes, and where they are put."""

import pytest

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.score import Key, Note, Score, Voice
from seqmusic.transformation.color import HIGHEST_FINAL, TENOR_COMPASS, ColorSettings, color_of
from seqmusic.transformation.melody_finding import find_melody

LINE = tuple(Note(24 * i, 24, 60 + i % 5) for i in range(12))


def color(text: str, **settings: object):
    settings = ColorSettings(**settings)  # type: ignore[arg-type]
    return color_of(find_melody(parse_theme(text)), Key(0, "major"), settings)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("Piano 1", "Voice", "Piano 2"), "Voice"),
        (("Flute", "Singstimme Voice", "Piano 1"), "Singstimme Voice"),
        (("Chant Voice 1", "Chant Voice 2", "Piano"), "Chant Voice 1"),
        (("Soprano", "Alto", "Bass"), "Soprano"),
    ],
)
def test_a_voice_that_sings_is_found_by_its_name(names: tuple[str, ...], found: str) -> None:
    melody = find_melody(Score(tuple(Voice(name, LINE) for name in names)))
    assert melody.reason.startswith(f"The melody is the {found}, the highest voice that sings")


def test_else_the_highest_voice_that_goes_through_is_taken() -> None:
    high = tuple(Note(24 * i, 24, 84) for i in range(2))
    low = tuple(Note(note.onset_ticks, 24, note.pitch - 12) for note in LINE)
    score = Score((Voice("Part 1", (*high, Note(72, 24, 84), Note(96, 24, 84))),))
    score = Score((*score.voices, Voice("Part 2", low), Voice("Part 3", LINE * 1)))
    melody = find_melody(Score((score.voices[1], score.voices[2])))
    assert melody.notes == LINE


def test_a_tune_of_two_notes_is_refused() -> None:
    with pytest.raises(RequestError, match="its longest voice has 2 notes, and 4 are needed"):
        find_melody(parse_theme("C4 D4"))


def test_equal_neighbors_are_one_unless_they_are_kept() -> None:
    text = "C4 C4 D4 E4 E4 F4 E4 D4"
    assert color(text, n_notes=6).tune == (60, 62, 64, 65, 64, 62)
    assert color(text, n_notes=8, keep_repeats=True).tune == (60, 60, 62, 64, 64, 65, 64, 62)


def test_a_color_that_does_not_fall_by_step_is_prolonged() -> None:
    found = color("C4 D4 E4 F4 G4 E4 G4 C4", n_notes=8)
    assert found.n_prolonged == 1
    before, final = found.pitches[-2:]
    assert (before - final, len(found.pitches)) == (2, 9)
    assert any("upper neighbor" in remark for remark in found.remarks)
    assert color("C4 D4 E4 F4 G4 E4 D4 C4", n_notes=8).n_prolonged == 0


def test_octaves_are_preferred_and_the_final_leaves_room_above() -> None:
    found = color("C5 D5 E5 F5 G5 F5 E5 D5", n_notes=8)
    assert found.shift == -24  # one octave down, the twelfth over D4 would be too high
    high_final = color("C4 E4 G4 C5 D5 E5 D5 C5", n_notes=8)
    assert high_final.pitches[-1] <= HIGHEST_FINAL[4] + 1  # else the tune would lie too low
    assert min(high_final.pitches) >= TENOR_COMPASS[0] - high_final.n_outside


def test_by_default_a_color_ends_with_a_phrase_after_whole_taleae() -> None:
    # The long note ends a phrase of eight notes, which are two taleae of four.
    found = color("C4 D4 E4 F4 G4 F4 E4 D4:1 E4 F4 G4 A4 G4 A4 B4", n_usual=9)
    assert len(found.pitches) == 8


@pytest.mark.parametrize("n_notes", [3, 9])
def test_more_notes_than_the_tune_has_are_refused(n_notes: int) -> None:
    with pytest.raises(RequestError, match=r"--notes must be in 4\.\.8 with this tune"):
        color("C4 D4 E4 F4 G4 F4 E4 D4", n_notes=n_notes)


def test_a_tune_on_one_pitch_is_refused() -> None:
    with pytest.raises(RequestError, match="at least 4 notes of changing pitch, this tune has 1"):
        color("C4 C4 C4 C4 C4")
