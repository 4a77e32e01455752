"""From the parts of a MIDI file to the voices of a score: separated, named, and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from seqmusic.errors import FormatError
from seqmusic.formats.midi.contents import MAX_PARTS
from seqmusic.formats.midi.metadata import ScoreMetadata
from seqmusic.formats.midi.track import decoded_name, encoded_name
from seqmusic.formats.read_report import Tally
from seqmusic.formats.time_grid import Shifts, first_overlap, without_legato
from seqmusic.formats.voice_names import default_voice_names, distinct_voice_names, satb_order
from seqmusic.formats.voice_separation import MAX_SEPARATED_VOICES, max_polyphony, separate_voices
from seqmusic.score import Note, Voice


class QuantizedPart(NamedTuple):
    """The notes of one channel of one track, in ticks.

    Attributes:
        name: empty where it has none.
        notes: by onset and pitch; several may sound at once.
    """

    name: str
    notes: tuple[Note, ...]


def monophonic_parts(
    parts: Sequence[QuantizedPart], file_name: str, shifts: Shifts, losses: Tally
) -> list[QuantizedPart]:
    """Parts of which none has two notes at once; a part that has some is separated into voices.

    Raises:
        FormatError: there are more voices than are read.
    """
    lines: list[QuantizedPart] = []
    for number, part in enumerate(parts, start=1):
        moved = Shifts()
        line = without_legato(part.notes, moved)
        if not first_overlap(line):
            shifts.ends += moved.ends
            lines.append(QuantizedPart(part.name, line))
            continue
        polyphony, track = max_polyphony(part.notes), f"track {part.name or number!r}"
        if polyphony > MAX_SEPARATED_VOICES:
            rule = f"{polyphony} notes sound at once, expected at most {MAX_SEPARATED_VOICES}"
            remedy = "give each instrument a track of its own"
            raise FormatError(f"{file_name}: {track}: {rule}; {remedy}")
        lines += [QuantizedPart(part.name, voice) for voice in separate_voices(part.notes)]
        losses.add(f"chords of {track} taken apart into {polyphony} voices", count=0)
    if len(lines) > MAX_PARTS:
        rule = f"expected at most {MAX_PARTS} voices, found {len(lines)}"
        raise FormatError(f"{file_name}: {rule}; leave some tracks out")
    return lines


def ordered_voices(lines: Sequence[QuantizedPart]) -> tuple[Voice, ...]:
    """Voices from high to low, named like their tracks; unnamed ones such as Soprano, Bass."""
    ordered = [lines[index] for index in _voice_order(lines)]
    names = distinct_voice_names([line.name for line in ordered], default_voice_names(len(ordered)))
    return tuple(Voice(name, line.notes) for name, line in zip(names, ordered, strict=True))


def voices_from_metadata(
    lines: Sequence[QuantizedPart], metadata: ScoreMetadata
) -> tuple[Voice, ...] | None:
    """Voices as the markers name them, silent ones too; None where the notes were changed since.

    A voice has the name of its track where that was renamed since.
    """
    counts = [n_notes for _, n_notes in metadata.voices if n_notes]
    if [len(line.notes) for line in lines] != counts:
        return None
    remaining, voices = iter(lines), []
    for index, (name, n_notes) in enumerate(metadata.voices):
        track_name, line = next(remaining) if n_notes else (name, ())
        is_renamed = track_name != decoded_name(encoded_name(name))
        notes = tuple(
            replace(note, fermata=True) if (index, note.onset_ticks) in metadata.fermatas else note
            for note in line
        )
        voices.append(Voice(track_name if is_renamed else name, notes))
    return tuple(voices)


def _voice_order(lines: Sequence[QuantizedPart]) -> list[int]:
    """Soprano to bass where all have different ones of these names, else by mean pitch."""
    names = [line.name for line in lines]
    order = satb_order(names)
    if order is not None and len({name.strip().capitalize() for name in names}) == len(names):
        return order
    mean_pitches = [sum(note.pitch for note in line) / len(line) for _, line in lines]
    return sorted(range(len(lines)), key=lambda index: -mean_pitches[index])
