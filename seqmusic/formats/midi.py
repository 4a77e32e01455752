"""MIDI files, read and written through miditoolkit; nothing else in the package imports it.

A voice is a track. What MIDI has no event for stands in markers at the start (see `marker`); on reading, each remark is believed
only where the events still say what was written with it, so that a file changed in another program is read as it was changed.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import miditoolkit
from mido import bpm2tempo
from mido.midifiles.meta import KeySignatureError

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.files import write_atomic
from seqmusic.formats.grid import PlayedNote, line_on_grid
from seqmusic.formats.head import voice_names
from seqmusic.formats.marker import FASTEST_BPM, SLOWEST_BPM, Remarks, marker_texts, read_markers
from seqmusic.score import SATB, TICKS_PER_QUARTER, TICKS_PER_WHOLE, Key, Note, Score, TimeSignature, Voice
from seqmusic.tonality import key_name, parse_key

LONGEST_TICKS = 2_000_000  # about 20,000 bars of 4/4
MOST_BYTES = 4 << 20
_FILE_TICKS = 480  # a quarter note in the files written here
_SCALE = _FILE_TICKS // TICKS_PER_QUARTER
_PROGRAMS = (52, 53, 54, 91)  # the choirs of General MIDI: four, for readers that take equal programs for one voice
_VELOCITY = 80
_LONGEST_NAME = 1000  # characters of a track name; the whole stands in the markers
_DEFAULT_METER = ((0, TimeSignature(4, 4)),)
_READER_ERRORS = (OSError, EOFError, ValueError, LookupError, ArithmeticError, KeySignatureError)
Meter = tuple[tuple[int, TimeSignature], ...]


def read_midi(path: Path) -> Score:
    """The score in a MIDI file, its voices from high to low.

    Voices stand in the order of the file if this package wrote it; else in the order soprano, alto, tenor, bass where the tracks
    have these names; else by mean pitch. The drum channel is left out. Without a time signature the meter is 4/4, as MIDI defines
    it. A first bar that is shorter than the one after it is the pickup.

    Raises:
        CorruptFileError: the bytes are not a MIDI file, or break its rules.
        FormatError: the file cannot be opened, or holds what a score cannot say: two notes at once in a track, times off the grid.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    return _score_of_bytes(data, path.name)


def write_midi(score: Score, path: Path) -> Path:
    """Write `score` as a MIDI file; returns `path`.

    Raises:
        FormatError: MIDI cannot say the tempo, or the score is too long, or the file cannot be written.
    """
    return write_atomic(Path(path), midi_bytes(score))


def midi_bytes(score: Score) -> bytes:
    """A MIDI file (format 1, 480 ticks to a quarter) of `score`; reading it back gives an equal score.

    A pickup is written as a first bar of its own length under a time signature of its own, such as 1/4 before 4/4.

    Raises:
        FormatError: MIDI cannot say the tempo, or the score is too long.
    """
    if score.end_ticks > LONGEST_TICKS:
        raise FormatError(f"a MIDI file is written up to {LONGEST_TICKS:,} ticks, and the score has {score.end_ticks:,}")
    midi = miditoolkit.MidiFile(ticks_per_beat=_FILE_TICKS)
    midi.time_signature_changes = [
        miditoolkit.TimeSignature(signature.numerator, signature.denominator, tick * _SCALE)
        for tick, signature in _written_meter(score.time_signatures, score.pickup_ticks)
    ]
    if score.key:
        midi.key_signature_changes = [miditoolkit.KeySignature(_written_key(score.key), 0)]
    if score.tempo_bpm is not None:
        if not SLOWEST_BPM <= score.tempo_bpm <= FASTEST_BPM:
            raise FormatError(f"a MIDI tempo is {SLOWEST_BPM} to {FASTEST_BPM:,.0f} quarter notes a minute, got {score.tempo_bpm}")
        midi.tempo_changes = [miditoolkit.TempoChange(score.tempo_bpm, 0)]
    midi.markers = [miditoolkit.Marker(text, 0) for text in marker_texts(score)]
    midi.instruments = [_instrument(voice, index) for index, voice in enumerate(score.voices)]
    buffer = io.BytesIO()
    midi.dump(file=buffer)
    if buffer.tell() > MOST_BYTES:
        raise FormatError(f"a MIDI file is written up to {MOST_BYTES >> 20} MiB, and the score would take {buffer.tell() >> 20}")
    return buffer.getvalue()


# Writing


def _instrument(voice: Voice, index: int) -> Any:
    notes = [miditoolkit.Note(_VELOCITY, n.pitch, n.onset_ticks * _SCALE, n.end_ticks * _SCALE) for n in voice.notes]
    return miditoolkit.Instrument(_PROGRAMS[index % len(_PROGRAMS)], False, _as_latin1(voice.name), notes)


def _as_latin1(text: str) -> str:
    """Text whose Latin-1 bytes, which is what miditoolkit writes, are the UTF-8 bytes of `text`."""
    return text[:_LONGEST_NAME].encode("utf-8", "replace").decode("latin-1")


def _from_latin1(text: str) -> str:
    data = text.encode("latin-1")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return text


def _written_meter(signatures: Meter, pickup_ticks: int) -> Meter:
    """Time signatures as events, the pickup as a bar of its own where some time signature is as long as it."""
    first = _signature_lasting(pickup_ticks, signatures[0][1].denominator) if pickup_ticks else None
    if not first:
        return signatures or _DEFAULT_METER
    return tuple(({0: first, pickup_ticks: signatures[0][1]} | {tick: signature for tick, signature in signatures if tick}).items())


def _signature_lasting(ticks: int, denominator: int) -> TimeSignature | None:
    for finer in (denominator, 4, 8, 16, 32):
        numerator, rest = divmod(ticks * finer, TICKS_PER_WHOLE)
        if finer >= denominator and not rest and numerator <= 64:
            return TimeSignature(numerator, finer)
    return None


def _written_key(key: Key) -> str:
    """The key as miditoolkit names it: Bb, or Bbm for minor; a key without mode as a major one."""
    tonic, mode = key_name(replace(key, mode=key.mode or "major")).split()
    return tonic + "m" * (mode == "minor")


# Reading


def _score_of_bytes(data: bytes, name: str) -> Score:
    _check_header(data, name)
    try:
        midi = miditoolkit.MidiFile(file=io.BytesIO(data))
    except _READER_ERRORS as error:
        reason = str(error) or ("it ends too early" if isinstance(error, EOFError) else type(error).__name__)
        raise CorruptFileError(f"{name}: not a valid MIDI file: {reason}") from error
    scale = midi.ticks_per_beat / TICKS_PER_QUARTER
    if midi.max_tick > LONGEST_TICKS * scale:
        quarters = midi.max_tick // midi.ticks_per_beat
        raise FormatError(f"{name}: lasts {quarters:,} quarter notes; at most {LONGEST_TICKS // TICKS_PER_QUARTER:,} are read")
    said = read_markers((marker.text for marker in midi.markers), name)
    try:
        signatures, pickup = _meter(midi, said, scale)
        key, tempo = _key(midi, said), _tempo(midi, said, b"\xff\x51\x03" in data)
        title, source = (said.title, said.source) if said else ("", "")
        return Score(_voices(midi, said, scale, name), signatures, pickup, key, tempo, title, source)
    except ValueError as error:
        raise FormatError(f"{name}: {error}") from error


def _check_header(data: bytes, name: str) -> None:
    """Refuse what miditoolkit would read wrongly: frames, tracks that the header does not count, tracks that are not in step."""
    if len(data) > MOST_BYTES:
        raise FormatError(f"{name}: larger than {MOST_BYTES >> 20} MiB; only files up to that size are read")
    if data[:4] != b"MThd":
        raise CorruptFileError(f"{name}: not a MIDI file: it does not start with MThd")
    if len(data) < 14:
        raise CorruptFileError(f"{name}: not a valid MIDI file: its header ends too early")
    length, kind, n_tracks, division = struct.unpack(">LHHh", data[4:14])
    if division < 0:
        raise FormatError(f"{name}: time is counted in SMPTE frames; only files in ticks per quarter note are read")
    if division == 0:
        raise CorruptFileError(f"{name}: not a valid MIDI file: a quarter note has 0 ticks")
    if kind == 2:
        raise FormatError(f"{name}: holds separate pieces (format 2); only files whose tracks sound together are read")
    if kind > 2:
        raise CorruptFileError(f"{name}: not a valid MIDI file: format {kind} does not exist")
    found, at = 0, 8 + length
    while at + 8 <= len(data):
        found += data[at : at + 4] == b"MTrk"
        at += 8 + struct.unpack(">L", data[at + 4 : at + 8])[0]
    if found > n_tracks or not n_tracks:
        raise CorruptFileError(f"{name}: not a valid MIDI file: its header counts {n_tracks} tracks and {found} follow")


def _meter(midi: Any, said: Remarks | None, scale: float) -> tuple[Meter, int]:
    """Time signatures and pickup in ticks."""
    changes: dict[int, TimeSignature] = dict(_DEFAULT_METER)
    for change in midi.time_signature_changes:
        changes[round(change.time / scale)] = TimeSignature(change.numerator, change.denominator)
    events = tuple(sorted(changes.items(), key=lambda change: change[0]))
    if said and events == _written_meter(said.time_signatures, said.pickup_ticks):
        return said.time_signatures, said.pickup_ticks
    pickup = 0
    if len(events) > 1 and events[1][0] <= events[0][1].bar_ticks and events[1][0] < events[1][1].bar_ticks:
        pickup = events[1][0]
        events = ((0, events[1][1]), *events[2:])
    return _without_repeats(events, pickup), pickup


def _without_repeats(events: Meter, pickup_ticks: int) -> Meter:
    """Without the time signatures that change nothing: equal to the one before them, and on a bar line."""
    kept, onset = [events[0]], pickup_ticks
    for tick, signature in events[1:]:
        if signature != kept[-1][1] or (tick - onset) % signature.bar_ticks:
            kept.append((tick, signature))
            onset = tick
    return tuple(kept)


def _key(midi: Any, said: Remarks | None) -> Key | None:
    if not midi.key_signature_changes:
        return None
    first = midi.key_signature_changes[0].key_name
    return said.key if said and said.key and _written_key(said.key) == first else parse_key(first)


def _tempo(midi: Any, said: Remarks | None, has_tempo: bool) -> float | None:
    """The first tempo; None where the file has none, or had none before miditoolkit wrote it (it always writes one)."""
    first = float(midi.tempo_changes[0].tempo)
    if said and bpm2tempo(first) == bpm2tempo(said.tempo_bpm or 120.0):
        return said.tempo_bpm
    return first if has_tempo else None


def _voices(midi: Any, said: Remarks | None, scale: float, name: str) -> tuple[Voice, ...]:
    tracks = [track for track in midi.instruments if track.notes and not track.is_drum]
    named = [_from_latin1(track.name).strip("\0") for track in tracks]
    lines = [
        line_on_grid((PlayedNote(n.start, n.end, n.pitch) for n in track.notes), scale, f"{name}: track {track_name or number!r}")
        for number, (track, track_name) in enumerate(zip(tracks, named, strict=True), start=1)
    ]
    if said and [len(line) for line in lines] == [n_notes for _, n_notes in said.voices if n_notes]:
        return _said_voices(lines, named, said)
    order = _from_high_to_low(lines, named)
    unnamed = voice_names(len(lines))
    return tuple(Voice(named[i] or unnamed[place], lines[i]) for place, i in enumerate(order))


def _said_voices(lines: list[tuple[Note, ...]], named: list[str], said: Remarks) -> tuple[Voice, ...]:
    """Voices as the markers name them, silent ones too; with a new name where a track was renamed since."""
    remaining, voices = zip(lines, named, strict=True), []
    for index, (name, n_notes) in enumerate(said.voices):
        line, now_named = next(remaining) if n_notes else ((), name)
        is_renamed = now_named != _from_latin1(_as_latin1(name)).strip("\0")
        notes = tuple(replace(note, fermata=(index, note.onset_ticks) in said.fermatas) for note in line)
        voices.append(Voice(now_named if is_renamed else name, notes))
    return tuple(voices)


def _from_high_to_low(lines: Sequence[Sequence[Note]], names: Sequence[str]) -> list[int]:
    """Order of the lines: soprano, alto, tenor, bass if they are called so, else by mean pitch."""
    places = [SATB.index(name.strip().capitalize()) if name.strip().capitalize() in SATB else -1 for name in names]
    if min(places, default=-1) >= 0 and len(set(places)) == len(places):
        return sorted(range(len(lines)), key=lambda i: places[i])
    return sorted(range(len(lines)), key=lambda i: -sum(note.pitch for note in lines[i]) / len(lines[i]))
