"""The score in the bytes of a MIDI file: repaired, read, put on the grid, and its tracks as voices or taken
apart into voices.

Of what this package wrote into markers (see `marker`), each remark is believed only where the events still say what was written
with it, so that a file changed in another program is read as it was changed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from mido import bpm2tempo

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.midi.chunks import MidiSource
from seqmusic.formats.midi.contents import MidiContents, read_contents
from seqmusic.formats.midi.metadata import ScoreMetadata, parse_metadata_markers
from seqmusic.formats.midi.repair import MAX_PARTS, repair
from seqmusic.formats.midi.writing import DEFAULT_METER, Meter, meter_events, utf8_as_latin1
from seqmusic.formats.read_report import ReadReport, Tally
from seqmusic.formats.rhythm import Quantizer, beat_quantizer, is_performance, step_quantizer
from seqmusic.formats.time_grid import (
    Shifts,
    beat_strength,
    first_overlap,
    quantize,
    without_legato,
)
from seqmusic.formats.voice_names import default_voice_names
from seqmusic.formats.voice_separation import MAX_SEPARATED_VOICES, max_polyphony, separate_voices
from seqmusic.score import SATB, TICKS_PER_QUARTER, Key, Note, Score, TimeSignature, Voice

_MIN_BEAT_STRENGTH = 0.25  # strength; played to a click (30 ms off, 120 a minute) gives 0.33 and more, onsets at random 0.21 and less
_MIN_ONSETS = 32  # for fewer the strength of a beat says little


class MidiPart(NamedTuple):
    """What one channel of one track sings, in ticks.

    Attributes:
        name: empty for none.
        notes: by onset and pitch; several may sound at once.
    """

    name: str
    notes: tuple[Note, ...]


def read_midi_bytes(data: bytes, name: str, grid_ticks: int | None = None) -> ReadReport:
    """The score in the bytes of a MIDI file called `name`.

    Raises:
        CorruptFileError: the bytes are not a MIDI file, or too damaged to be read.
        FormatError: they hold what a score cannot say.
    """
    if grid_ticks is not None and grid_ticks < 1:
        raise ValueError(f"grid_ticks must be 1 or more, got {grid_ticks}")
    source = MidiSource(name, data)
    mended = repair(source)
    midi, shifts = read_contents(mended), Shifts()
    scale, metadata = (
        midi.units_per_quarter / TICKS_PER_QUARTER,
        _embedded_metadata(mended.markers, source),
    )
    named = zip(mended.names, midi.tracks, strict=True)
    place = step_quantizer(grid_ticks) if grid_ticks else _choose_quantizer(midi, source)
    parts = [
        MidiPart(_decoded(name), quantize(notes, scale, shifts, place)) for name, notes in named
    ]
    voices = _voices(monophonic_parts(parts, name, shifts, source.losses), metadata)
    signatures, pickup = _meter(midi, metadata, scale)
    title, origin = (metadata.title, metadata.source) if metadata else ("", "")
    score = Score(
        voices,
        signatures,
        pickup,
        _key(midi, metadata),
        _tempo(midi, metadata, mended.has_tempo),
        title,
        origin,
    )
    if not metadata:
        score = _without_leading_silence(score, source.losses)
    losses = source.losses.messages() + shifts.messages(score.n_notes)
    return ReadReport(score, source.repairs.messages(), losses)


def monophonic_parts(
    parts: Sequence[MidiPart], name: str, shifts: Shifts, losses: Tally
) -> list[MidiPart]:
    """The parts as lines, of which none has two notes at once: a part that is one stays one, the voices of others are separated.

    Raises:
        FormatError: there are more voices than are read.
    """
    lines = []
    for number, part in enumerate(parts, start=1):
        moved = Shifts()
        line = without_legato(part.notes, moved)
        if not first_overlap(line):
            shifts.ends += moved.ends
            lines.append(MidiPart(part.name, line))
            continue
        at_once, track = max_polyphony(part.notes), f"track {part.name or number!r}"
        if at_once > MAX_SEPARATED_VOICES:
            rule = f"{at_once} notes sound at once, expected at most {MAX_SEPARATED_VOICES}"
            raise FormatError(f"{name}: {track}: {rule}; give each instrument a track of its own")
        lines += [MidiPart(part.name, voice) for voice in separate_voices(part.notes)]
        losses.add(f"chords of {track} taken apart into {at_once} voices", count=0)
    if len(lines) > MAX_PARTS:
        raise FormatError(
            f"{name}: expected at most {MAX_PARTS} voices, found {len(lines)}; leave some tracks out"
        )
    return lines


def _choose_quantizer(midi: MidiContents, source: MidiSource) -> Quantizer:
    """Where notes are moved to: the nearest tick, in a performance to a click the nearest place of the beat.

    Raises:
        FormatError: it is a performance without a beat.
    """
    scale = midi.units_per_quarter / TICKS_PER_QUARTER
    onsets = {note.start / scale for notes in midi.tracks for note in notes}
    if all(onset.is_integer() for onset in onsets):
        return round
    strength = beat_strength(onset / TICKS_PER_QUARTER for onset in onsets)
    if len(onsets) >= _MIN_ONSETS and strength < _MIN_BEAT_STRENGTH:
        keep = f"its {len(onsets):,} onsets keep to no beat (strength {strength:.2f} of 1, expected {_MIN_BEAT_STRENGTH} or more)"
        remedy = "quantize it in another program, or give the grid to read it with, such as --grid 1/16 (grid_ticks=6 in Python)"
        raise FormatError(f"{source.name}: a performance without a beat: {keep}; {remedy}")
    if not is_performance(onsets):
        return round
    source.losses.add(
        "a performance: notes moved to the halves, thirds, quarters, sixths or eighths of their beats",
        count=0,
    )
    return beat_quantizer(onsets)


def _embedded_metadata(markers: Iterable[bytes], source: MidiSource) -> ScoreMetadata | None:
    try:
        metadata = parse_metadata_markers(
            (marker.decode("latin-1") for marker in markers), source.name
        )
        if metadata:
            Score(
                (), metadata.time_signatures, metadata.pickup_ticks
            )  # refuses a meter that no score can have
        return metadata
    except (CorruptFileError, ValueError):
        source.repairs.add("damaged markers of this package ('seqmusic: ...') left out", count=0)
        return None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0")


def _meter(midi: MidiContents, metadata: ScoreMetadata | None, scale: float) -> tuple[Meter, int]:
    """Time signatures and pickup in ticks."""
    changes: dict[int, TimeSignature] = dict(DEFAULT_METER)
    for time, numerator, denominator in midi.meter:
        changes[round(time / scale)] = TimeSignature(numerator, denominator)
    events = tuple(sorted(changes.items(), key=lambda change: change[0]))
    if metadata and events == meter_events(metadata.time_signatures, metadata.pickup_ticks):
        return metadata.time_signatures, metadata.pickup_ticks
    pickup = 0
    if (
        len(events) > 1
        and events[1][0] <= events[0][1].bar_ticks
        and events[1][0] < events[1][1].bar_ticks
    ):
        pickup = events[1][0]
        events = ((0, events[1][1]), *events[2:])
    return _without_redundant_signatures(events, pickup), pickup


def _without_leading_silence(score: Score, losses: Tally) -> Score:
    """The score without the silence that other programs fill the bar of a pickup with: half a first bar or more of rest."""
    first = min((voice.notes[0].onset_ticks for voice in score.voices), default=0)
    bar = score.bars(1)[0]
    if score.pickup_ticks or not bar.duration_ticks / 2 <= first < bar.end_ticks:
        return score
    losses.add(f"silence of {first} ticks before the pickup left out", count=0)
    return score.sliced(first, score.end_ticks)


def _without_redundant_signatures(events: Meter, pickup_ticks: int) -> Meter:
    """Without the time signatures that change nothing: equal to the one before them, and on a bar line."""
    kept, onset = [events[0]], pickup_ticks
    for tick, signature in events[1:]:
        if signature != kept[-1][1] or (tick - onset) % signature.bar_ticks:
            kept.append((tick, signature))
            onset = tick
    return tuple(kept)


def _key(midi: MidiContents, metadata: ScoreMetadata | None) -> Key | None:
    """The key of the file, which as an event has a mode even if the score's has none."""
    is_said = (
        metadata
        and metadata.key
        and replace(metadata.key, mode=metadata.key.mode or "major") == midi.key
    )
    return metadata.key if metadata and is_said else midi.key


def _tempo(midi: MidiContents, metadata: ScoreMetadata | None, has_tempo: bool) -> float | None:
    if metadata and bpm2tempo(midi.tempo_bpm) == bpm2tempo(metadata.tempo_bpm or 120.0):
        return metadata.tempo_bpm
    return midi.tempo_bpm if has_tempo else None


def _voices(lines: Sequence[MidiPart], metadata: ScoreMetadata | None) -> tuple[Voice, ...]:
    if metadata and [len(line.notes) for line in lines] == [
        n_notes for _, n_notes in metadata.voices if n_notes
    ]:
        return _voices_from_metadata(lines, metadata)
    ordered = [lines[i] for i in _voice_order(lines)]
    return tuple(
        Voice(name, line.notes)
        for name, line in zip(_voice_names([line.name for line in ordered]), ordered, strict=True)
    )


def _voice_names(given: Sequence[str]) -> list[str]:
    """Names of voices from high to low: those given, with a number where several have the same; else such as Soprano, Bass."""
    unnamed, counts, taken = default_voice_names(len(given)), Counter(given), set(given)
    names = []
    for place, name in enumerate(given):
        if not name:
            names.append(unnamed[place])
        elif counts[name] == 1:
            names.append(name)
        else:
            names.append(
                next(new for i in itertools.count(1) if (new := f"{name} {i}") not in taken)
            )
            taken.add(names[-1])
    return names


def _voices_from_metadata(lines: Sequence[MidiPart], metadata: ScoreMetadata) -> tuple[Voice, ...]:
    """Voices as the markers name them, silent ones too; with a new name where a track was renamed since."""
    remaining, voices = iter(lines), []
    for index, (name, n_notes) in enumerate(metadata.voices):
        now_named, line = next(remaining) if n_notes else (name, ())
        is_renamed = now_named != _decoded(utf8_as_latin1(name).encode("latin-1"))
        notes = tuple(
            replace(note, fermata=True) if (index, note.onset_ticks) in metadata.fermatas else note
            for note in line
        )
        voices.append(Voice(now_named if is_renamed else name, notes))
    return tuple(voices)


def _voice_order(lines: Sequence[MidiPart]) -> list[int]:
    """Order of the lines: soprano, alto, tenor, bass if they are called so, else by mean pitch."""
    names = [line.name.strip().capitalize() for line in lines]
    places = [SATB.index(name) if name in SATB else -1 for name in names]
    if min(places, default=-1) >= 0 and len(set(places)) == len(places):
        return sorted(range(len(lines)), key=lambda i: places[i])
    return sorted(
        range(len(lines)),
        key=lambda i: -sum(note.pitch for note in lines[i].notes) / len(lines[i].notes),
    )
