"""MIDI files, read from their bytes and written through miditoolkit."""

from __future__ import annotations

from pathlib import Path

from seqmusic.atomic_files import read_bounded, write_atomic
from seqmusic.formats.midi.chunks import MAX_MIDI_BYTES
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Score


def read_midi_with_report(path: Path, grid_ticks: int | None = None) -> ReadReport:
    """The score in a MIDI file, its voices from high to low, with what was repaired or left out.

    Voices are in the order of the file if this package wrote it; else in the order soprano, alto,
    tenor, bass where the tracks have these names; else by mean pitch. A channel of a track is one
    voice, or several where it has chords (see `voice_separation`). Voices are named like their
    track, with a number where several have that name. The drum channel is left out.

    Without a time signature the meter is 4/4, as MIDI defines it. A first bar that is shorter than
    the one after it is the pickup, and so is what sounds in a first bar that begins with rests for
    half of it or more.

    Args:
        path: of the file.
        grid_ticks: notes are moved to multiples of so many ticks (6 for a sixteenth, 4 for a
            sixteenth triplet), whether or not they keep to a beat; None moves them to the nearest
            tick, and refuses a performance without a beat.

    Raises:
        CorruptFileError: the bytes are not a MIDI file, or too damaged to be read.
        FormatError: the file cannot be opened, or holds what a score cannot: more than 16 notes at
            once in a track, or no beat.
    """
    path = Path(path)
    return read_midi_bytes(read_bounded(path, MAX_MIDI_BYTES), path.name, grid_ticks)


def write_midi(score: Score, path: Path) -> Path:
    """Write `score` as a MIDI file; returns `path`.

    Raises:
        FormatError: MIDI cannot hold the tempo, the score is too long, or the file cannot be
            written.
    """
    return write_atomic(Path(path), midi_bytes(score))
