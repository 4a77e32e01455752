"""MusicXML, kern and ABC: laws over the chorales and over random scores, cases by hand, refusals."""

from __future__ import annotations

import re
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import timeout as patience
from seqmusic.formats.notation import streams as notation_files
from seqmusic.formats.notation.file import (
    chorale_paths,
    musicxml_text,
    read_chorale,
    read_notation,
    read_notation_with_report,
    read_tunes,
    score_from_music21,
    score_to_music21,
    write_musicxml,
)
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import SATB, Key, Note, Score, TimeSignature, Voice, melody
from seqmusic.tonality import all_keys

STAVES = ("open", "closed")
SAMPLE = {
    "bwv66.6.mxl": "pickup of two eighths, fermatas",
    "bwv1.6.mxl": "horn beside the four voices",
    "bwv36.4-2.mxl": "thirty-seconds",
    "bwv123.6.mxl": "3/2",
    "bwv248.23-2.mxl": "12/8",
    "bwv171.6.mxl": "two changes of time signature, drums that rest through short measures",
    "bwv41.6.mxl": "two changes of time signature, each with an upbeat",
    "bwv304.mxl": "3/4 inside 4/4",
    "bwv362.mxl": "3/4 after 4/4",
    "bwv48.3.mxl": "a measure of one beat",
    "bwv113.8.mxl": "pickup that is numbered 1",
    "bwv276.mxl": "irregular measures",
    "bwv281.krn": "kern, parts without names",
    "bwv299.mxl": "grace notes",
    "bwv17.7.mxl": "3/4 with repeats",
}


def chorale(name: str) -> Score:
    return read_chorale(next(path for path in chorale_paths() if path.name == name))


def round_trip(score: Score, folder: Path, staves: str) -> Score:
    return read_notation(write_musicxml(score, folder / f"{staves}.musicxml", staves=staves))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SAMPLE)
def test_chorales_come_back_from_musicxml(name, tmp_path):
    score = chorale(name)
    for staves in STAVES:
        back = round_trip(score, tmp_path, staves)
        assert back == score
        assert (back.title, back.source) == (score.title, score.source)


def _round_trip_failure(path: Path) -> str:
    """Empty for a chorale that survives both layouts, else its name or the reason it is no chorale."""
    try:
        score = read_chorale(path)
    except FormatError as error:
        return str(error)
    with tempfile.TemporaryDirectory() as folder:
        return (
            ""
            if all(round_trip(score, Path(folder), staves) == score for staves in STAVES)
            else path.name
        )


@pytest.mark.slow
def test_all_chorales_come_back_from_musicxml():
    with ProcessPoolExecutor(2) as pool:
        told = list(pool.map(_round_trip_failure, chorale_paths(), chunksize=8))
    assert told.count("") >= 400
    assert all(
        "named Soprano" in line for line in told if line
    )  # five parts with two sopranos, and a prelude for the piano


def test_chorale_by_hand():
    """BWV 66.6 as printed: F# minor, 4/4, an upbeat, nine bars, a fermata on the third beat of six of them."""
    score = chorale("bwv66.6.mxl")
    assert [voice.name for voice in score.voices] == list(SATB)
    assert (score.key, score.time_signatures, score.pickup_ticks) == (
        Key(3, "minor"),
        ((0, TimeSignature(4, 4)),),
        24,
    )
    assert (score.title, score.source) == ("bwv66.6", "music21 corpus, bach/bwv66.6.mxl")
    soprano = score.voices[0]
    assert soprano.notes[:3] == (Note(0, 12, 73), Note(12, 12, 71), Note(24, 24, 69))
    assert [n.onset_ticks for n in soprano.notes if n.fermata] == [
        24 + 96 * bar + 48 for bar in (0, 1, 2, 4, 6, 8)
    ]
    assert score.end_ticks == 36 * 24


def test_chorale_files_are_sorted_and_scores_only():
    paths = chorale_paths()
    assert paths == sorted(paths)
    assert {path.suffix for path in paths} <= {".mxl", ".xml", ".krn"}
    assert len(paths) > 400


def test_files_without_four_parts_are_refused():
    with pytest.raises(FormatError, match=r"bwv846\.mxl: holds 2 parts, 0 of them named Soprano"):
        chorale("bwv846.mxl")


@st.composite
def voices(draw: st.DrawFn, name: str) -> Voice:
    notes, onset = [], 0
    for _ in range(draw(st.integers(0, 8))):
        duration = draw(
            st.sampled_from([1, 3, 4, 5, 6, 8, 12, 16, 18, 24, 36, 48, 72, 96, 100, 200])
        )
        if draw(st.integers(0, 3)):
            notes.append(Note(onset, duration, draw(st.integers(0, 127)), draw(st.booleans())))
        onset += duration
    return Voice(name, tuple(notes))


@st.composite
def meters(draw: st.DrawFn) -> tuple[int, tuple[tuple[int, TimeSignature], ...]]:
    signatures = st.sampled_from(
        [TimeSignature(*pair) for pair in [(4, 4), (3, 4), (2, 2), (3, 2), (6, 8), (5, 8), (7, 16)]]
    )
    if not draw(st.integers(0, 9)):
        return 0, ()
    found = [(0, draw(signatures))]
    pickup = draw(st.integers(0, found[0][1].bar_ticks - 1)) if draw(st.booleans()) else 0
    for _ in range(draw(st.integers(0, 2))):
        tick = found[-1][0] + draw(st.integers(max(1, pickup), 300))
        new = draw(signatures)
        starts = {bar.onset_ticks for bar in Score((), tuple(found), pickup).bars(tick + 1)}
        if (
            new != found[-1][1] or tick not in starts
        ):  # the same again at a bar line says nothing, and is not kept
            found.append((tick, new))
    return pickup, tuple(found)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    pickup, signatures = draw(meters())
    names = draw(st.sampled_from([SATB, ("1", "1", "", 'a\x01 "é" ')]))
    return Score(
        voices=tuple(draw(voices(name)) for name in names[: draw(st.integers(1, 4))]),
        time_signatures=signatures,
        pickup_ticks=pickup,
        key=draw(st.sampled_from([None, Key(2), *all_keys()])),
        tempo_bpm=draw(st.none() | st.floats(10, 400).map(lambda bpm: round(bpm, 5))),
        title=draw(st.sampled_from(["", "Nun <danket> & alle"])),
        source=draw(st.sampled_from(["", 'seed: 7\n{"key": 1}'])),
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(score=scores(), staves=st.sampled_from(STAVES))
def test_random_scores_come_back_from_musicxml(tmp_path, score, staves):
    back = round_trip(score, tmp_path, staves)
    assert back == score
    assert back.title == score.title
    assert back.source == (score.source or f"{staves}.musicxml")


def test_music21_stream_comes_back():
    score = chorale("bwv66.6.mxl")
    assert score_from_music21(score_to_music21(score)) == score


# Reading what others write: one measure a string, notes by hand.


def note(step: str, quarters: float, inside: str = "", voice: int = 1) -> str:
    divisions = round(quarters * 60)
    return (
        f"<note>{'<chord/>' if 'chord' in inside else ''}<pitch><step>{step}</step><octave>4</octave></pitch>"
        f"<duration>{divisions}</duration>{inside.replace('chord', '')}<voice>{voice}</voice></note>"
    )


def musicxml(
    *parts: list[str],
    time: str = "<time><beats>4</beats><beat-type>4</beat-type></time>",
    first_number: int = 1,
) -> str:
    lists = "".join(
        f'<score-part id="P{i}"><part-name>Part {i}</part-name></score-part>'
        for i in range(len(parts))
    )
    bodies = "".join(
        f'<part id="P{i}">'
        + "".join(
            f'<measure number="{number}">'
            + (
                f"<attributes><divisions>60</divisions>{time}</attributes>"
                if number == first_number
                else ""
            )
            + f"{measure}</measure>"
            for number, measure in enumerate(part, start=first_number)
        )
        + "</part>"
        for i, part in enumerate(parts)
    )
    return f'<?xml version="1.0"?><score-partwise version="4.0"><part-list>{lists}</part-list>{bodies}</score-partwise>'


def read(text: str, tmp_path: Path, suffix: str = ".musicxml") -> Score:
    path = tmp_path / f"given{suffix}"
    path.write_text(text, encoding="utf-8")
    return read_notation(path)


def test_tied_notes_are_one_and_a_fermata_on_the_last_of_them_stays(tmp_path):
    last = note("D", 1, '<tie type="stop"/>').replace(
        "</note>", "<notations><fermata/></notations></note>"
    )
    score = read(musicxml([note("C", 2) + note("D", 2, '<tie type="start"/>'), last]), tmp_path)
    assert score.voices[0].notes == (Note(0, 48, 60), Note(48, 72, 62, fermata=True))


def test_repeated_note_without_tie_stays_two_notes(tmp_path):
    assert read(musicxml([note("C", 2) + note("C", 2)]), tmp_path).voices[0].notes == (
        Note(0, 48, 60),
        Note(48, 48, 60),
    )


@pytest.mark.parametrize(
    "written",
    [
        '<rest measure="yes"/><duration>60</duration>',
        "<rest/><duration>60</duration><type>whole</type>",
    ],
)
def test_rest_for_the_whole_bar_in_a_pickup_is_as_short_as_the_pickup(written, tmp_path):
    rest = f"<note>{written}</note>"
    score = read(
        musicxml([rest, note("C", 4)], [note("D", 1), note("E", 4)], first_number=0), tmp_path
    )
    assert score.pickup_ticks == 24
    assert [voice.notes for voice in score.voices] == [
        (Note(24, 96, 60),),
        (Note(0, 24, 62), Note(24, 96, 64)),
    ]


def test_rest_for_the_whole_bar_in_one_voice_leaves_the_other_alone(tmp_path):
    """3/2: a half note and a whole rest above, a rest for the bar below."""
    above = (
        note("C", 2)
        + "<note><rest/><duration>240</duration><voice>1</voice><type>whole</type></note>"
    )
    below = '<backup><duration>360</duration></backup><note><rest measure="yes"/><duration>360</duration><voice>2</voice></note>'
    time = "<time><beats>3</beats><beat-type>2</beat-type></time>"
    score = read(musicxml([above + below, note("D", 6)], time=time), tmp_path)
    assert score.voices[0].notes == (Note(0, 48, 60), Note(144, 144, 62))
    assert score.time_signatures == ((0, TimeSignature(3, 2)),)


def test_two_voices_of_one_part_are_two_voices(tmp_path):
    backup = "<backup><duration>240</duration></backup>"
    score = read(musicxml([note("C", 4), note("E", 4) + backup + note("D", 4, voice=2)]), tmp_path)
    assert [(voice.name, voice.notes) for voice in score.voices] == [
        ("Part 0 1", (Note(0, 96, 60), Note(96, 96, 64))),
        ("Part 0 2", (Note(96, 96, 62),)),
    ]


def test_grace_notes_and_chord_symbols_are_left_out(tmp_path):
    symbol = "<harmony><root><root-step>G</root-step></root><kind>major</kind></harmony>"
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>"
    assert read(musicxml([symbol + grace + note("C", 4)]), tmp_path).voices[0].notes == (
        Note(0, 96, 60),
    )


def read_with_report(text: str, tmp_path: Path, suffix: str = ".musicxml") -> ReadReport:
    path = tmp_path / f"given{suffix}"
    path.write_text(text, encoding="utf-8")
    return read_notation_with_report(path)


def test_chords_are_separated_and_told(tmp_path):
    """A chord of C and E after a lone C: the upper note stays in the upper voice."""
    found = read_with_report(
        musicxml([note("C", 4), note("E", 4) + note("C", 4, "chord")]), tmp_path
    )
    assert [(voice.name, [n.pitch for n in voice.notes]) for voice in found.score.voices] in (
        [("Part 0 1", [60, 64]), ("Part 0 2", [60])],
        [("Part 0 1", [64]), ("Part 0 2", [60, 60])],
    )
    assert found.losses == ("chords of part 'Part 0' taken apart into 2 voices",)


def test_tied_chords_are_joined_note_by_note(tmp_path):
    tied = note("E", 4, '<tie type="start"/>') + note("C", 4, 'chord<tie type="start"/>')
    after = note("E", 4, '<tie type="stop"/>') + note("C", 4, 'chord<tie type="stop"/>')
    assert [voice.notes for voice in read(musicxml([tied, after]), tmp_path).voices] == [
        (Note(0, 192, 64),),
        (Note(0, 192, 60),),
    ]


def test_overlapping_notes_are_separated(tmp_path):
    backup = "<backup><duration>120</duration></backup>"
    voices = read(musicxml([note("C", 4) + backup + note("E", 1)]), tmp_path).voices
    assert [voice.notes for voice in voices] == [(Note(48, 24, 64),), (Note(0, 96, 60),)]


def test_quintuplet_is_moved_to_the_nearest_ticks_and_told(tmp_path):
    """Fifths of a quarter start at 0, 4.8, 9.6, 14.4 and 19.2 ticks."""
    found = read_with_report(
        musicxml(["".join(note("C", 0.2) for _ in range(5)) + note("D", 3)]), tmp_path
    )
    assert [n.onset_ticks for n in found.score.voices[0].notes] == [0, 5, 10, 14, 19, 24]
    assert found.losses[0].startswith(
        "starts of notes moved to the grid of 24 ticks a quarter: 4 of 6, by 0.30 ticks on average"
    )


def test_quarter_tone_is_refused(tmp_path):
    with pytest.raises(FormatError, match="measure 1 of part 'Part 0' holds a quarter tone"):
        read(musicxml([note("C", 4).replace("</step>", "</step><alter>0.5</alter>")]), tmp_path)


def test_percussion_is_left_out_and_told(tmp_path):
    unpitched = (
        "<unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
    )
    drum = f"<note>{unpitched}<duration>240</duration><voice>1</voice></note>"
    found = read_with_report(musicxml([drum], [note("C", 4)]), tmp_path)
    assert [voice.name for voice in found.score.voices] == ["Part 1"]
    assert found.losses == (
        "notes without pitch (percussion) left out: 1 (at measure 1 of part 'Part 0')",
    )
    with pytest.raises(FormatError, match="holds nothing but percussion"):
        read(musicxml([drum]), tmp_path)


LOSSES_BY_MESSAGE = {
    "grace notes left out: 1 (at measure 1": "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>",
    "chord symbols left out: 1": "<harmony><root><root-step>G</root-step></root><kind>major</kind></harmony>",
    "dynamics left out: 1": "<direction><direction-type><dynamics><f/></dynamics></direction-type></direction>",
    "words over the music left out: 1": "<direction><direction-type><words>dolce</words></direction-type></direction>",
    "syllables of text left out: 1": note("C", 1, "<lyric><text>la</text></lyric>"),
    "articulations left out: 1": note(
        "C", 1, "<notations><articulations><staccato/></articulations></notations>"
    ),
    "ornaments and other signs left out: 1": note(
        "C", 1, "<notations><ornaments><trill-mark/></ornaments></notations>"
    ),
    "repeat signs not carried out": '<barline location="right"><repeat direction="backward"/></barline>',
}


@pytest.mark.parametrize("told", LOSSES_BY_MESSAGE)
def test_what_a_score_does_not_hold_is_told(told, tmp_path):
    mark = LOSSES_BY_MESSAGE[told]
    whole = re.sub(r"(<(lyric|notations)>.*</\2>)(<voice>1</voice>)", r"\3\1", mark)
    found = read_with_report(
        musicxml(
            [whole + note("D", 3) + note("E", 1)]
            if "barline" not in mark
            else [note("D", 4) + mark]
        ),
        tmp_path,
    )
    assert len(found.losses) == 1
    assert found.losses[0].startswith(told)
    assert found.status == "read"


def test_transposing_instruments_are_read_as_they_sound(tmp_path):
    """A clarinet in B flat sounds a tone lower than written."""
    transpose = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    found = read_with_report(
        musicxml(
            [note("D", 4)], time=f"<time><beats>4</beats><beat-type>4</beat-type></time>{transpose}"
        ),
        tmp_path,
    )
    assert [n.pitch for n in found.score.voices[0].notes] == [60]
    assert found.losses == (
        "parts for transposing instruments read as they sound: 1 (at part 'Part 0')",
    )


def test_parts_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(FormatError, match="part 'Part 1' has 1 measures, the first part 2"):
        read(musicxml([note("C", 4), note("C", 4)], [note("D", 4)]), tmp_path)


def test_time_signature_is_not_made_up(tmp_path):
    score = read(musicxml([note("C", 4)], time=""), tmp_path)
    assert (score.time_signatures, score.key, score.tempo_bpm) == ((), None, None)


def test_abc(tmp_path):
    """An upbeat of an eighth in 6/8, D major (F and C sharp), a dotted quarter at the end."""
    score = read("X:1\nT:A tune\nM:6/8\nL:1/8\nK:D\nA|def d2c|d3-d2|]\n", tmp_path, ".abc")
    assert (score.title, score.key, score.pickup_ticks) == ("A tune", Key(2, "major"), 12)
    assert score.time_signatures == ((0, TimeSignature(6, 8)),)
    expected = [
        (0, 12, 69),
        (12, 12, 74),
        (24, 12, 76),
        (36, 12, 78),
        (48, 24, 74),
        (72, 12, 73),
        (84, 60, 74),
    ]
    assert [(n.onset_ticks, n.duration_ticks, n.pitch) for n in score.voices[0].notes] == expected


def test_abc_of_several_tunes_is_refused(tmp_path):
    tune = "T:A tune\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
    with pytest.raises(FormatError, match="holds 2 tunes; split it"):
        read(f"X:1\n{tune}\nX:2\n{tune}", tmp_path, ".abc")


def test_tunes_of_a_book_are_read_one_by_one_and_one_that_is_refused_stops_no_other(tmp_path):
    """The meter stands before the first tune and holds for both good ones; words between tunes are no music."""
    path = tmp_path / "book.abc"
    path.write_text(
        "M:3/4\nX:1\nT:First\nL:1/4\nK:C\nCDE|\n\nABC\n\nX:2\nT:Bad\nM:99/4\nK:C\nC|\n\nX:3\nL:1/4\nK:G\nFGA|",
        "utf-8",
    )
    first, bad, third = read_tunes(path)
    assert (first.name, bad.name, third.name) == ("1 First", "2 Bad", "3")
    assert (
        first.report.score.time_signatures
        == third.report.score.time_signatures
        == ((0, TimeSignature(3, 4)),)
    )
    assert [n.pitch for n in third.report.score.voices[0].notes] == [66, 67, 69]
    assert first.report.score.n_notes == 3
    assert bad.report is None
    assert re.fullmatch(
        r".*book\.abc: 2 Bad: holds a time signature with 99; at most 64 is read", bad.refusal
    )


def test_what_music21_guesses_is_told_as_repaired(tmp_path, capsys):
    """It takes a sign that is no note for a C, and says so on the error stream alone."""
    found = read_with_report("X:1\nM:4/4\nL:1/4\nK:C\nC D ^ F|\n", tmp_path, ".abc")
    assert found.status == "repaired"
    assert found.repairs[0].startswith(
        "signs that are not understood, left out or guessed: 1 (at 'Could not get pitch"
    )
    assert capsys.readouterr().err == ""


def test_voices_of_an_abc_file(tmp_path):
    found = read("X:1\nM:4/4\nL:1/4\nK:C\nV:1\ncdef|\nV:2\nCDEF|\n", tmp_path, ".abc")
    assert [[n.pitch for n in voice.notes] for voice in found.voices] == [
        [72, 74, 76, 77],
        [60, 62, 64, 65],
    ]


MEI = """<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv><score>
<scoreDef meter.count="3" meter.unit="4" key.sig="1s"><staffGrp>
<staffDef n="1" lines="5" clef.shape="G" clef.line="2"/><staffDef n="2" lines="5" clef.shape="F" clef.line="4"/>
</staffGrp></scoreDef><section><measure n="1">
<staff n="1"><layer n="1"><note pname="g" oct="4" dur="2"/><note pname="f" oct="4" dur="4" accid.ges="s"/></layer></staff>
<staff n="2"><layer n="1"><note pname="b" oct="3" dur="2" dots="1"/></layer><layer n="2"><note pname="g" oct="2" dur="2" dots="1"/>
</layer></staff></measure></section></score></mdiv></body></music></mei>"""


def test_mei(tmp_path):
    """Two staves, the lower with two layers, in 3/4 and G major."""
    found = read(MEI, tmp_path, ".mei")
    assert (found.key, found.time_signatures) == (Key(1), ((0, TimeSignature(3, 4)),))
    assert [
        [(n.onset_ticks, n.duration_ticks, n.pitch) for n in voice.notes] for voice in found.voices
    ] == [
        [(0, 48, 67), (48, 24, 66)],
        [(0, 72, 59)],
        [(0, 72, 43)],
    ]


def test_kern(tmp_path):
    """Two spines, the lower one first as kern has it; measure 2 is one beat long."""
    lines = [
        "**kern\t**kern",
        "*k[f#]\t*k[f#]",
        "*G:\t*G:",
        "*M2/4\t*M2/4",
        "=1\t=1",
        "2G\t4g",
        ".\t[4b",
    ]
    lines += ["=2\t=2", "4G;\t4b];", "==\t==", "*-\t*-"]
    score = read("\n".join(lines) + "\n", tmp_path, ".krn")
    assert score.key == Key(1, "major")
    assert [voice.notes for voice in score.voices] == [
        (Note(0, 24, 67), Note(24, 48, 71, fermata=True)),
        (Note(0, 48, 55), Note(48, 24, 55, fermata=True)),
    ]


# Files that are not to be trusted.


def test_entities_are_not_expanded(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><score-partwise>&b;</score-partwise>'
    for encoding in ("utf-8", "utf-16"):
        path = tmp_path / "bomb.xml"
        path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{bomb}'.encode(encoding))
        with pytest.raises(CorruptFileError, match=r"bomb\.xml: declares XML entities"):
            read_notation(path)


def test_depth_and_number_of_elements_are_bounded(tmp_path):
    path = tmp_path / "deep.musicxml"
    path.write_text("<a>" * 101 + "</a>" * 101, encoding="utf-8")
    with pytest.raises(CorruptFileError, match="elements stand 101 deep"):
        read_notation(path)
    path.write_text("<a>" + "<b/>" * 1_000_000 + "</a>", encoding="utf-8")
    with pytest.raises(FormatError, match="more than 1,000,000 elements"):
        read_notation(path)


def test_the_document_type_of_musicxml_is_no_harm(tmp_path):
    doctype = '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">'
    text = musicxml([note("C", 4)]).replace(
        '<?xml version="1.0"?>', f'<?xml version="1.0"?>{doctype}'
    )
    assert read(text, tmp_path).n_notes == 1
    with pytest.raises(CorruptFileError, match="undefined entity"):
        read(text.replace("Part 0", "&outside;"), tmp_path)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the first call may come in a callback
def test_what_takes_too_long_is_stopped(tmp_path, monkeypatch):
    """A few bytes that music21 would work on for hours are not known; so here the patience is short."""
    monkeypatch.setattr(notation_files, "_MAX_SECONDS", 0.05)
    monkeypatch.setattr(patience, "_RETRY_SECONDS", 0.05)
    with pytest.raises(FormatError, match="not read within 0 seconds"):
        read(musicxml([note("C", 4)] * 3000), tmp_path)


class SwallowsInterrupt:
    """Takes its time to go, and drops what is raised in it."""

    def __del__(self) -> None:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_call_to_stop_that_is_dropped_is_made_again(monkeypatch):
    monkeypatch.setattr(patience, "_RETRY_SECONDS", 0.1)
    end = time.monotonic() + 5

    def dawdle() -> None:
        SwallowsInterrupt()
        while time.monotonic() < end:
            pass

    with pytest.raises(patience.TimeLimitError), patience.time_limit(0.1):
        dawdle()
    assert time.monotonic() < end
    time.sleep(0.3)  # and none comes afterwards


def test_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.mxl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * 20_000_001)
    with pytest.raises(CorruptFileError, match="unpacks to more than 20 MB"):
        read_notation(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1001):
            archive.writestr(f"{number}.xml", b"")
    with pytest.raises(CorruptFileError, match="packs more than 1000 files"):
        read_notation(path)


def test_compressed_file_is_found_through_its_container(tmp_path):
    path, score = tmp_path / "score.mxl", melody([Note(0, 96, 60)])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="b.xml"/></rootfiles></container>',
        )
        archive.writestr("a.xml", "<nothing/>")
        archive.writestr("b.xml", musicxml_text(score))
    assert read_notation(path) == score


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("cut.musicxml", musicxml([note("C", 4)])[:300].encode(), "not readable as MusicXML"),
        ("time.musicxml", b"<score-timewise/>", "its root is <score-timewise>"),
        ("empty.musicxml", b"", "not readable as MusicXML"),
        (
            "no_parts.musicxml",
            b"<score-partwise><part-list/></score-partwise>",
            "no parts|not readable",
        ),
        ("empty.mxl", b"", "not readable as a compressed"),
        ("text.mxl", b"hello", "not readable as a compressed"),
        (
            "long.musicxml",
            musicxml([note("C", 4)]).replace("<beats>4", "<beats>1000000").encode(),
            "at most 64 is read",
        ),
        ("long.abc", b"X:1\nM:1000000/4\nK:C\nC|\n", "at most 64 is read"),
        ("empty.krn", b"", "not readable as kern|holds"),
        ("empty.mei", b"<mei/>", "its root is <mei>, expected"),
        (
            "no_score.mei",
            b'<mei xmlns="http://www.music-encoding.org/ns/mei"/>',
            "not readable as MEI",
        ),
        ("long.abc", b"X:1\nK:C\n" + b"C" * 100_000, "is longer than 0.1 MB"),
        ("song.mp3", b"", "files of the kind '.mp3' are not read"),
    ],
)
def test_damaged_files_are_refused_in_one_line(name, data, match, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FormatError, match=match) as caught:
        read_notation(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"none\.xml: cannot be read: No such file"):
        read_notation(tmp_path / "none.xml")


# Writing.


def test_accidentals_are_printed_where_needed_and_nowhere_else():
    """D major: F# and C# stand in the signature; G# and the G after it, in the same bar, need signs."""
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
    """A tempo for the score and not for each part; a fermata for the note and not for each tied piece."""
    held = Note(0, 144, 60, fermata=True)
    text = musicxml_text(
        Score((Voice("A", (held,)), Voice("B", (Note(0, 48, 50),))), tempo_bpm=72.5)
    )
    assert (text.count("<per-minute>72.5<"), text.count("<fermata"), text.count("<tied ")) == (
        1,
        1,
        2,
    )


def test_silent_bar_that_is_cut_short_stays_short(tmp_path):
    """Four quarters of 3/2, silent, before 3/4: a whole rest there would be taken for the whole bar."""
    score = melody(
        [Note(96, 72, 60)], time_signatures=((0, TimeSignature(3, 2)), (96, TimeSignature(3, 4)))
    )
    assert round_trip(score, tmp_path, "open") == score


def test_same_score_same_text():
    score = chorale("bwv10.7.mxl")
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


def test_failed_writing_leaves_what_was_there(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(FormatError, match="cannot be written"):
        write_musicxml(melody([Note(0, 24, 60)]), tmp_path / "taken")
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


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
