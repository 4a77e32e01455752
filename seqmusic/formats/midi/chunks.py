"""The tracks in the bytes of a MIDI file, found also where its lengths and counts are wrong.

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
    """The bytes of a file while they are read, with what was wrong in it and what is left out.

    Attributes:
        name: name of the file, for messages.
        data: all its bytes.
        repairs: what is wrong and was repaired.
        losses: what a score does not hold.
    """

    name: str
    data: bytes
    repairs: Tally = field(default_factory=Tally)
    losses: Tally = field(default_factory=Tally)

    def corrupt_error(self, byte: int, text: str) -> CorruptFileError:
        """The error for bytes that break the rules of the format."""
        return CorruptFileError(f"{self.name}: byte {byte:,}: {text}")

    def unsupported_error(self, byte: int, text: str) -> FormatError:
        """The error for what the format allows and this package does not read."""
        return FormatError(f"{self.name}: byte {byte:,}: {text}")


class TrackLayout(NamedTuple):
    """Where the tracks are.

    Attributes:
        file_format: 0 for one track, 1 for simultaneous tracks, 2 for separate pieces; a damaged
            header may hold any other number.
        units_per_quarter: units of the file's time in a quarter note.
        spans: (first byte, first byte after it) of the events of each track.
    """

    file_format: int
    units_per_quarter: int
    spans: tuple[tuple[int, int], ...]


def find_tracks(source: MidiSource) -> TrackLayout:
    """The tracks of a file.

    Raises:
        CorruptFileError: it is not a MIDI file, or no track can be found in it.
        FormatError: it is too large, or counts time in SMPTE frames.
    """
    data = source.data
    if len(data) > MAX_MIDI_BYTES:
        limit = f"{MAX_MIDI_BYTES >> 20} MiB"
        raise FormatError(
            f"{source.name}: larger than {limit}; only files up to that size are read"
        )
    start, end = _header_and_end(source)
    header = data[start + 4 : start + _HEADER_BYTES]
    length, file_format, n_tracks, division = struct.unpack(">LHHh", header)
    _check_division(source, division, start + 12)
    first = start + 8 + length
    if not 6 <= length <= end - start - 8:
        source.repairs.add("wrong length of the header", f"byte {start + 4}", 0)
        first = start + _HEADER_BYTES
    spans = _track_spans(source, first, end)
    if not spans:
        rule = "expected a track (MTrk), found none"
        remedy = "the file is cut short or damaged, export it again"
        raise source.corrupt_error(first, f"{rule}; {remedy}")
    if len(spans) != n_tracks:
        what = f"the header counts {n_tracks} tracks and {len(spans)} follow"
        source.repairs.add(what, f"byte {start + 10}", 0)
    _check_format(source, file_format, len(spans), start + 8)
    return TrackLayout(file_format, division, spans)


def _header_and_end(source: MidiSource) -> tuple[int, int]:
    """Where the header starts, and the first byte after what belongs to the file."""
    data = source.data
    start = data.find(b"MThd")
    if start < 0:
        rule = f"expected MThd, the start of a MIDI file, found {_describe_file(data)}"
        raise source.corrupt_error(0, f"{rule}; give a MIDI file, unpacked")
    if len(data) < start + _HEADER_BYTES:
        text = "the file ends too early, in its header; copy or export it again"
        raise source.corrupt_error(len(data), text)
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        is_sized = data[start - 8 : start - 4] == b"data"
        n_bytes = struct.unpack("<L", data[start - 4 : start])[0] if is_sized else 0
        return start, min(len(data), start + n_bytes) if n_bytes >= _HEADER_BYTES else len(data)
    if start:
        source.repairs.add("bytes before the header skipped", "byte 0", start)
    return start, len(data)


def _describe_file(data: bytes) -> str:
    """What a file is that is not a MIDI file."""
    if not data:
        return "an empty file"
    kinds = (kind for start, kind in _FILE_SIGNATURES.items() if data.startswith(start))
    return next(kinds, repr(data[:8]))


def _check_division(source: MidiSource, division: int, byte: int) -> None:
    if division < 0:
        rule = "time is counted in SMPTE frames"
        remedy = "only files in ticks per quarter note are read, export it as such"
        raise source.unsupported_error(byte, f"{rule}; {remedy}")
    if division == 0:
        text = "a quarter note has 0 ticks, expected 1 or more; export the file again"
        raise source.corrupt_error(byte, text)


def _check_format(source: MidiSource, file_format: int, n_tracks: int, byte: int) -> None:
    if file_format > 2:
        what = f"format {file_format} does not exist, read as format 1"
        source.repairs.add(what, f"byte {byte}", 0)
    if file_format == 0 and n_tracks > 1:
        what = "several tracks in a file for one (format 0), read as format 1"
        source.repairs.add(what, f"byte {byte}", 0)


def _track_spans(source: MidiSource, at: int, end: int) -> tuple[tuple[int, int], ...]:
    data = source.data
    spans: list[tuple[int, int]] = []
    while at + 8 <= end:
        name, stop = data[at : at + 4], at + 8 + struct.unpack(">L", data[at + 4 : at + 8])[0]
        if name == b"MThd":
            what = "a second file follows in the same file, and is left out"
            source.losses.add(what, f"byte {at}", 0)
            return tuple(spans)
        if name == b"MTrk":
            stop = _track_end(source, at, stop, end)
            spans.append((at + 8, stop))
        elif not (_is_chunk_name(name) and _is_boundary(data, stop, end)):
            following = data.find(b"MTrk", at, end)
            stop = following if following >= 0 else end
            source.repairs.add("stray bytes between tracks skipped", f"byte {at}", stop - at)
        if len(spans) > MAX_TRACKS:
            rule = f"expected at most {MAX_TRACKS:,} tracks, found more"
            raise source.corrupt_error(at, f"{rule}; the file is damaged, export it again")
        at = stop
    if at < end:
        source.repairs.add("stray bytes after the last track skipped", f"byte {at}", end - at)
    return tuple(spans)


def _track_end(source: MidiSource, at: int, stop: int, end: int) -> int:
    """The end of the track whose chunk starts at `at`.

    It is `stop`, as the length of the chunk says, or the start of the next track where that
    length cannot be right.
    """
    if _is_boundary(source.data, stop, end):
        return stop
    following = source.data.find(b"MTrk", at + 8, end)
    is_cut = following < 0 and stop > end
    what = "a track cut off by the end of the file" if is_cut else "wrong length of a track"
    source.repairs.add(what, f"byte {at + 4}")
    return following if following >= 0 else end


def _is_boundary(data: bytes, at: int, end: int) -> bool:
    if at >= end:
        return at == end
    is_after_track = data[at - 3 : at] == _END_OF_TRACK
    return is_after_track or (_is_chunk_name(data[at : at + 4]) and at + 8 <= end)


def _is_chunk_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)
