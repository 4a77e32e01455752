"""Marks in MusicXML and LilyPond: they are printed, and the music stays as it is."""

import re
import xml.etree.ElementTree as ElementTree

from seqmusic.formats.lilypond import lilypond_text
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.formats.score_marks import NO_MARKS, Bracket, Ficta, ScoreMarks, TextMark
from seqmusic.score import Key, Note, Score, Voice

UPPER = Voice("Triplum", (Note(0, 48, 69), Note(48, 24, 66), Note(72, 24, 67), Note(96, 96, 69)))
LOWER = Voice("Tenor", (Note(0, 96, 50), Note(120, 24, 52), Note(144, 48, 50)))
SCORE = Score((UPPER, LOWER), key=Key(0, "major"))
MARKS = ScoreMarks(
    texts=(TextMark(1, 0, 'Color 1, "A"'),),
    brackets=(Bracket(1, 0, 144),),
    ficta=(Ficta(0, 48),),
    break_ticks=(96,),
)


def parts(marks: ScoreMarks) -> list[ElementTree.Element]:
    text = musicxml_text(SCORE, marks=marks)
    return ElementTree.fromstring(text[text.index("<score-partwise") :]).findall("part")


def test_musicxml_has_texts_brackets_and_a_line_break() -> None:
    upper, lower = parts(MARKS)
    assert [one.text for one in lower.iter("words")] == ['Color 1, "A"']
    assert [bracket.get("type") for bracket in lower.iter("bracket")] == ["start", "stop"]
    assert [one.get("new-system") for one in upper.iter("print") if one.get("new-system")] == [
        "yes"
    ]


def test_the_accidental_of_ficta_stands_above_and_not_before_the_note() -> None:
    upper, _ = parts(MARKS)
    assert [one.text for one in upper.iter("words")] == ["♯"]
    assert not list(upper.iter("accidental"))
    assert [alter.text for alter in upper.iter("alter")] == ["1"]
    plain, _ = parts(NO_MARKS)
    assert [sign.text for sign in plain.iter("accidental")] == ["sharp"]


def test_lilypond_has_them_in_a_variable_beside_the_voice() -> None:
    text = lilypond_text(SCORE, MARKS)
    tenor = re.search(r"tenorPartMarks = \{(.*?)\n\}", text, re.DOTALL)
    triplum = re.search(r"triplumPartMarks = \{(.*?)\n\}", text, re.DOTALL)
    assert tenor
    assert triplum
    assert re.findall(r'\^"(.*)"\\startGroup', tenor[1]) == ['Color 1, \\"A\\"']
    assert tenor[1].count(r"\stopGroup") == 1
    assert triplum[1].split() == [
        *("s1*1/2", r"\once", r"\set", "suggestAccidentals", "=", "##t", "s1*1/2"),
        *(r"\break", "s1*1"),
    ]
    assert r"<< \tenorPart \tenorPartMarks >>" in text


def test_without_marks_nothing_changes() -> None:
    assert "Marks" not in lilypond_text(SCORE)
    assert lilypond_text(SCORE) == lilypond_text(SCORE, NO_MARKS)
