"""The score in the bytes of a MIDI file: read, put on the grid, and its parts made voices.

Each remark that this package wrote into markers (see `metadata`) counts only where the events
still agree with it, so that a file changed in another program is read as it was changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.midi.chunks import MidiSource
from seqmusic.formats.midi.contents import MidiContents, read_contents
from seqmusic.formats.midi.metadata import DEFAULT_BPM, ScoreMetadata, parse_metadata_markers
from seqmusic.formats.midi.meter import DEFAULT_METER, Meter, events_to_meter, meter_to_events
from seqmusic.formats.midi.voices import (
    QuantizedPart,
    monophonic_parts,
    ordered_voices,
    voices_from_metadata,
)
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.rhythm import Quantizer, beat_quantizer, is_performance, step_quantizer
from seqmusic.formats.time_grid import Shifts, describe_missing_beat, quantize
from seqmusic.score import TICKS_PER_QUARTER, Key, Score
from seqmusic.tonality import with_default_mode

_MICROSECONDS_PER_MINUTE = 60e6


def read_midi_bytes(data: bytes, name: str, grid_ticks: int | None = None) -> ReadReport:
    """The score in the bytes of a MIDI file called `name`.

    Raises:
        CorruptFileError: the bytes are not a MIDI file, or too damaged to be read.
        FormatError: they hold what a score cannot.
    """
    if grid_ticks is not None and grid_ticks < 1:
        raise ValueError(f"grid_ticks must be 1 or more, got {grid_ticks}")
    source, shifts = MidiSource(name, data), Shifts()
    contents = read_contents(source)
    metadata = _embedded_metadata(contents.markers, source)
    quantizer = step_quantizer(grid_ticks) if grid_ticks else _choose_quantizer(contents, source)
    scale = contents.units_per_quarter / TICKS_PER_QUARTER
    parts = [
        QuantizedPart(part.name, quantize(part.notes, scale, shifts, quantizer))
        for part in contents.parts
    ]
    lines = monophonic_parts(parts, name, shifts, source.losses)
    voices = voices_from_metadata(lines, metadata) if metadata else None
    if voices is None:
        voices = ordered_voices(lines)
    signatures, pickup_ticks = _meter(contents, metadata, scale)
    key, tempo_bpm = _key(contents, metadata), _tempo(contents, metadata)
    score = Score(voices, signatures, pickup_ticks, key, tempo_bpm)
    if metadata:
        score = replace(score, title=metadata.title, source=metadata.source)
    else:
        score = _without_leading_silence(score, source.losses)
    losses = source.losses.messages() + shifts.messages(score.n_notes)
    return ReadReport(score, source.repairs.messages(), losses)


def _choose_quantizer(contents: MidiContents, source: MidiSource) -> Quantizer:
    """To the nearest tick, or in a performance to a click to the nearest division of the beat.

    Raises:
        FormatError: it is a performance without a beat.
    """
    scale = contents.units_per_quarter / TICKS_PER_QUARTER
    onsets = {note.start / scale for part in contents.parts for note in part.notes}
    if all(onset.is_integer() for onset in onsets):
        return round
    missing_beat = describe_missing_beat({onset / TICKS_PER_QUARTER for onset in onsets})
    if missing_beat:
        problem = f"{source.name}: a performance without a beat: {missing_beat}"
        grid = "give the grid to read it with, such as --grid 1/16 (grid_ticks=6 in Python)"
        raise FormatError(f"{problem}; quantize it in another program, or {grid}")
    if not is_performance(onsets):
        return round
    divisions = "the halves, thirds, quarters, sixths or eighths of their beats"
    source.losses.add(f"a performance: notes moved to {divisions}", count=0)
    return beat_quantizer(onsets)


def _embedded_metadata(markers: Iterable[str], source: MidiSource) -> ScoreMetadata | None:
    try:
        metadata = parse_metadata_markers(markers, source.name)
        if metadata:  # a meter that no score can have is refused here
            Score((), metadata.time_signatures, metadata.pickup_ticks)
        return metadata
    except (CorruptFileError, ValueError):
        source.repairs.add("damaged markers of this package ('seqmusic: ...') left out", count=0)
        return None


def _meter(
    contents: MidiContents, metadata: ScoreMetadata | None, scale: float
) -> tuple[Meter, int]:
    """Time signatures and pickup in ticks; 4/4 where the file has none at its start."""
    changes = dict(DEFAULT_METER)
    changes |= {round(time / scale): signature for time, signature in contents.meter}
    events = tuple(sorted(changes.items(), key=lambda change: change[0]))
    if metadata and events == meter_to_events(metadata.time_signatures, metadata.pickup_ticks):
        return metadata.time_signatures, metadata.pickup_ticks
    return events_to_meter(events)


def _without_leading_silence(score: Score, losses: Tally) -> Score:
    """The score without a silence of half a bar or more at its start, with which other programs
    fill the bar of a pickup."""
    first = min((voice.notes[0].onset_ticks for voice in score.voices), default=0)
    bar = score.bars(1)[0]
    if score.pickup_ticks or not bar.duration_ticks / 2 <= first < bar.end_ticks:
        return score
    losses.add(f"silence of {first} ticks before the pickup left out", count=0)
    return score.sliced(first, score.end_ticks)


def _key(contents: MidiContents, metadata: ScoreMetadata | None) -> Key | None:
    """The key of the file; an event always has a mode, the key of the score perhaps none."""
    if metadata and metadata.key and with_default_mode(metadata.key) == contents.key:
        return metadata.key
    return contents.key


def _tempo(contents: MidiContents, metadata: ScoreMetadata | None) -> float | None:
    """Quarter notes a minute; an event rounds them to whole microseconds a quarter note."""
    if metadata:
        written = round(_MICROSECONDS_PER_MINUTE / (metadata.tempo_bpm or DEFAULT_BPM))
        default = round(_MICROSECONDS_PER_MINUTE / DEFAULT_BPM)
        if written == (contents.microseconds_per_quarter or default):
            return metadata.tempo_bpm
    if contents.microseconds_per_quarter is None:
        return None
    return _MICROSECONDS_PER_MINUTE / contents.microseconds_per_quarter
