"""Texts of ABC tunes as scores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.abc.fields import (
    AbcKey,
    default_unit_length,
    read_key,
    read_meter,
    read_tempo,
    read_unit_length,
)
from seqmusic.formats.abc.tokens import AbcMeasure
from seqmusic.formats.abc.voice_reading import VoiceReader
from seqmusic.formats.abc.voices import AbcTune, AbcVoice, split_tune
from seqmusic.formats.printed_score import (
    MeasureSpan,
    PrintedNote,
    PrintedPart,
    PrintedScore,
    report_from_printed,
)
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import TimeSignature

_MAX_VOICES = 64


def tune_texts(text: str) -> list[tuple[str, str]]:
    """The tunes of an ABC text with their names.

    A tune goes from its field X to an empty line that no voice follows; the fields before the first
    tune hold for all.

    >>> tune_texts("M:4/4\\nX:1\\nT:A\\nK:C\\nCDE|\\n\\nwords\\nX:2\\nK:G\\nGAB|")
    [('1 A', 'M:4/4\\nX:1\\nT:A\\nK:C\\nCDE|'), ('2', 'M:4/4\\nX:2\\nK:G\\nGAB|')]
    """
    head, *tunes = re.split(r"^(?=X:)", text, flags=re.MULTILINE)
    fields = "".join(f"{line}\n" for line in head.splitlines() if re.match(r"[LMQR]:", line))
    found = []
    for tune in tunes:
        tune = re.split(r"\n\s*\n(?!\s*\[?V:|%)", tune)[0].rstrip("\n")
        number, title = (re.search(rf"^{field}:(.*)", tune, re.MULTILINE) for field in "XT")
        name = " ".join(match[1].strip() for match in (number, title) if match).strip()
        found.append((name, fields + tune))
    return found


def read_tune(text: str) -> ReadReport:
    """The score of a text of one tune, with what is left out of it.

    Raises:
        CorruptFileError: it is no ABC, or has a number that is not read.
        FormatError: it holds several tunes, too many voices, or what a score cannot.
    """
    tunes = tune_texts(text) or [("", text)]
    if len(tunes) > 1:
        remedy = "split it into one file a tune, or read them all with read_pieces"
        raise FormatError(f"holds {len(tunes)} tunes; {remedy}")
    text = tunes[0][1]
    if not re.search(r"^K:", text, re.MULTILINE):
        raise CorruptFileError("not readable as ABC: no tune with a key (K:)")
    tune = split_tune(text)
    if len(tune.voices) > _MAX_VOICES:
        raise FormatError(f"holds {len(tune.voices)} voices; at most {_MAX_VOICES} are read")
    if not tune.voices:
        raise CorruptFileError("not readable as ABC: holds no notes")
    return report_from_printed(_printed_score(tune))


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What the fields before the music say."""

    key: AbcKey
    meter: TimeSignature | None
    unit_length: Fraction
    tempo_bpm: float | None
    title: str


@dataclass(frozen=True, kw_only=True)
class _ReadVoice:
    """The notes of a voice, its measures, and where it ends in quarter notes."""

    notes: list[PrintedNote]
    measures: list[AbcMeasure]
    end: Fraction


def _header(tune: AbcTune) -> _Header:
    fields = dict(tune.header)  # the last of each letter: that of the tune, not of the book
    meter = read_meter(fields.get("M", ""))
    unit_length = read_unit_length(fields.get("L", "")) or default_unit_length(meter)
    tempo = fields.get("Q", "")
    for voice in tune.voices:
        inline = re.match(r"\s*(?:\[[A-Z]:[^\]]*\]\s*)*?\[Q:([^\]]*)\]", voice.music)
        tempo = tempo or (inline[1] if inline else "")
    return _Header(
        key=read_key(fields.get("K", "")),
        meter=meter,
        unit_length=unit_length,
        tempo_bpm=read_tempo(tempo, unit_length),
        title=next((text for letter, text in tune.header if letter == "T"), ""),
    )


def _printed_score(tune: AbcTune) -> PrintedScore:
    header = _header(tune)
    printed = PrintedScore(key=header.key.key, tempo_bpm=header.tempo_bpm, title=header.title)
    key_field = dict(tune.header).get("K", "")
    voices = [_read_voice(voice, header, key_field, printed) for voice in tune.voices]
    aligned = _aligned(voices, printed)
    for voice, read in zip(tune.voices, aligned, strict=True):
        printed.parts.append(PrintedPart(voice.name if len(aligned) > 1 else "", [read.notes]))
    printed.measures = _measure_spans(aligned)
    if tune.n_word_lines:
        printed.left_out.add("lines of words left out", count=tune.n_word_lines)
    if any(letter == "P" for letter, _ in tune.header):
        printed.left_out.add("the order of sections (P:) not carried out", count=0)
    return printed


def _read_voice(
    voice: AbcVoice, header: _Header, key_field: str, printed: PrintedScore
) -> _ReadVoice:
    reader = VoiceReader(
        key=header.key,
        meter=header.meter,
        unit_length=header.unit_length,
        semitones=_semitones(f"{key_field} {voice.definition}"),
        name=voice.name,
        left_out=printed.left_out,
        repairs=printed.repairs,
    )
    notes = reader.read(voice.music)
    return _ReadVoice(notes=notes, measures=reader.measures, end=reader.time)


def _semitones(clef: str) -> int:
    """By how much the notes of a voice sound higher than written, of its clef and its fields."""
    octaves = len(re.findall(r"[a-z]\+8\b", clef)) - len(re.findall(r"[a-z]-8\b", clef))
    if match := re.search(r"\boctave=(-?\d)\b", clef):
        octaves += int(match[1])
    transposed = re.search(r"\btranspose=(-?\d{1,2})\b", clef)
    return 12 * octaves + (int(transposed[1]) if transposed else 0)


def _aligned(voices: list[_ReadVoice], printed: PrintedScore) -> list[_ReadVoice]:
    """The voices, whose measures begin together.

    Where voices last differently and have as many measures, every measure is as long as in its
    longest voice; where they have not as many, the shorter voices end early.
    """
    if len({voice.end for voice in voices}) == 1:
        return voices
    if len({len(voice.measures) for voice in voices}) > 1:
        ends = ", ".join(f"{float(voice.end):g}" for voice in voices)
        printed.repairs.add(f"voices that last differently ({ends} quarters) end early", count=0)
        return voices
    lengths = [_measure_lengths(voice) for voice in voices]
    longest = [max(row) for row in zip(*lengths, strict=True)]
    if any(row != longest for row in lengths):
        message = "measures that are shorter in one voice than in another filled with rests"
        n_short = sum(a < b for row in lengths for a, b in zip(row, longest, strict=True))
        printed.repairs.add(message, count=n_short)
    onsets = [sum(longest[:index], Fraction(0)) for index in range(len(longest))]
    return [_moved(voice, onsets) for voice in voices]


def _measure_lengths(voice: _ReadVoice) -> list[Fraction]:
    ends = [*(measure.onset for measure in voice.measures[1:]), voice.end]
    return [end - m.onset for m, end in zip(voice.measures, ends, strict=True)]


def _moved(voice: _ReadVoice, onsets: Sequence[Fraction]) -> _ReadVoice:
    """A voice whose measures begin at other times."""
    notes, index = [], 0
    old = [measure.onset for measure in voice.measures]
    for note in voice.notes:
        while index + 1 < len(old) and old[index + 1] <= note.onset:
            index += 1
        shift = onsets[index] - old[index]
        notes.append(note._replace(onset=note.onset + shift, end=note.end + shift))
    measures = [
        AbcMeasure(onset, measure.time_signature)
        for onset, measure in zip(onsets, voice.measures, strict=True)
    ]
    return _ReadVoice(notes=notes, measures=measures, end=voice.end + onsets[-1] - old[-1])


def _measure_spans(voices: list[_ReadVoice]) -> list[MeasureSpan]:
    """The measures of the voice that has most of them, up to the end of the longest voice."""
    longest = max(voices, key=lambda voice: (voice.end, len(voice.measures)))
    ends = [*(measure.onset for measure in longest.measures[1:]), longest.end]
    first = longest.measures[0].time_signature
    bar = Fraction(4 * first.numerator, first.denominator) if first else Fraction(0)
    is_pickup = ends[0] < bar
    return [
        MeasureSpan(measure.onset, end - measure.onset, number, measure.time_signature)
        for number, (measure, end) in enumerate(
            zip(longest.measures, ends, strict=True), start=0 if is_pickup else 1
        )
    ]
