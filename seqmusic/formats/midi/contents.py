"""What a MIDI file holds: its notes, meter, key, tempo and markers, in one pass over its bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from seqmusic.formats.midi.chunks import MAX_MIDI_TICKS, MidiSource, find_tracks
from seqmusic.formats.midi.events import iterate_events
from seqmusic.formats.midi.track import (
    MAX_MIDI_NOTES,
    META_KEY_SIGNATURE,
    META_MARKER,
    META_TEMPO,
    META_TIME_SIGNATURE,
    Setting,
    TrackReader,
    decoded_name,
)
from seqmusic.formats.time_grid import PlayedNote
from seqmusic.score import TICKS_PER_QUARTER, Key, TimeSignature

MAX_PARTS = 128
MAX_SETTINGS = 100_000
_SETTING_NAMES = {META_TEMPO: "tempo", META_KEY_SIGNATURE: "key"}


class PlayedPart(NamedTuple):
    """The notes of one channel of one track.

    Attributes:
        name: name of the track; empty where it has none, or notes in several channels.
        notes: by onset and pitch, in the file's time; no two of one pitch at once.
    """

    name: str
    notes: list[PlayedNote]


class MidiContents(NamedTuple):
    """What a score needs of a MIDI file.

    Attributes:
        units_per_quarter: units of the file's time in a quarter note.
        parts: in the order of the file.
        meter: (time, time signature) pairs by time, at most one at each time.
        key: the one in force at the first note, None where there is none.
        microseconds_per_quarter: the tempo in force at the first note, None where there is none.
        markers: texts of the markers of this package.
    """

    units_per_quarter: int
    parts: list[PlayedPart]
    meter: list[tuple[int, TimeSignature]]
    key: Key | None
    microseconds_per_quarter: int | None
    markers: list[str]


def read_contents(source: MidiSource) -> MidiContents:
    """The contents of a file; its tallies get what is repaired and what is left out.

    Raises:
        CorruptFileError: its bytes are not a MIDI file, or hold no note and are damaged.
        FormatError: it holds too much, is too long, has separate pieces, or time in frames.
    """
    units_per_quarter, parts, settings = _read_tracks(source)
    first_onset = min((part.notes[0].start for part in parts), default=0)
    tempo = _setting_in_force(source, settings, META_TEMPO, first_onset)
    key = _setting_in_force(source, settings, META_KEY_SIGNATURE, first_onset)
    signatures = {s.time: s.content for s in settings if s.kind == META_TIME_SIGNATURE}
    return MidiContents(
        units_per_quarter,
        parts,
        [(time, TimeSignature(data[0], 1 << data[1])) for time, data in signatures.items()],
        _parse_key(key) if key else None,
        int.from_bytes(tempo) if tempo else None,
        [s.content.decode("latin-1") for s in settings if s.kind == META_MARKER],
    )


def _read_tracks(source: MidiSource) -> tuple[int, list[PlayedPart], list[Setting]]:
    """Units of time in a quarter note, the parts, and the settings of all tracks by time."""
    file_format, units_per_quarter, spans = find_tracks(source)
    max_time = MAX_MIDI_TICKS * units_per_quarter // TICKS_PER_QUARTER
    parts: list[PlayedPart] = []
    settings: list[Setting] = []
    remaining_notes = MAX_MIDI_NOTES
    for start, stop in spans:
        track = TrackReader(source, remaining_notes)
        for event in iterate_events(source, start, stop, max_time):
            track.read_event(event)
        remaining_notes = track.remaining_notes
        settings += track.settings
        channels = list(track.notes_by_channel())
        if file_format == 2 and parts and channels:
            rule = "a second piece in the same file (format 2), expected one"
            raise source.unsupported_error(start, f"{rule}; save each as a file")
        name = decoded_name(track.name) if len(channels) == 1 else ""
        parts += [PlayedPart(name, notes) for notes in channels]
        _check_sizes(source, start, len(parts), len(settings))
    if not parts and source.repairs:
        damage = "; ".join(source.repairs.messages())
        raise source.corrupt_error(
            spans[0][0], f"no note can be read ({damage}); export the file again"
        )
    return units_per_quarter, parts, sorted(settings, key=lambda setting: setting.time)


def _check_sizes(source: MidiSource, byte: int, n_parts: int, n_settings: int) -> None:
    if n_parts > MAX_PARTS:
        rule = f"expected at most {MAX_PARTS} tracks with notes, found more"
        raise source.unsupported_error(byte, f"{rule}; leave some out")
    if n_settings > MAX_SETTINGS:
        rule = f"expected at most {MAX_SETTINGS:,} tempos, time signatures and keys, found more"
        raise source.unsupported_error(byte, f"{rule}; remove some")


def _setting_in_force(
    source: MidiSource, settings: Sequence[Setting], kind: int, first_onset: int
) -> bytes | None:
    """The content of the last setting of a kind until the first onset, or else of the first one.

    Later changes are counted among the losses.
    """
    by_time = {setting.time: setting for setting in settings if setting.kind == kind}
    in_order = list(by_time.values())
    if not in_order:
        return None
    index = max(0, bisect_right(in_order, first_onset, key=lambda setting: setting.time) - 1)
    n_changes = sum(a.content != b.content for a, b in pairwise(in_order[index:]))
    if n_changes:
        source.losses.add(f"changes of {_SETTING_NAMES[kind]} left out", count=n_changes)
    return in_order[index].content


def _parse_key(data: bytes) -> Key:
    return Key(int.from_bytes(data[:1], signed=True), "minor" if data[1] else "major")
