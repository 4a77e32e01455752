"""What a score does not hold of a file is reported."""

from __future__ import annotations

import re

import pytest
from notation_texts import musicxml, note, report_of

B4 = "<pitch><step>B</step><octave>4</octave></pitch>"


def direction(content: str) -> str:
    return f"<direction><direction-type>{content}</direction-type></direction>"


MARKS_BY_MESSAGE = {
    "grace notes left out: 1 (at measure 1": f"<note><grace/>{B4}<voice>1</voice></note>",
    "chord symbols left out: 1": (
        "<harmony><root><root-step>G</root-step></root><kind>major</kind></harmony>"
    ),
    "dynamics left out: 1": direction("<dynamics><f/></dynamics>"),
    "words over the music left out: 1": direction("<words>dolce</words>"),
    "syllables of text left out: 1": note("C", 1, "<lyric><text>la</text></lyric>"),
    "articulations left out: 1": note(
        "C", 1, "<notations><articulations><staccato/></articulations></notations>"
    ),
    "ornaments and other signs left out: 1": note(
        "C", 1, "<notations><ornaments><trill-mark/></ornaments></notations>"
    ),
    "repeat signs not carried out": (
        '<barline location="right"><repeat direction="backward"/></barline>'
    ),
}


@pytest.mark.parametrize("message", MARKS_BY_MESSAGE)
def test_what_a_score_does_not_hold_is_reported(message, tmp_path):
    mark = MARKS_BY_MESSAGE[message]
    whole = re.sub(r"(<(lyric|notations)>.*</\2>)(<voice>1</voice>)", r"\3\1", mark)
    found = report_of(
        musicxml(
            [whole + note("D", 3) + note("E", 1)]
            if "barline" not in mark
            else [note("D", 4) + mark]
        ),
        tmp_path,
    )
    assert len(found.losses) == 1
    assert found.losses[0].startswith(message)
    assert found.status == "read"
