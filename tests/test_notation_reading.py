"""MusicXML as other programs write it: notes, ties, voices, chords, pickups, worked out by hand."""

from __future__ import annotations

import re

import pytest
from notation_texts import musicxml, note, read, report_of

from seqmusic.errors import FormatError
from seqmusic.formats.notation.file import chorale_paths, read_chorale
from seqmusic.formats.notation.reading import report_from_music21
from seqmusic.formats.notation.writing import score_to_music21
from seqmusic.score import Note, TimeSignature


def test_a_chorale_comes_back_from_a_music21_stream():
    score = read_chorale(next(path for path in chorale_paths() if path.name == "bwv66.6.mxl"))
    assert report_from_music21(score_to_music21(score)).score == score


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
    backup = "<backup><duration>360</duration></backup>"
    rest = '<note><rest measure="yes"/><duration>360</duration><voice>2</voice></note>'
    time = "<time><beats>3</beats><beat-type>2</beat-type></time>"
    score = read(musicxml([above + backup + rest, note("D", 6)], time=time), tmp_path)
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


def test_chords_are_separated_and_reported(tmp_path):
    """A chord of C and E after a lone C: the upper note stays in the upper voice."""
    found = report_of(musicxml([note("C", 4), note("E", 4) + note("C", 4, "chord")]), tmp_path)
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


def test_quintuplet_is_moved_to_the_nearest_ticks_and_reported(tmp_path):
    """Fifths of a quarter start at 0, 4.8, 9.6, 14.4 and 19.2 ticks."""
    found = report_of(
        musicxml(["".join(note("C", 0.2) for _ in range(5)) + note("D", 3)]), tmp_path
    )
    assert [n.onset_ticks for n in found.score.voices[0].notes] == [0, 5, 10, 14, 19, 24]
    assert found.losses[0].startswith(
        "starts of notes moved to the grid of 24 ticks a quarter: 4 of 6, by 0.30 ticks on average"
    )


def test_quarter_tone_is_refused(tmp_path):
    with pytest.raises(FormatError, match="measure 1 of part 'Part 0' holds a quarter tone"):
        read(musicxml([note("C", 4).replace("</step>", "</step><alter>0.5</alter>")]), tmp_path)


def test_percussion_is_left_out_and_reported(tmp_path):
    unpitched = (
        "<unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
    )
    drum = f"<note>{unpitched}<duration>240</duration><voice>1</voice></note>"
    found = report_of(musicxml([drum], [note("C", 4)]), tmp_path)
    assert [voice.name for voice in found.score.voices] == ["Part 1"]
    assert found.losses == (
        "notes without pitch (percussion) left out: 1 (at measure 1 of part 'Part 0')",
    )
    with pytest.raises(FormatError, match="holds nothing but percussion"):
        read(musicxml([drum]), tmp_path)


def test_a_part_that_ends_early_rests_to_the_end(tmp_path):
    found = report_of(musicxml([note("C", 4), note("C", 4)], [note("D", 4)]), tmp_path)
    assert [len(voice.notes) for voice in found.score.voices] == [2, 1]
    assert found.repairs == ("part 'Part 1' has 1 measures of 2, and rests in the others",)


def test_a_timewise_score_is_read_as_its_partwise_twin(tmp_path):
    text = musicxml([note("C", 4), note("D", 4)], [note("E", 4), note("F", 4)])
    head, first, second = text.split('<part id="')
    bodies = [re.findall(r"<measure.*?>(.*?)</measure>", body) for body in (first, second)]
    measures = "".join(
        f'<measure number="{i + 1}"><part id="P0">{above}</part>'
        f'<part id="P1">{below}</part></measure>'
        for i, (above, below) in enumerate(zip(*bodies, strict=True))
    )
    timewise = f"{head}{measures}</score-timewise>".replace("score-partwise", "score-timewise", 1)
    assert read(timewise, tmp_path) == read(text, tmp_path)


def test_each_staff_of_a_part_has_voices(tmp_path):
    """A piano: the voices of a staff are numbered anew, and a tie may go to the other line."""
    backup = "<backup><duration>240</duration></backup>"
    above = note("C", 4).replace("</voice>", "</voice><staff>1</staff>")
    below = note("E", 4, voice=5).replace("</voice>", "</voice><staff>2</staff>")
    found = read(musicxml([above + backup + below]), tmp_path)
    assert [(voice.name, voice.notes) for voice in found.voices] == [
        ("Part 0 1", (Note(0, 96, 60),)),
        ("Part 0 2", (Note(0, 96, 64),)),
    ]


def test_a_fermata_over_a_chord_is_one_over_all_its_notes(tmp_path):
    held = note("E", 4).replace("</note>", "<notations><fermata/></notations></note>")
    found = read(musicxml([held + note("C", 4, "chord")]), tmp_path)
    assert [voice.notes[0].fermata for voice in found.voices] == [True, True]


def test_a_measure_off_the_grid_moves_no_later_bar_line(tmp_path):
    """A cadenza of 1/7 of a quarter lasts 3.43 ticks: its measure gets 3."""
    cadenza = f"<attributes><divisions>7</divisions></attributes>{note('D', 1 / 60)}"
    restored = f"<attributes><divisions>60</divisions></attributes>{note('E', 4)}"
    found = report_of(musicxml([note("C", 4), cadenza, restored, note("F", 4)]), tmp_path)
    assert [n.onset_ticks for n in found.score.voices[0].notes] == [0, 96, 99, 195]
    assert found.repairs[0].startswith("measures of a length off the grid of 24 ticks a quarter")


def test_a_change_of_meter_inside_a_measure_moves_to_the_next_bar_line(tmp_path):
    change = "<attributes><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    found = report_of(musicxml([note("C", 4) + change, note("D", 3)]), tmp_path)
    assert found.score.time_signatures == ((0, TimeSignature(4, 4)), (96, TimeSignature(3, 4)))
    assert found.repairs[0].startswith("changes of meter inside a measure moved to the next bar")


def test_no_time_signature_is_invented(tmp_path):
    score = read(musicxml([note("C", 4)], time=""), tmp_path)
    assert (score.time_signatures, score.key, score.tempo_bpm) == ((), None, None)


def test_transposing_instruments_are_read_as_they_sound(tmp_path):
    """A clarinet in B flat sounds a tone lower than written."""
    transpose = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    found = report_of(
        musicxml(
            [note("D", 4)], time=f"<time><beats>4</beats><beat-type>4</beat-type></time>{transpose}"
        ),
        tmp_path,
    )
    assert [n.pitch for n in found.score.voices[0].notes] == [60]
    assert found.losses == (
        "parts for transposing instruments read as they sound: 1 (at part 'Part 0')",
    )
