"""Time signatures: what they are written like, and how long their bars last."""

from __future__ import annotations

import pytest

from seqmusic.meter import TimeSignature


@pytest.mark.parametrize("text", ["6/8", " 3/4 ", "64/32", "1/1"])
def test_a_time_signature_is_read_as_it_is_written(text: str) -> None:
    assert str(TimeSignature.parse(text)) == text.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3", "written like 3/4, got '3'"),
        ("3/4/4", "written like 3/4, got '3/4/4'"),
        ("-3/4", "written like 3/4"),
        ("٣/4", "written like 3/4"),
        ("3/٤", "written like 3/4"),
        ("0/4", r"1\.\.64 over 1, 2, 4, 8, 16 or 32, got 0/4"),
        ("65/4", "got 65/4"),
        ("3/6", "got 3/6"),
    ],
)
def test_wrong_time_signatures_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimeSignature.parse(text)


@pytest.mark.parametrize("denominator", [1, 2, 4, 8, 16, 32])
def test_a_bar_of_as_many_beats_as_make_a_whole_is_96_ticks(denominator: int) -> None:
    assert TimeSignature(denominator, denominator).bar_ticks == 96
