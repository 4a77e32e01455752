"""Trees of MusicXML as scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element, ParseError

from seqmusic.errors import CorruptFileError, FormatError, abbreviated
from seqmusic.formats.musicxml.part_reading import PartMeasure, PartReader
from seqmusic.formats.musicxml.tree import checked_root, text_of
from seqmusic.formats.notation.unpacking import first_line
from seqmusic.formats.printed_score import MeasureSpan, PrintedNote, PrintedPart, PrintedScore
from seqmusic.score import Key, TimeSignature

SOURCE_FIELD = "seqmusic"
VOICES_FIELD = "seqmusic-voices"
_MAX_PARTS = 500
_MAX_DENOMINATOR = 10**15


def printed_musicxml(
    data: bytes, choose: Callable[[list[str]], list[int]] | None = None
) -> PrintedScore:
    """What a MusicXML file holds.

    Args:
        data: its bytes, unpacked.
        choose: the indices of the parts that are read, given the names of all; None for all.

    Raises:
        CorruptFileError: the bytes break the rules of the format.
        FormatError: it holds what a score cannot, or `choose` raises it.
    """
    try:
        root = checked_root(data)
        return _printed_score(root, choose)
    except (ParseError, ValueError, LookupError) as error:
        raise CorruptFileError(f"not readable as MusicXML: {first_line(error)}") from error


@dataclass(slots=True)
class _Part:
    """A part of the file: its name and its measures."""

    name: str
    measures: list[Element]


def _printed_score(root: Element, choose: Callable[[list[str]], list[int]] | None) -> PrintedScore:
    parts = _parts(root)
    if not parts:
        raise FormatError("holds no parts")
    if len(parts) > _MAX_PARTS:
        raise FormatError(f"holds {len(parts)} parts; at most {_MAX_PARTS} are read")
    if choose:
        parts = [parts[index] for index in choose([part.name for part in parts])]
    printed = PrintedScore(
        title=text_of(root, "work/work-title") or text_of(root, "movement-title"),
        source=_stored_field(root, SOURCE_FIELD),
        voice_names=_stored_voice_names(root),
    )
    readers = []
    for number, part in enumerate(parts, start=1):
        label = repr(part.name or number)
        reader = PartReader(part.name, label, printed.left_out, printed.repairs)
        for measure in part.measures:
            reader.read_measure(measure)
        readers.append(reader)
    printed.measures = _measure_spans(readers, printed)
    for reader in readers:
        printed.parts += _printed_parts(reader, printed.measures)
    printed.key = _key(readers)
    tempos = (reader.tempo_bpm for reader in readers)
    printed.tempo_bpm = next((tempo for tempo in tempos if tempo), None)
    return printed


def _parts(root: Element) -> list[_Part]:
    """The parts in the order of the file; those of a timewise score are put together first."""
    names = {
        listed.get("id", ""): text_of(listed, "part-name")
        for listed in root.iterfind("part-list/score-part")
    }
    if root.tag == "score-partwise":
        return [
            _Part(names.get(part.get("id", ""), ""), part.findall("measure"))
            for part in root.iterfind("part")
        ]
    if root.tag != "score-timewise":
        found = f"its root is <{abbreviated(root.tag)}>, expected <score-partwise>"
        raise FormatError(f"not readable as MusicXML: {found}; save it once more as MusicXML")
    by_id: dict[str, list[Element]] = {}
    for measure in root.iterfind("measure"):
        for part in measure.iterfind("part"):
            part.attrib["number"] = measure.get("number", "")
            by_id.setdefault(part.get("id", ""), []).append(part)
    return [_Part(names.get(key, ""), measures) for key, measures in by_id.items()]


def _measure_spans(readers: list[PartReader], printed: PrintedScore) -> list[MeasureSpan]:
    """The measures of the parts side by side, each as long as its longest part that has notes.

    (A rest for a whole bar is often written as long as a bar, also in a pickup.)
    """
    n_measures = max(len(reader.measures) for reader in readers)
    for reader in readers:
        if len(reader.measures) < n_measures:
            lengths = f"{len(reader.measures)} measures of {n_measures}"
            message = f"part {reader.label} has {lengths}, and rests in the others"
            printed.repairs.add(message, count=0)
    spans, onset = [], Fraction(0)
    for index in range(n_measures):
        row = [r.measures[index] for r in readers if index < len(r.measures)]
        durations = [m.duration for m in row if m.has_notes] or [m.duration for m in row]
        span = MeasureSpan(onset, max(durations), row[0].number, _signature(row, printed))
        spans.append(span)
        onset += span.duration
        if onset.denominator > _MAX_DENOMINATOR:
            raise FormatError(f"measure {span.number} changes its divisions too often")
    return spans


def _signature(row: list[PartMeasure], printed: PrintedScore) -> TimeSignature | None:
    found = [measure.time_signature for measure in row if measure.time_signature]
    if len(set(found)) > 1:
        location = f"{found[0]} in measure {row[0].number}"
        message = "time signatures of parts that differ: the bars are those of the first part"
        printed.left_out.add(message, location)
    return found[0] if found else None


def _printed_parts(reader: PartReader, spans: list[MeasureSpan]) -> Iterator[PrintedPart]:
    """A part for each staff that has music, with a line for each of its voices.

    Where a staff has one voice in a measure, it belongs to the first line, whatever its number.
    """
    staves = {staff for measure in reader.measures for staff in measure.voices}
    for staff in sorted(staves, key=_number_order) or ["1"]:
        in_staff = [measure.voices.get(staff, set()) for measure in reader.measures]
        names = sorted(set().union(*(v for v in in_staff if len(v) > 1)) or {""}, key=_number_order)
        lines: dict[str, list[PrintedNote]] = {name: [] for name in names}
        for measure, voices, span in zip(reader.measures, in_staff, spans, strict=False):
            for note in measure.notes:
                if note.staff == staff:
                    name = note.voice if len(voices) > 1 else names[0]
                    onset, end = span.onset + note.onset, span.onset + note.end
                    lines[name].append(
                        PrintedNote(onset, end, note.pitch, note.is_tied, note.fermata)
                    )
        yield PrintedPart(reader.name, list(lines.values()), reader.n_unpitched)


def _number_order(name: str) -> tuple[int, str]:
    return len(name), name


def _key(readers: list[PartReader]) -> Key | None:
    keys = [reader.key for reader in readers if reader.key and -7 <= reader.key.sharps <= 7]
    if not keys:
        return None
    modes = [key.mode for key in keys if key.mode]
    return Key(keys[0].sharps, modes[0] if modes else "")


def _stored_field(root: Element, name: str) -> str:
    for element in root.iterfind("identification/miscellaneous/miscellaneous-field"):
        if element.get("name") == name:
            return element.text or ""
    return ""


def _stored_voice_names(root: Element) -> list[str]:
    try:
        names = json.loads(_stored_field(root, VOICES_FIELD) or "[]")
    except ValueError:
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
