"""Real music through every format that keeps it, and files as other programs write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seqmusic.corpus.chorales import load_chorales
from seqmusic.formats import read_with_report, write_score
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice

FOLDER = Path(__file__).parent / "fixtures" / "notation"


def n_voice_scores(works: Sequence[Score], n_voices: int) -> list[Score]:
    """The first voices of each work, followed by those of the next, all with different names."""
    found = []
    for one, other in zip(works, (*works[1:], works[0]), strict=True):
        names = [f"{name} {choir}" for choir in (1, 2) for name in SATB]
        voices = [
            replace(v, name=name) for name, v in zip(names, one.voices + other.voices, strict=True)
        ]
        found.append(replace(one, voices=tuple(voices[:n_voices])))
    return found


def without_marks(score: Score) -> Score:
    """What a note list holds."""
    voices = (
        Voice(v.name, tuple(Note(n.onset_ticks, n.duration_ticks, n.pitch) for n in v.notes))
        for v in score.voices
    )
    return Score(tuple(voices), ())


def check_round_trip(score: Score, folder: Path, endings: Sequence[str]) -> None:
    for ending in endings:
        back = read_with_report(write_score(score, folder / f"x{ending}"))
        assert back.score == (without_marks(score) if ending == ".csv" else score)
        assert (back.repairs, back.losses) == ((), ())


@pytest.mark.parametrize("n_voices", range(1, 7))
def test_some_chorales_come_back(n_voices: int, tmp_path: Path) -> None:
    works = [work.score for work in load_chorales().kept_works[n_voices::90]]
    for index, score in enumerate(n_voice_scores(works, n_voices)):
        check_round_trip(score, tmp_path, [".mid", ".csv", *([".musicxml"] if not index else [])])


@pytest.mark.slow
def test_all_chorales_come_back(tmp_path: Path) -> None:
    """MusicXML, which takes a second a file, with one to six voices in turn."""
    works = [work.score for work in load_chorales().kept_works]
    for n_voices in range(1, 7):
        for index, score in enumerate(n_voice_scores(works, n_voices)):
            check_round_trip(
                score,
                tmp_path,
                [".mid", ".csv", *([".musicxml"] if index % 6 == n_voices - 1 else [])],
            )


def voice_notes(score: Score) -> list[tuple[str, list[tuple[int, int, int]]]]:
    return [
        (v.name, [(n.onset_ticks, n.duration_ticks, n.pitch) for n in v.notes])
        for v in score.voices
    ]


def test_an_engraved_score_by_hand() -> None:
    """Pickup, clarinet in B flat, triplet, grace note, two voices a staff, a chord, two endings."""
    report = read_with_report(FOLDER / "clarinet_and_piano.musicxml")
    score = report.score
    assert (score.title, score.key) == ("Clarinet and piano", Key(-1, "major"))
    assert (score.tempo_bpm, score.pickup_ticks) == (96.0, 24)
    assert score.time_signatures == ((0, TimeSignature(3, 4)),)
    # As written: the first bar is not repeated.
    assert [bar.onset_ticks for bar in score.bars()] == [0, 24, 96, 168]
    clarinet = [(0, 24, 72), (24, 24, 65), (48, 8, 67), (56, 8, 69), (64, 8, 70), (72, 24, 72)]
    assert voice_notes(score)[0] == (
        "Clarinet in Bb",
        [*clarinet, (96, 36, 74), (132, 12, 76), (144, 24, 77), (168, 48, 65)],
    )
    assert voice_notes(score)[1:] == [
        ("Piano 1", [(24, 72, 72), (96, 72, 72), (168, 48, 72)]),
        (
            "Piano 2",
            [(24, 24, 69), (48, 48, 67), (96, 24, 69), (120, 48, 67), (168, 24, 69), (192, 24, 67)],
        ),
        ("Piano 3", [(24, 72, 53), (96, 72, 53), (168, 48, 53)]),
        ("Piano 4", [(24, 72, 48), (96, 72, 48), (168, 48, 48)]),
    ]
    assert [loss.split(":")[0].split(" (")[0] for loss in report.losses] == [
        "parts for transposing instruments read as they sound",
        "dynamics left out",
        "repeat signs not carried out",
        "grace notes left out",
        "slurs left out",
        "endings of repeats read one after the other, as written",
        "ornaments and other signs left out",
        "articulations left out",
        "chords of part 'Piano' taken apart into 2 voices",
    ]


def test_a_kern_file_whose_voices_split_by_hand() -> None:
    """The lower of two spines splits in measure 2; a note of the upper is tied over a bar line."""
    report = read_with_report(FOLDER / "parting.krn")
    assert [notes for _, notes in voice_notes(report.score)] == [
        [
            (0, 36, 69),
            (36, 12, 70),
            (48, 24, 72),
            (72, 8, 72),
            (80, 8, 70),
            (88, 8, 69),
            (96, 48, 65),
            (144, 144, 67),
        ],
        [(0, 48, 53), (48, 48, 48), (96, 48, 57), (144, 48, 58), (192, 96, 48)],
        [(96, 48, 53), (144, 24, 50), (168, 24, 50)],
    ]
    assert (report.score.key, report.losses) == (Key(-1, "major"), ())


def test_an_abc_file_of_two_voices_by_hand() -> None:
    """6/8 in D with a pickup; three eighths in the time of two; the second voice has one chord."""
    score = read_with_report(FOLDER / "duet.abc").score
    flute = [
        (0, 12, 69),
        (12, 24, 74),
        (36, 12, 78),
        (48, 12, 78),
        (60, 12, 76),
        (72, 12, 74),
        (84, 8, 76),
        (92, 8, 78),
        (100, 8, 79),
    ]
    assert voice_notes(score)[0][1] == [
        *flute,
        (108, 24, 81),
        (156, 36, 73),
        (192, 36, 69),
        (228, 60, 74),
    ]
    assert sorted(note for _, line in voice_notes(score)[1:] for note in line) == [
        *(
            (12, 36, 50),
            (48, 36, 54),
            (84, 36, 57),
            (120, 36, 57),
            (120, 36, 61),
            (156, 36, 57),
            (192, 36, 45),
            (228, 60, 50),
        ),
    ]
    assert (score.key, score.pickup_ticks, score.tempo_bpm) == (Key(2, "major"), 12, 120.0)


def test_an_mei_file_by_hand() -> None:
    """Two staves in 3/4; the lower has two layers, one with a chord; a triplet of quarters."""
    score = read_with_report(FOLDER / "two_staves.mei").score
    assert [notes for _, notes in voice_notes(score)] == [
        [(0, 48, 67), (48, 24, 66), (72, 16, 67), (88, 16, 69), (104, 16, 71)],
        [(0, 72, 59)],
        [(0, 72, 50)],
        [(0, 72, 43)],
    ]
    assert (score.key, score.time_signatures) == (Key(1), ((0, TimeSignature(3, 4)),))
