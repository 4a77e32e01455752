"""Counts what a MusicXML file holds and the score read from it does not, except notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element

from seqmusic.formats.read_report import Tally

_REPEATS = "repeat signs not carried out: each bar is read once, as written"
_DIRECTION_MESSAGES = {
    "dynamics": "dynamics left out",
    "words": "words over the music left out",
    "rehearsal": "words over the music left out",
    "segno": _REPEATS,
    "coda": _REPEATS,
    "bracket": "lines and brackets left out",
    "dashes": "lines and brackets left out",
    "octave-shift": "lines and brackets left out",
    "pedal": "lines and brackets left out",
}
_NOTATION_MESSAGES = {
    "glissando": "lines and brackets left out",
    "slide": "lines and brackets left out",
    "arpeggiate": "ornaments and other signs left out",
}


class NoteMarks(NamedTuple):
    """What is read of the marks on a note."""

    is_tied: bool
    fermata: bool


def count_unread(element: Element, location: str, left_out: Tally) -> None:
    """Count what is not read of an element of a measure that is no note."""
    if element.tag == "harmony":
        left_out.add("chord symbols left out", location)
    elif element.tag == "barline":
        if element.find("repeat") is not None:
            left_out.add(_REPEATS, location)
        ending = element.find("ending")
        if ending is not None and ending.get("type") == "start":
            left_out.add("endings of repeats read one after the other, as written", location)
    elif element.tag == "direction":
        for mark in element.iterfind("direction-type/*"):
            message = _DIRECTION_MESSAGES.get(mark.tag)
            if message and mark.get("type", "start") != "stop":
                left_out.add(message, location)
            elif mark.tag == "wedge" and mark.get("type") != "stop":
                left_out.add("hairpins left out", location)


def count_marks_on_note(
    element: Element, tags: Mapping[str, Element], location: str, left_out: Tally
) -> NoteMarks:
    """Count the marks on a note or rest that are not read, and return those that are.

    Args:
        element: the note.
        tags: its children by their tags; of several with one tag the last.
        location: of the note, for messages.
        left_out: counts what is not read.
    """
    is_tied = fermata = False
    if "tie" in tags:
        is_tied = any(tie.get("type") == "start" for tie in element.iterfind("tie"))
    if "lyric" in tags:
        left_out.add("syllables of text left out", location, len(element.findall("lyric")))
    if "cue" in tags:
        left_out.add("small (cue) notes read as all others", location)
    if "notations" not in tags:
        return NoteMarks(is_tied, fermata)
    for mark in element.iterfind("notations/*"):
        if mark.tag == "tied":
            is_tied = is_tied or ("tie" not in tags and mark.get("type") == "start")
        elif mark.tag == "fermata":
            fermata = True
        elif mark.tag == "slur":
            if mark.get("type") == "start":
                left_out.add("slurs left out", location)
        elif mark.tag in ("articulations", "technical") and len(mark):
            left_out.add("articulations left out", location, len(mark))
        elif mark.tag == "ornaments" and len(mark):
            left_out.add("ornaments and other signs left out", location, len(mark))
        elif message := _NOTATION_MESSAGES.get(mark.tag):
            left_out.add(message, location)
    if fermata and "rest" in tags:
        left_out.add("fermatas over rests left out", location)
    return NoteMarks(is_tied, fermata)
