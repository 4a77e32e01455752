"""What stands in a clean MIDI file: read by miditoolkit, or by symusic where that is installed (the extra `fast`)
and many files are read.

A file is set right and written anew before either sees it (see `midi_repair`), and holds nothing that two readers could take for
two things: both find the same.
"""

from __future__ import annotations

import importlib
import io
import itertools
from functools import cache
from typing import Any, NamedTuple

import miditoolkit
from mido import tempo2bpm

from seqmusic.formats.midi.repair import RepairedMidi
from seqmusic.formats.time_grid import PlayedNote
from seqmusic.score import Key
from seqmusic.tonality import parse_key

_MAX_SYMUSIC_TIME = 2**31 - 1  # units that symusic counts
_MIN_FILES_FOR_SYMUSIC = 20  # files, which are read sooner than symusic is loaded
_n_read = itertools.count(1)


class MidiContents(NamedTuple):
    """What two readers find alike.

    Attributes:
        units_per_quarter: units of the file's time in a quarter note.
        tracks: of each that has notes, these by onset and pitch.
        meter: (time, numerator, denominator) of the time signatures.
        key: the first, as major where the file cannot tell.
        tempo_bpm: the first; 120 where there is none.
    """

    units_per_quarter: int
    tracks: list[list[PlayedNote]]
    meter: list[tuple[int, int, int]]
    key: Key | None
    tempo_bpm: float


def read_contents(clean: RepairedMidi) -> MidiContents:
    """What stands in a file that was set right."""
    if next(_n_read) > _MIN_FILES_FOR_SYMUSIC and clean.end <= _MAX_SYMUSIC_TIME and _symusic():
        return read_with_symusic(clean.data)
    return read_with_miditoolkit(clean.data)


def read_with_miditoolkit(data: bytes) -> MidiContents:
    """What miditoolkit finds in the bytes of a clean file."""
    midi = miditoolkit.MidiFile(file=io.BytesIO(data))
    return MidiContents(
        midi.ticks_per_beat,
        [
            sorted(PlayedNote(note.start, note.end, note.pitch) for note in track.notes)
            for track in midi.instruments
        ],
        [
            (change.time, change.numerator, change.denominator)
            for change in midi.time_signature_changes
        ],
        parse_key(midi.key_signature_changes[0].key_name) if midi.key_signature_changes else None,
        float(midi.tempo_changes[0].tempo),  # miditoolkit sets one where there is none
    )


def read_with_symusic(data: bytes) -> MidiContents:
    """What symusic finds in the bytes of a clean file."""
    score = _symusic().Score.from_midi(data)
    return MidiContents(
        score.ticks_per_quarter,
        [
            sorted(PlayedNote(note.start, note.end, note.pitch) for note in track.notes)
            for track in score.tracks
        ],
        [(change.time, change.numerator, change.denominator) for change in score.time_signatures],
        next(
            (
                Key(change.key, "minor" if change.tonality else "major")
                for change in score.key_signatures
            ),
            None,
        ),
        next((tempo2bpm(change.mspq) for change in score.tempos), 120.0),
    )


@cache
def _symusic() -> Any:
    try:
        return importlib.import_module("symusic")
    except ImportError:
        return None
