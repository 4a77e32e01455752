"""Prompts: what is given, what is to be composed, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from seqmusic.errors import RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.prompts import (
    continuation_prompt,
    fitting_shift,
    harmonization_prompt,
    regeneration_prompt,
    with_random_holes,
)
from seqmusic.score import Key, Note, Score, TimeSignature, Voice

CHORALE = parse_theme(
    "G4 A4 B4 C5 | D5:1 ; D4:1/2 E4 | F#4:1 ; B3:1/4 C4 B3 A3 | A3:1 ; G3:1/2 E3 | D3:1",
    key=Key(1, "major"),
)


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        (Score((Voice("Soprano", ()),)), (), "no notes to harmonize"),
        (CHORALE, (), "all four voices are given"),
        (CHORALE, ("tenor", "x"), "a voice is one of soprano, alto, tenor, bass, got 'x'"),
        (
            parse_theme("C5; C4; C3; C2; C2"),
            (),
            r"there are 5 voices .* name as many with --voice",
        ),
        (parse_theme("C5 D5"), ("alto", "bass"), "there are 1 voices"),
        (
            replace(CHORALE, voices=(Voice("Soprano", ()), *CHORALE.voices[1:])),
            ("soprano",),
            "soprano has no notes",
        ),
    ],
)
def test_harmonizing_is_refused_with_nothing_given_or_nothing_missing(
    given: Score, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        harmonization_prompt(given, names)


def test_bars_are_numbered_as_printed() -> None:
    score = parse_theme("D4:1/8 E4 | F4:1/4 A4 G4 E4 | F4:1/2 E4 | D4:1/2.")
    assert regeneration_prompt(score, (0, 0)).holes == (((0, 24),),)
    assert regeneration_prompt(score, (2, 3)).holes == (((120, 288),),)
    assert regeneration_prompt(score).holes == (((0, 288),),)
    held = parse_theme("C4:1/4 C4:1/2. | _:1/4 E4:1/2 F4:1/4 | _:1/2 G4 | C4:1")
    assert regeneration_prompt(held, (2, 2)).holes == (
        ((120, 240),),
    )  # the note held in stays, the one held out goes


@pytest.mark.parametrize(
    ("bars", "voices", "message"),
    [
        ((3, 2), (), "bars 3-2 hold nothing"),
        ((1, 9), (), r"bars 1-9 do not exist; the music has bars 1-2 \(a pickup is bar 0\)"),
        ((0, 1), (), "bars 0-1 do not exist"),
        (None, ("flute",), "a voice is one of soprano, alto, tenor, bass, got 'flute'"),
    ],
)
def test_bars_and_voices_that_do_not_exist_are_refused(
    bars: tuple[int, int] | None, voices: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        regeneration_prompt(CHORALE, bars, voices)


def test_regions_without_onsets_are_refused() -> None:
    long = parse_theme("C4:2 | D4:1", TimeSignature(4, 2))
    with pytest.raises(RequestError, match="the score has no notes"):
        regeneration_prompt(replace(long, voices=(Voice("Soprano", ()),)))
    tied = Score((Voice("Soprano", (Note(0, 192, 60),)),), ((0, TimeSignature(4, 4)),))
    with pytest.raises(RequestError, match="no note begins there"):
        regeneration_prompt(tied, (2, 2))


def test_random_holes_are_whole_notes_of_the_holes() -> None:
    whole = regeneration_prompt(CHORALE, (1, 1), ["soprano", "tenor"])
    for seed in range(20):
        prompt = with_random_holes(whole, 0.4, np.random.default_rng(seed))
        assert prompt.holes[1] == prompt.holes[3] == ()
        assert any(prompt.holes)
        for voice, holes in zip(CHORALE.voices, prompt.holes, strict=True):
            onsets, ends = (
                {getattr(note, name) for note in voice.notes}
                for name in ("onset_ticks", "end_ticks")
            )
            assert all(
                start in onsets and end in ends and start < end <= 96 for start, end in holes
            )


def test_a_theme_is_moved_by_octaves_if_they_suffice() -> None:
    assert fitting_shift(parse_theme("C2 D2 E2")) == 24
    assert fitting_shift(parse_theme("C7 C8")) == -36
    assert fitting_shift(parse_theme("A3 A5")) == 0
    assert (
        fitting_shift(parse_theme("Ab3 Ab5")) == 1
    )  # two octaves fill the compass, so no octave fits
    assert fitting_shift(parse_theme("C5; C3")) == 0


def test_bars_are_counted_through_a_change_of_time_signature() -> None:
    theme = parse_theme("C4 D4 E4 F4 | G4:1")
    changed = Score(theme.voices, ((0, TimeSignature(4, 4)), (96, TimeSignature(3, 4))), 0, None)
    assert continuation_prompt(changed, 4, "melody").holes == (((192, 96 + 3 * 72),),)
