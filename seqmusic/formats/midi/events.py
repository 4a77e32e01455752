"""The events of one track, read byte by byte; damaged ones are repaired or skipped, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from seqmusic.formats.midi.chunks import MidiSource

META = 0xFF
_END_OF_TRACK = bytes((META, 0x2F))
_SYSEX = (0xF0, 0xF7)
_N_ILLEGAL_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Data bytes of the messages that a file cannot hold; those not listed have none."""
_MAX_DELTA_TIME = 1 << 40  # units; a longer one is damage, and would make the arithmetic slow


class MidiEvent(NamedTuple):
    """An event of a track.

    Attributes:
        byte: its position in the file.
        time: units of the file's time from the start.
        status: 0x80..0xEF with the channel in its low half, or META.
        data: data bytes, each 0..127; of a meta event its kind and then its content.
    """

    byte: int
    time: int
    status: int
    data: bytes


def iterate_events(source: MidiSource, at: int, stop: int, max_time: int) -> Iterator[MidiEvent]:
    """Channel and meta events in ``data[at:stop]``, as far as the track can be read.

    Args:
        source: the bytes; counts the repairs.
        at: first byte of the track's events.
        stop: first byte after them.
        max_time: no event later than that is yielded; units of the file's time.
    """
    data, repairs = source.data, source.repairs
    time, running, is_interrupted = 0, 0, False
    while at < stop:
        if data[at] < 0x80:  # a delta time of one byte, the usual case, without a call
            time, at = time + data[at], at + 1
        else:
            delta, at = _read_variable_length(data, at, stop)
            time += delta
        start = at if running else _next_status(source, at, stop)
        if start >= stop:
            at = stop + 1
            break
        if time > max_time and data[start : start + 2] != _END_OF_TRACK:
            what = "tracks cut where they wait for longer than any score lasts"
            repairs.add(what, f"byte {start}")
            return
        is_running = data[start] < 0x80
        status = running if is_running else data[start]
        if is_running and is_interrupted:
            repairs.add("running status carried over a meta event or SysEx", f"byte {start}")
        is_interrupted = status >= 0xF0
        content, at = _event_data(source, start + (not is_running), stop, status)
        if status == META and content[:1] == _END_OF_TRACK[1:]:
            yield MidiEvent(start, min(time, max_time), META, content[:1])
            _report_trailing_bytes(source, at, stop)
            return
        if status < 0xF0:
            running = status
        if at <= stop and (status < 0xF0 or status == META):
            yield MidiEvent(start, time, status, content)
    _report_missing_end(source, at, stop)


def _event_data(source: MidiSource, at: int, stop: int, status: int) -> tuple[bytes, int]:
    """The data bytes of an event, and the byte after it, beyond `stop` if the event is cut off."""
    data = source.data
    if status < 0xF0:
        end = at + (1 if 0xC0 <= status < 0xE0 else 2)
        content = data[at:end]
        return content if content.isascii() or end > stop else _clip_data(source, content, at), end
    if status == META or status in _SYSEX:
        after_kind = at + (status == META)
        length, start = _read_variable_length(data, after_kind, stop)
        end = start + length
        return data[at:after_kind] + data[start : min(end, stop)], end
    source.repairs.add("messages that a file cannot hold skipped", f"byte {at - 1}")
    return b"", at + _N_ILLEGAL_DATA_BYTES.get(status, 0)


def _read_variable_length(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the byte after it."""
    value = 0
    while at < stop:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
        value = min(value, _MAX_DELTA_TIME)
    return value, at


def _next_status(source: MidiSource, at: int, stop: int) -> int:
    """The first byte from `at` on that is a status byte."""
    start = at
    while at < stop and source.data[at] < 0x80:
        at += 1
    if at > start:
        source.repairs.add("bytes that belong to no event skipped", f"byte {start}", at - start)
    return at


def _clip_data(source: MidiSource, content: bytes, byte: int) -> bytes:
    n_clipped = sum(value > 127 for value in content)
    source.repairs.add("data bytes above 127 taken as 127", f"byte {byte}", n_clipped)
    return bytes(min(value, 127) for value in content)


def _report_missing_end(source: MidiSource, at: int, stop: int) -> None:
    is_cut = at > stop
    what = "a track that ends inside an event" if is_cut else "a track without its end event"
    source.repairs.add(what, f"byte {stop}")


def _report_trailing_bytes(source: MidiSource, at: int, stop: int) -> None:
    if at < stop:
        source.repairs.add("bytes after the end of a track skipped", f"byte {at}", stop - at)
    elif at > stop:
        source.repairs.add("a track that ends inside an event", f"byte {stop}")
