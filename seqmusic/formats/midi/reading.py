"""The score in the bytes of a MIDI file: repaired, read, put on the grid, and its tracks as voices or taken
apart into voices.

Of what this package wrote into markers (see `marker`), each remark is believed only where the events still say what was written
with it, so that a file changed in another program is read as it was changed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from mido import bpm2tempo

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats.metadata import Remarks, read_markers
from seqmusic.formats.midi.chunks import MidiBytes
from seqmusic.formats.midi.contents import Contents, contents
from seqmusic.formats.midi.repair import MOST_PARTS, repaired
from seqmusic.formats.midi.writing import DEFAULT_METER, Meter, as_latin1, written_meter
from seqmusic.formats.reading_report import Reading, Tally
from seqmusic.formats.rhythm import Place, is_played, on_beats, on_steps
from seqmusic.formats.theme import voice_names
from seqmusic.formats.time_grid import (
    Shifts,
    beat_strength,
    put_on_grid,
    two_at_once,
    without_legato,
)
from seqmusic.formats.voice_separation import MOST_VOICES, n_at_once, separated
from seqmusic.score import SATB, TICKS_PER_QUARTER, Key, Note, Score, TimeSignature, Voice

_LEAST_BEAT = 0.25  # strength; played to a click (30 ms off, 120 a minute) gives 0.33 and more, onsets at random 0.21 and less
_FEWEST_ONSETS = 32  # for fewer the strength of a beat says little


class Part(NamedTuple):
    """What one channel of one track sings, in ticks.

    Attributes:
        name: empty for none.
        notes: by onset and pitch; several may sound at once.
    """

    name: str
    notes: tuple[Note, ...]


def read_bytes(data: bytes, name: str, grid_ticks: int | None = None) -> Reading:
    """The score in the bytes of a MIDI file called `name`.

    Raises:
        CorruptFileError: the bytes are not a MIDI file, or too damaged to be read.
        FormatError: they hold what a score cannot say.
    """
    if grid_ticks is not None and grid_ticks < 1:
        raise ValueError(f"grid_ticks must be 1 or more, got {grid_ticks}")
    source = MidiBytes(name, data)
    mended = repaired(source)
    midi, shifts = contents(mended), Shifts()
    scale, said = midi.units_per_quarter / TICKS_PER_QUARTER, _remarks(mended.markers, source)
    named = zip(mended.names, midi.tracks, strict=True)
    place = on_steps(grid_ticks) if grid_ticks else _place(midi, source)
    parts = [Part(_text(name), put_on_grid(notes, scale, shifts, place)) for name, notes in named]
    voices = _voices(lines_of_parts(parts, name, shifts, source.losses), said)
    signatures, pickup = _meter(midi, said, scale)
    title, origin = (said.title, said.source) if said else ("", "")
    score = Score(
        voices,
        signatures,
        pickup,
        _key(midi, said),
        _tempo(midi, said, mended.has_tempo),
        title,
        origin,
    )
    if not said:
        score = _with_pickup(score, source.losses)
    losses = source.losses.sentences() + shifts.sentences(score.n_notes)
    return Reading(score, source.repairs.sentences(), losses)


def lines_of_parts(parts: Sequence[Part], name: str, shifts: Shifts, losses: Tally) -> list[Part]:
    """The parts as lines, of which none has two notes at once: a part that is one stays one, the voices of others are separated.

    Raises:
        FormatError: there are more voices than are read.
    """
    lines = []
    for number, part in enumerate(parts, start=1):
        moved = Shifts()
        line = without_legato(part.notes, moved)
        if not two_at_once(line):
            shifts.ends += moved.ends
            lines.append(Part(part.name, line))
            continue
        at_once, track = n_at_once(part.notes), f"track {part.name or number!r}"
        if at_once > MOST_VOICES:
            rule = f"{at_once} notes sound at once, expected at most {MOST_VOICES}"
            raise FormatError(f"{name}: {track}: {rule}; give each instrument a track of its own")
        lines += [Part(part.name, voice) for voice in separated(part.notes)]
        losses.add(f"chords of {track} taken apart into {at_once} voices", count=0)
    if len(lines) > MOST_PARTS:
        raise FormatError(
            f"{name}: expected at most {MOST_PARTS} voices, found {len(lines)}; leave some tracks out"
        )
    return lines


def _place(midi: Contents, source: MidiBytes) -> Place:
    """Where notes are moved to: the nearest tick, in a performance to a click the nearest place of the beat.

    Raises:
        FormatError: it is a performance without a beat.
    """
    scale = midi.units_per_quarter / TICKS_PER_QUARTER
    onsets = {note.start / scale for notes in midi.tracks for note in notes}
    if all(onset.is_integer() for onset in onsets):
        return round
    strength = beat_strength(onset / TICKS_PER_QUARTER for onset in onsets)
    if len(onsets) >= _FEWEST_ONSETS and strength < _LEAST_BEAT:
        keep = f"its {len(onsets):,} onsets keep to no beat (strength {strength:.2f} of 1, expected {_LEAST_BEAT} or more)"
        remedy = "quantize it in another program, or give the grid to read it with, such as --grid 1/16 (grid_ticks=6 in Python)"
        raise FormatError(f"{source.name}: a performance without a beat: {keep}; {remedy}")
    if not is_played(onsets):
        return round
    source.losses.add(
        "a performance: notes moved to the halves, thirds, quarters, sixths or eighths of their beats",
        count=0,
    )
    return on_beats(onsets)


def _remarks(markers: Iterable[bytes], source: MidiBytes) -> Remarks | None:
    try:
        said = read_markers((marker.decode("latin-1") for marker in markers), source.name)
        if said:
            Score(
                (), said.time_signatures, said.pickup_ticks
            )  # refuses a meter that no score can have
        return said
    except (CorruptFileError, ValueError):
        source.repairs.add("damaged markers of this package ('seqmusic: ...') left out", count=0)
        return None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0")


def _meter(midi: Contents, said: Remarks | None, scale: float) -> tuple[Meter, int]:
    """Time signatures and pickup in ticks."""
    changes: dict[int, TimeSignature] = dict(DEFAULT_METER)
    for time, numerator, denominator in midi.meter:
        changes[round(time / scale)] = TimeSignature(numerator, denominator)
    events = tuple(sorted(changes.items(), key=lambda change: change[0]))
    if said and events == written_meter(said.time_signatures, said.pickup_ticks):
        return said.time_signatures, said.pickup_ticks
    pickup = 0
    if (
        len(events) > 1
        and events[1][0] <= events[0][1].bar_ticks
        and events[1][0] < events[1][1].bar_ticks
    ):
        pickup = events[1][0]
        events = ((0, events[1][1]), *events[2:])
    return _without_repeats(events, pickup), pickup


def _with_pickup(score: Score, losses: Tally) -> Score:
    """The score without the silence that other programs fill the bar of a pickup with: half a first bar or more of rest."""
    first = min((voice.notes[0].onset_ticks for voice in score.voices), default=0)
    bar = score.bars(1)[0]
    if score.pickup_ticks or not bar.duration_ticks / 2 <= first < bar.end_ticks:
        return score
    losses.add(f"silence of {first} ticks before the pickup left out", count=0)
    return score.sliced(first, score.end_ticks)


def _without_repeats(events: Meter, pickup_ticks: int) -> Meter:
    """Without the time signatures that change nothing: equal to the one before them, and on a bar line."""
    kept, onset = [events[0]], pickup_ticks
    for tick, signature in events[1:]:
        if signature != kept[-1][1] or (tick - onset) % signature.bar_ticks:
            kept.append((tick, signature))
            onset = tick
    return tuple(kept)


def _key(midi: Contents, said: Remarks | None) -> Key | None:
    """The key of the file, which as an event has a mode even if the score's has none."""
    is_said = said and said.key and replace(said.key, mode=said.key.mode or "major") == midi.key
    return said.key if said and is_said else midi.key


def _tempo(midi: Contents, said: Remarks | None, has_tempo: bool) -> float | None:
    if said and bpm2tempo(midi.tempo_bpm) == bpm2tempo(said.tempo_bpm or 120.0):
        return said.tempo_bpm
    return midi.tempo_bpm if has_tempo else None


def _voices(lines: Sequence[Part], said: Remarks | None) -> tuple[Voice, ...]:
    if said and [len(line.notes) for line in lines] == [
        n_notes for _, n_notes in said.voices if n_notes
    ]:
        return _said_voices(lines, said)
    ordered = [lines[i] for i in _from_high_to_low(lines)]
    return tuple(
        Voice(name, line.notes)
        for name, line in zip(_names([line.name for line in ordered]), ordered, strict=True)
    )


def _names(given: Sequence[str]) -> list[str]:
    """Names of voices from high to low: those given, with a number where several have the same; else such as Soprano, Bass."""
    unnamed, counts, taken = voice_names(len(given)), Counter(given), set(given)
    names = []
    for place, name in enumerate(given):
        if not name:
            names.append(unnamed[place])
        elif counts[name] == 1:
            names.append(name)
        else:
            names.append(
                next(new for i in itertools.count(1) if (new := f"{name} {i}") not in taken)
            )
            taken.add(names[-1])
    return names


def _said_voices(lines: Sequence[Part], said: Remarks) -> tuple[Voice, ...]:
    """Voices as the markers name them, silent ones too; with a new name where a track was renamed since."""
    remaining, voices = iter(lines), []
    for index, (name, n_notes) in enumerate(said.voices):
        now_named, line = next(remaining) if n_notes else (name, ())
        is_renamed = now_named != _text(as_latin1(name).encode("latin-1"))
        notes = tuple(
            replace(note, fermata=True) if (index, note.onset_ticks) in said.fermatas else note
            for note in line
        )
        voices.append(Voice(now_named if is_renamed else name, notes))
    return tuple(voices)


def _from_high_to_low(lines: Sequence[Part]) -> list[int]:
    """Order of the lines: soprano, alto, tenor, bass if they are called so, else by mean pitch."""
    names = [line.name.strip().capitalize() for line in lines]
    places = [SATB.index(name) if name in SATB else -1 for name in names]
    if min(places, default=-1) >= 0 and len(set(places)) == len(places):
        return sorted(range(len(lines)), key=lambda i: places[i])
    return sorted(
        range(len(lines)),
        key=lambda i: -sum(note.pitch for note in lines[i].notes) / len(lines[i].notes),
    )
