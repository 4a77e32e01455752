"""What one track holds: its notes, each with an end and no two of one pitch at once, and its settings (tempo, meter, key)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from seqmusic.formats.midi.chunks import MidiSource
from seqmusic.formats.midi.events import META, MidiEvent
from seqmusic.formats.midi.metadata import MIN_BPM
from seqmusic.formats.time_grid import PlayedNote

MAX_MIDI_NOTES = 60_000
META_TRACK_NAME, META_MARKER, META_TEMPO, META_TIME_SIGNATURE, META_KEY_SIGNATURE = (
    0x03,
    0x06,
    0x51,
    0x58,
    0x59,
)
NOTE_OFF, NOTE_ON = 0x80, 0x90
METADATA_PREFIX = b"seqmusic: "
_CONTROL, _PITCH_BEND, _NO_BEND = 0xB0, 0xE0, b"\x00\x40"
_DRUM_CHANNEL = 9  # counted from 0
_MAX_NAME_BYTES = 4000  # bytes
_NOTES_OFF_CONTROLLERS = (
    120,
    123,
    124,
    125,
    126,
    127,
)  # controllers that end all notes of their channel
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
"""Of each kind of setting: its bytes, whether they keep the rules, and what those are that do not."""


@dataclass(frozen=True, slots=True)
class MetaEvent:
    """A tempo, time signature, key, or marker of this package.

    Attributes:
        tick: units of the file's time from the start.
        kind: of the meta event.
        content: its bytes, which keep the rules.
    """

    tick: int
    kind: int
    content: bytes


@dataclass(slots=True)
class TrackReader:
    """Takes the events of one track; then has what it holds.

    Attributes:
        source: counts what is mended and what is left out.
        remaining_notes: how many notes may still be taken.
        name: of the track, as in the file.
        meta_events: by tick.
    """

    source: MidiSource
    remaining_notes: int
    name: bytes = b""
    meta_events: list[MetaEvent] = field(default_factory=list)
    _end: int = 0
    _closed: defaultdict[int, list[PlayedNote]] = field(default_factory=lambda: defaultdict(list))
    _onsets: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _sounding: defaultdict[int, dict[int, deque[int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def read_event(self, event: MidiEvent) -> None:
        """One event more, not earlier than the one before it.

        Raises:
            FormatError: there are more notes than are read.
        """
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if event.status == META:
            self._read_meta(event)
        elif kind == NOTE_OFF or (kind == NOTE_ON and not event.data[1]):
            if waiting := self._sounding[channel].get(event.data[0]):
                self._closed[channel].append(
                    PlayedNote(waiting.popleft(), event.tick, event.data[0])
                )
        elif kind == NOTE_ON:
            self._begin_note(channel, event)
        elif kind == _PITCH_BEND and event.data != _NO_BEND:
            self.source.losses.add("pitch bends left out")
        elif kind == _CONTROL and event.data[0] in _NOTES_OFF_CONTROLLERS:
            for pitch, starts in self._sounding.pop(channel, {}).items():
                self._closed[channel] += [PlayedNote(start, event.tick, pitch) for start in starts]
        self._end = event.tick

    def notes(self) -> Iterator[tuple[int, list[PlayedNote]]]:
        """Each channel that has notes, and these by onset and pitch."""
        for channel, sounding in self._sounding.items():
            for pitch, starts in sounding.items():
                self._closed[channel] += [
                    PlayedNote(start, self._end_of_hanging_note(channel, start), pitch)
                    for start in starts
                ]
        for channel in sorted(self._closed):
            if notes := self._without_unison_overlaps(self._closed[channel]):
                yield channel, notes

    def _begin_note(self, channel: int, event: MidiEvent) -> None:
        if channel == _DRUM_CHANNEL:
            self.source.losses.add("notes of the drums (channel 10) left out")
            return
        if not self.remaining_notes:
            text = (
                f"expected at most {MAX_MIDI_NOTES:,} notes, found more; cut the file into pieces"
            )
            raise self.source.unsupported_error(event.byte, text)
        self.remaining_notes -= 1
        self._onsets[channel].append(event.tick)
        self._sounding[channel].setdefault(event.data[0], deque()).append(event.tick)

    def _read_meta(self, event: MidiEvent) -> None:
        kind, content = event.data[0], event.data[1:]
        if kind == META_TRACK_NAME:
            self.name = self.name or content[:_MAX_NAME_BYTES]
        elif kind == META_MARKER and content.startswith(METADATA_PREFIX):
            self.meta_events.append(MetaEvent(event.tick, kind, content))
        elif kind in _META_RULES:
            n_bytes, keeps_rules, others = _META_RULES[kind]
            if len(content) >= n_bytes and keeps_rules(content[:n_bytes]):
                self.meta_events.append(MetaEvent(event.tick, kind, content[:n_bytes]))
            else:
                self.source.repairs.add(f"{others} left out", f"byte {event.byte}")

    def _end_of_hanging_note(self, channel: int, start: int) -> int:
        self.source.repairs.add(
            "notes without an end, ended where the next one starts or the track ends"
        )
        onsets = self._onsets[channel]
        later = bisect_right(onsets, start)
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
        for _, same in groupby(lasting, key=lambda note: note.pitch):
            for one, following in pairwise([*same, None]):
                if one and following and following.start == one.start:
                    repairs.add("notes struck twice at once taken as one")
                elif one and following and following.start < one.end:
                    repairs.add("notes struck again while they sound, ended there")
                    kept.append(one._replace(end=following.start))
                elif one:
                    kept.append(one)
        return sorted(kept)
