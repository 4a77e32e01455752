"""Where the tracks lie in the bytes of a MIDI file, found also where its lengths and counts are wrong.

Source: Standard MIDI Files 1.0 (RP-001), MIDI Manufacturers Association; RIFF wrapper: RP-029.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.read_report import Tally

MAX_MIDI_BYTES = 4 << 20
MAX_MIDI_TICKS = 2_000_000  # about 20,000 bars of 4/4
MAX_TRACKS = 65_535  # as many as a header can count
_HEADER_BYTES = 14
_END_OF_TRACK = b"\xff\x2f\x00"
_FILE_SIGNATURES = {
    b"<": "text such as a web page",
    b"PK\3\4": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"RIFF": "a RIFF file such as a sound",
    b"ID3": "a sound (MP3)",
    b"OggS": "a sound (Ogg)",
    b"SMF2CLIP": "a clip of MIDI 2.0",
}


@dataclass(frozen=True, slots=True)
class MidiSource:
    """The bytes of a file while they are read, with what was found wrong and what is left out.

    Attributes:
        name: of the file, for messages.
        data: all its bytes.
        repairs: what is wrong and mended.
        losses: what a score does not hold.
    """

    name: str
    data: bytes
    repairs: Tally = field(default_factory=Tally)
    losses: Tally = field(default_factory=Tally)

    def corrupt_error(self, byte: int, text: str) -> CorruptFileError:
        """The error that says what is wrong at a byte."""
        return CorruptFileError(f"{self.name}: byte {byte:,}: {text}")

    def unsupported_error(self, byte: int, text: str) -> FormatError:
        """The error for what is right in a file at a byte, and not for this package."""
        return FormatError(f"{self.name}: byte {byte:,}: {text}")


class TrackLayout(NamedTuple):
    """Where the tracks are.

    Attributes:
        kind: 0 for one track, 1 for tracks that sound together, 2 for separate pieces; also what the file says by mistake.
        units_per_quarter: units of the file's time in a quarter note.
        spans: (first byte, first byte after it) of the events of each track.
    """

    kind: int
    units_per_quarter: int
    spans: tuple[tuple[int, int], ...]


def find_tracks(source: MidiSource) -> TrackLayout:
    """The tracks of a file.

    Raises:
        CorruptFileError: it is not a MIDI file, or no track can be found in it.
        FormatError: it is larger than is read, or counts time in SMPTE frames.
    """
    data = source.data
    if len(data) > MAX_MIDI_BYTES:
        raise FormatError(
            f"{source.name}: larger than {MAX_MIDI_BYTES >> 20} MiB; only files up to that size are read"
        )
    start, end = _header_and_end(source)
    length, kind, n_tracks, division = struct.unpack(
        ">LHHh", data[start + 4 : start + _HEADER_BYTES]
    )
    if division < 0:
        raise source.unsupported_error(
            start + 12,
            "time is counted in SMPTE frames; only files in ticks per quarter note are read, export it as such",
        )
    if division == 0:
        raise source.corrupt_error(
            start + 12, "a quarter note has 0 ticks, expected 1 or more; export the file again"
        )
    first = start + 8 + length
    if not 6 <= length <= end - start - 8:
        source.repairs.add("wrong length of the header", f"byte {start + 4}", 0)
        first = start + _HEADER_BYTES
    spans = _track_spans(source, first, end)
    if not spans:
        raise source.corrupt_error(
            first,
            "expected a track (MTrk), found none; the file is cut short or damaged, export it again",
        )
    if len(spans) != n_tracks:
        source.repairs.add(
            f"the header counts {n_tracks} tracks and {len(spans)} follow", f"byte {start + 10}", 0
        )
    _check_kind(source, kind, len(spans), start + 8)
    return TrackLayout(kind, division, spans)


def _header_and_end(source: MidiSource) -> tuple[int, int]:
    """Where the header starts, and the first byte after what belongs to the file."""
    data = source.data
    start = data.find(b"MThd")
    if start < 0:
        found = (
            "an empty file"
            if not data
            else next(
                (sign for key, sign in _FILE_SIGNATURES.items() if data.startswith(key)),
                repr(data[:8]),
            )
        )
        raise source.corrupt_error(
            0, f"expected MThd, the start of a MIDI file, found {found}; give a MIDI file, unpacked"
        )
    if len(data) < start + _HEADER_BYTES:
        raise source.corrupt_error(
            len(data), "the file ends too early, in its header; copy or export it again"
        )
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        is_sized = data[start - 8 : start - 4] == b"data"
        n_bytes = struct.unpack("<L", data[start - 4 : start])[0] if is_sized else 0
        return start, min(len(data), start + n_bytes) if n_bytes >= _HEADER_BYTES else len(data)
    if start:
        source.repairs.add("bytes before the header skipped", "byte 0", start)
    return start, len(data)


def _check_kind(source: MidiSource, kind: int, n_tracks: int, byte: int) -> None:
    if kind > 2:
        source.repairs.add(f"format {kind} does not exist, read as format 1", f"byte {byte}", 0)
    if kind == 0 and n_tracks > 1:
        source.repairs.add(
            "several tracks in a file for one (format 0), read as format 1", f"byte {byte}", 0
        )


def _track_spans(source: MidiSource, at: int, end: int) -> tuple[tuple[int, int], ...]:
    data = source.data
    spans: list[tuple[int, int]] = []
    while at + 8 <= end:
        kind, stop = data[at : at + 4], at + 8 + struct.unpack(">L", data[at + 4 : at + 8])[0]
        if kind == b"MThd":
            source.losses.add(
                "a second file follows in the same file, and is left out", f"byte {at}", 0
            )
            return tuple(spans)
        if kind == b"MTrk":
            stop = _track_end(source, at, stop, end)
            spans.append((at + 8, stop))
        elif not (_is_chunk_name(kind) and _is_boundary(data, stop, end)):
            following = data.find(b"MTrk", at, end)
            stop = following if following >= 0 else end
            source.repairs.add("stray bytes between tracks skipped", f"byte {at}", stop - at)
        if len(spans) > MAX_TRACKS:
            raise source.corrupt_error(
                at,
                f"expected at most {MAX_TRACKS:,} tracks, found more; the file is damaged, export it again",
            )
        at = stop
    if at < end:
        source.repairs.add("stray bytes after the last track skipped", f"byte {at}", end - at)
    return tuple(spans)


def _track_end(source: MidiSource, at: int, stop: int, end: int) -> int:
    """The end of the track whose chunk starts at `at`: as it says, or where the next one starts if that cannot be."""
    if _is_boundary(source.data, stop, end):
        return stop
    following = source.data.find(b"MTrk", at + 8, end)
    what = (
        "a track cut off by the end of the file"
        if following < 0 and stop > end
        else "wrong length of a track"
    )
    source.repairs.add(what, f"byte {at + 4}")
    return following if following >= 0 else end


def _is_boundary(data: bytes, at: int, end: int) -> bool:
    if at >= end:
        return at == end
    return data[at - 3 : at] == _END_OF_TRACK or (
        _is_chunk_name(data[at : at + 4]) and at + 8 <= end
    )


def _is_chunk_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)
