"""MIDI files, read and written through miditoolkit, which no module but this and its `midi_*` neighbors imports.

What is read is first set right byte by byte (`midi_chunks`, `midi_events`, `midi_notes`, `midi_repair`), so that miditoolkit sees
nothing but a clean file; what was mended or left out is told with the score.
"""

from __future__ import annotations

from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError
from seqmusic.formats.midi.chunks import MAX_MIDI_BYTES, MAX_MIDI_TICKS
from seqmusic.formats.midi.reading import read_midi_bytes
from seqmusic.formats.midi.writing import midi_bytes
from seqmusic.formats.read_report import ReadReport
from seqmusic.score import Score

__all__ = ["MAX_MIDI_TICKS", "midi_bytes", "read_midi", "read_midi_with_report", "write_midi"]


def read_midi(path: Path) -> Score:
    """The score in a MIDI file, as `read_midi_with_report` reads it."""
    return read_midi_with_report(path).score


def read_midi_with_report(path: Path, grid_ticks: int | None = None) -> ReadReport:
    """The score in a MIDI file, its voices from high to low, with what was mended and what is left out.

    Voices stand in the order of the file if this package wrote it; else in the order soprano, alto, tenor, bass where the tracks
    have these names; else by mean pitch. A channel of a track that is one line is one voice; of chords the voices are separated
    (see `voices`). Voices are called like their track, with a number where several are. The drum channel is left out. Without a
    time signature the meter is 4/4, as MIDI defines it. A first bar that is shorter than the one after it is the pickup,
    and so is what sounds in a first bar that begins with rests for half of it or more.

    Args:
        path: of the file.
        grid_ticks: notes are moved to multiples of so many ticks (6 are a sixteenth, 4 a sixteenth triplet), whether or not they
            keep to a beat; None moves them to the nearest tick, and refuses a performance without a beat.

    Raises:
        CorruptFileError: the bytes are not a MIDI file, or too damaged to be read.
        FormatError: the file cannot be opened, or holds what a score cannot say: more than 16 notes at once in a track, no beat.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MIDI_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror or error}") from error
    return read_midi_bytes(data, path.name, grid_ticks)


def write_midi(score: Score, path: Path) -> Path:
    """Write `score` as a MIDI file; returns `path`.

    Raises:
        FormatError: MIDI cannot say the tempo, or the score is too long, or the file cannot be written.
    """
    return write_atomic(Path(path), midi_bytes(score))
