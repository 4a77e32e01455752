"""The notes of one track, each with an end and no two of one pitch at once, and its settings."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, zip_longest

from seqmusic.formats.midi.chunks import MidiSource
from seqmusic.formats.midi.events import META, MidiEvent
from seqmusic.formats.midi.metadata import METADATA_PREFIX, MIN_BPM
from seqmusic.formats.time_grid import PlayedNote

MAX_MIDI_NOTES = 60_000
META_TRACK_NAME, META_MARKER = 0x03, 0x06
META_TEMPO, META_TIME_SIGNATURE, META_KEY_SIGNATURE = 0x51, 0x58, 0x59
_MARKER_START = METADATA_PREFIX.encode()
_NOTE_OFF, _NOTE_ON, _CONTROL, _PITCH_BEND = 0x80, 0x90, 0xB0, 0xE0
_NO_BEND = b"\x00\x40"
_DRUM_CHANNEL = 9  # counted from 0
_MAX_NAME_CHARACTERS = 1000  # of a name that is written; the markers hold all of it
_MAX_NAME_BYTES = 4 * _MAX_NAME_CHARACTERS  # of a name that is read
_NOTES_OFF_CONTROLLERS = (120, 123, 124, 125, 126, 127)
"""Controllers that end all notes of their channel."""
_META_RULES: dict[int, tuple[int, Callable[[bytes], bool], str]] = {
    META_TEMPO: (
        3,
        lambda data: 0 < int.from_bytes(data) <= 60e6 / MIN_BPM,
        f"tempos without a length or below {MIN_BPM}",
    ),
    META_TIME_SIGNATURE: (
        2,
        lambda data: 1 <= data[0] <= 64 and data[1] <= 5,
        "time signatures other than 1..64 over 1..32",
    ),
    META_KEY_SIGNATURE: (
        2,
        lambda data: (data[0] <= 7 or data[0] >= 249) and data[1] <= 1,
        "keys of more than 7 sharps or flats, or without mode",
    ),
}
"""Of each kind of setting: its number of bytes, whether they are valid, and how to call others."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A tempo, time signature, key, or marker of this package.

    Attributes:
        time: units of the file's time from the start.
        kind: number of the meta event.
        content: its bytes, which are valid.
    """

    time: int
    kind: int
    content: bytes


@dataclass(slots=True)
class TrackReader:
    """Collects the notes and settings of one track from its events.

    Attributes:
        source: counts what is repaired and what is left out.
        remaining_notes: how many notes may still be read.
        name: of the track, as in the file.
        settings: by time.
    """

    source: MidiSource
    remaining_notes: int
    name: bytes = b""
    settings: list[Setting] = field(default_factory=list)
    _end: int = 0
    _closed: defaultdict[int, list[PlayedNote]] = field(default_factory=lambda: defaultdict(list))
    _onsets: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _sounding: defaultdict[int, dict[int, deque[int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def read_event(self, event: MidiEvent) -> None:
        """Take the next event, not earlier than the one before it.

        Raises:
            FormatError: there are more notes than are read.
        """
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if event.status == META:
            self._read_meta(event)
        elif kind == _NOTE_OFF or (kind == _NOTE_ON and not event.data[1]):
            if onsets := self._sounding[channel].get(event.data[0]):
                note = PlayedNote(onsets.popleft(), event.time, event.data[0])
                self._closed[channel].append(note)
        elif kind == _NOTE_ON:
            self._begin_note(channel, event)
        elif kind == _PITCH_BEND and event.data != _NO_BEND:
            self.source.losses.add("pitch bends left out")
        elif kind == _CONTROL and event.data[0] in _NOTES_OFF_CONTROLLERS:
            for pitch, onsets in self._sounding.pop(channel, {}).items():
                self._closed[channel] += [PlayedNote(onset, event.time, pitch) for onset in onsets]
        self._end = event.time

    def notes_by_channel(self) -> Iterator[list[PlayedNote]]:
        """The notes of each channel that has any, by onset and pitch, once all events are read."""
        for channel, sounding in self._sounding.items():
            for pitch, onsets in sounding.items():
                self._closed[channel] += [
                    PlayedNote(onset, self._end_of_hanging_note(channel, onset), pitch)
                    for onset in onsets
                ]
        for channel in sorted(self._closed):
            if notes := self._without_unison_overlaps(self._closed[channel]):
                yield notes

    def _begin_note(self, channel: int, event: MidiEvent) -> None:
        if channel == _DRUM_CHANNEL:
            self.source.losses.add("notes of the drums (channel 10) left out")
            return
        if not self.remaining_notes:
            rule = f"expected at most {MAX_MIDI_NOTES:,} notes, found more"
            raise self.source.unsupported_error(event.byte, f"{rule}; cut the file into pieces")
        self.remaining_notes -= 1
        self._onsets[channel].append(event.time)
        self._sounding[channel].setdefault(event.data[0], deque()).append(event.time)

    def _read_meta(self, event: MidiEvent) -> None:
        kind, content = event.data[0], event.data[1:]
        if kind == META_TRACK_NAME:
            self.name = self.name or content[:_MAX_NAME_BYTES]
        elif kind == META_MARKER and content.startswith(_MARKER_START):
            self.settings.append(Setting(event.time, kind, content))
        elif kind in _META_RULES:
            n_bytes, is_valid, invalid_ones = _META_RULES[kind]
            if len(content) >= n_bytes and is_valid(content[:n_bytes]):
                self.settings.append(Setting(event.time, kind, content[:n_bytes]))
            else:
                self.source.repairs.add(f"{invalid_ones} left out", f"byte {event.byte}")

    def _end_of_hanging_note(self, channel: int, onset: int) -> int:
        self.source.repairs.add(
            "notes without an end, ended where the next one starts or the track ends"
        )
        onsets = self._onsets[channel]
        later = bisect_right(onsets, onset)
        return onsets[later] if later < len(onsets) else self._end

    def _without_unison_overlaps(self, notes: list[PlayedNote]) -> list[PlayedNote]:
        """The notes that last, each cut where its pitch is struck again."""
        kept, repairs = [], self.source.repairs
        lasting = sorted(
            (note for note in notes if note.end > note.start),
            key=lambda note: (note.pitch, note.start, note.end),
        )
        if len(lasting) < len(notes):
            repairs.add("notes of no length left out", count=len(notes) - len(lasting))
        for _, group in groupby(lasting, key=lambda note: note.pitch):
            same_pitch = list(group)
            for note, following in zip_longest(same_pitch, same_pitch[1:]):
                if following and following.start == note.start:
                    repairs.add("notes struck twice at once taken as one")
                elif following and following.start < note.end:
                    repairs.add("notes struck again while they sound, ended there")
                    kept.append(note._replace(end=following.start))
                else:
                    kept.append(note)
        return sorted(kept)


def encoded_name(name: str) -> bytes:
    """The bytes of a track name that is written."""
    return name[:_MAX_NAME_CHARACTERS].encode("utf-8", "replace")


def decoded_name(data: bytes) -> str:
    """A track name as text: UTF-8, or else Latin-1."""
    try:
        return data.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0")
