"""A MIDI file set right before another library sees it: walked byte by byte, and written anew with nothing but what a score needs.

The new file keeps every rule of the format: one track of settings (the time signatures, and the tempo and the key in force where
the first note starts), then a track for each channel of each track that has notes. So a reader can only agree about it.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from seqmusic.formats.midi.chunks import MAX_MIDI_TICKS, MidiSource, find_tracks
from seqmusic.formats.midi.events import END_OF_TRACK, META, iterate_events
from seqmusic.formats.midi.notes import (
    MAX_MIDI_NOTES,
    META_KEY_SIGNATURE,
    META_MARKER,
    META_TEMPO,
    META_TIME_SIGNATURE,
    META_TRACK_NAME,
    NOTE_OFF,
    NOTE_ON,
    MetaEvent,
    TrackReader,
)
from seqmusic.formats.time_grid import PlayedNote
from seqmusic.score import TICKS_PER_QUARTER

MAX_PARTS = 128
MAX_META_EVENTS = 100_000
_SINGLE_META_KINDS = {META_TEMPO: "tempo", META_KEY_SIGNATURE: "key"}
_CLOCKS = b"\x18\x08"  # the rest of a time signature: clocks a click, thirty-seconds a quarter
_VELOCITY = 80


class ChannelNotes(NamedTuple):
    """The notes of one channel of one track.

    Attributes:
        name: of the track, where no other channel shares it.
        channel: 0..15.
        notes: by onset.
    """

    name: bytes
    channel: int
    notes: list[PlayedNote]


class RepairedMidi(NamedTuple):
    """A file set right.

    Attributes:
        data: the new file, format 1.
        names: of its tracks with notes, in their order.
        markers: texts of the markers of this package.
        has_tempo: whether the old one has a tempo.
        end: of the last note, in units of the file's time.
    """

    data: bytes
    names: tuple[bytes, ...]
    markers: tuple[bytes, ...]
    has_tempo: bool
    end: int


def repair(source: MidiSource) -> RepairedMidi:
    """The file that `source` is meant to be; what was wrong or is left out stands in its tallies.

    Raises:
        CorruptFileError: its bytes are not a MIDI file, or hold no note and are damaged.
        FormatError: it holds more than is read: too much, too long, separate pieces, or time in frames.
    """
    kind, units_per_quarter, spans = find_tracks(source)
    max_time = MAX_MIDI_TICKS * units_per_quarter // TICKS_PER_QUARTER
    parts: list[ChannelNotes] = []
    meta_events: list[MetaEvent] = []
    remaining_notes = MAX_MIDI_NOTES
    for start, stop in spans:
        reader = TrackReader(source, remaining_notes)
        for event in iterate_events(source, start, stop, max_time):
            reader.read_event(event)
        remaining_notes = reader.remaining_notes
        meta_events += reader.meta_events
        channels = list(reader.notes())
        if kind == 2 and parts and channels:
            raise source.unsupported_error(
                start,
                "a second piece in the same file (format 2), expected one; save each as a file",
            )
        parts += [
            ChannelNotes(reader.name if len(channels) == 1 else b"", channel, notes)
            for channel, notes in channels
        ]
        if len(parts) > MAX_PARTS:
            raise source.unsupported_error(
                start,
                f"expected at most {MAX_PARTS} tracks with notes, found more; leave some out",
            )
        if len(meta_events) > MAX_META_EVENTS:
            text = f"expected at most {MAX_META_EVENTS:,} tempos, time signatures and keys, found more; remove some"
            raise source.unsupported_error(start, text)
    if not parts and source.repairs:
        raise source.corrupt_error(
            spans[0][0],
            f"no note can be read ({'; '.join(source.repairs.messages())}); export the file again",
        )
    first_onset = min((part.notes[0].start for part in parts), default=0)
    kept = _relevant_meta_events(source, meta_events, first_onset)
    chunks = [
        _encode_track(_encode_meta_events(kept)),
        *(_encode_track(_encode_channel(part)) for part in parts),
    ]
    header = b"MThd" + struct.pack(">LHHH", 6, 1, len(chunks), units_per_quarter)
    markers = tuple(setting.content for setting in kept if setting.kind == META_MARKER)
    has_tempo, end = (
        any(setting.kind == META_TEMPO for setting in kept),
        max((note.end for part in parts for note in part.notes), default=0),
    )
    return RepairedMidi(
        header + b"".join(chunks), tuple(part.name for part in parts), markers, has_tempo, end
    )


def _relevant_meta_events(
    source: MidiSource, meta_events: Sequence[MetaEvent], first_onset: int
) -> list[MetaEvent]:
    """Settings of all tracks by time: the time signatures, the last of each tick; one tempo and one key, moved to the start."""
    in_time = sorted(meta_events, key=lambda setting: setting.tick)
    kept = [setting for setting in in_time if setting.kind == META_MARKER]
    kept += {
        setting.tick: setting for setting in in_time if setting.kind == META_TIME_SIGNATURE
    }.values()
    for kind, name in _SINGLE_META_KINDS.items():
        of_kind = list(
            {setting.tick: setting for setting in in_time if setting.kind == kind}.values()
        )
        if of_kind:
            start = max(0, bisect_right(of_kind, first_onset, key=lambda setting: setting.tick) - 1)
            kept.append(replace(of_kind[start], tick=0))
            if n_changes := sum(a.content != b.content for a, b in pairwise(of_kind[start:])):
                source.losses.add(f"changes of {name} left out", count=n_changes)
    return sorted(kept, key=lambda setting: setting.tick)


def _encode_meta_events(meta_events: Iterable[MetaEvent]) -> Iterator[tuple[int, bytes]]:
    for setting in meta_events:
        yield (
            setting.tick,
            _encode_meta(
                setting.kind,
                setting.content + (_CLOCKS if setting.kind == META_TIME_SIGNATURE else b""),
            ),
        )


def _encode_channel(part: ChannelNotes) -> Iterator[tuple[int, bytes]]:
    """The name, then the ends and starts of the notes; at one tick the ends stand first."""
    if part.name:
        yield 0, _encode_meta(META_TRACK_NAME, part.name)
    ends = [(note.end, 0, bytes((NOTE_OFF | part.channel, note.pitch, 0))) for note in part.notes]
    starts = [
        (note.start, 1, bytes((NOTE_ON | part.channel, note.pitch, _VELOCITY)))
        for note in part.notes
    ]
    yield from ((tick, message) for tick, _, message in sorted(ends + starts))


def _encode_track(events: Iterable[tuple[int, bytes]]) -> bytes:
    written, now = [], 0
    for tick, message in events:
        wait = tick - now
        written += [_encode_variable_length(wait) if wait > 127 else bytes((wait,)), message]
        now = tick
    content = b"".join([*written, b"\0", _encode_meta(END_OF_TRACK, b"")])
    return b"MTrk" + struct.pack(">L", len(content)) + content


def _encode_meta(kind: int, content: bytes) -> bytes:
    return bytes((META, kind)) + _encode_variable_length(len(content)) + content


def _encode_variable_length(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
