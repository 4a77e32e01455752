"""A MIDI file of a score, written by miditoolkit.

Each voice is a track. What MIDI has no event for is kept in markers at the start (see `metadata`).
"""

from __future__ import annotations

import io
from typing import Any

import miditoolkit

from seqmusic.errors import FormatError
from seqmusic.formats.midi.chunks import MAX_MIDI_BYTES, MAX_MIDI_TICKS
from seqmusic.formats.midi.contents import MAX_PARTS
from seqmusic.formats.midi.metadata import MAX_BPM, MIN_BPM, metadata_markers
from seqmusic.formats.midi.meter import meter_to_events
from seqmusic.formats.midi.track import MAX_MIDI_NOTES, encoded_name
from seqmusic.score import TICKS_PER_QUARTER, Key, Score, Voice
from seqmusic.tonality import key_name, with_default_mode

_UNITS_PER_QUARTER = 480
_SCALE = _UNITS_PER_QUARTER // TICKS_PER_QUARTER
# The choirs of General MIDI: four, for readers that take equal programs for one voice.
_PROGRAMS = (52, 53, 54, 91)
_VELOCITY = 80


def midi_bytes(score: Score) -> bytes:
    """A MIDI file (format 1, 480 ticks to a quarter) of `score`; reading it gives an equal score.

    A pickup is written as a first bar of its own length under its own time signature, such as 1/4
    before 4/4.

    Raises:
        FormatError: MIDI cannot hold the tempo, or the score is too long.
    """
    _check_score(score)
    midi = miditoolkit.MidiFile(ticks_per_beat=_UNITS_PER_QUARTER)
    midi.time_signature_changes = [
        miditoolkit.TimeSignature(signature.numerator, signature.denominator, tick * _SCALE)
        for tick, signature in meter_to_events(score.time_signatures, score.pickup_ticks)
    ]
    if score.key:
        midi.key_signature_changes = [miditoolkit.KeySignature(_key_signature_name(score.key), 0)]
    if score.tempo_bpm is not None:
        midi.tempo_changes = [miditoolkit.TempoChange(score.tempo_bpm, 0)]
    midi.markers = [miditoolkit.Marker(text, 0) for text in metadata_markers(score)]
    midi.instruments = [_instrument(voice, index) for index, voice in enumerate(score.voices)]
    buffer = io.BytesIO()
    midi.dump(file=buffer)
    if buffer.tell() > MAX_MIDI_BYTES:
        limit = f"a MIDI file is written up to {MAX_MIDI_BYTES >> 20} MiB"
        raise FormatError(f"{limit}, and the score would take {buffer.tell() >> 20}")
    return buffer.getvalue()


def _check_score(score: Score) -> None:
    if score.end_ticks > MAX_MIDI_TICKS:
        limit = f"a MIDI file is written up to {MAX_MIDI_TICKS:,} ticks"
        raise FormatError(f"{limit}, and the score has {score.end_ticks:,}")
    n_voices, n_notes = len(score.voices), score.n_notes
    if n_voices > MAX_PARTS or n_notes > MAX_MIDI_NOTES:
        limit = (
            f"a MIDI file is written with at most {MAX_PARTS} voices and {MAX_MIDI_NOTES:,} notes"
        )
        raise FormatError(f"{limit}, and the score has {n_voices} and {n_notes:,}")
    if score.tempo_bpm is not None and not MIN_BPM <= score.tempo_bpm <= MAX_BPM:
        limits = f"{MIN_BPM} to {MAX_BPM:,.0f} quarter notes a minute"
        raise FormatError(f"a MIDI tempo is {limits}, got {score.tempo_bpm}")


def _instrument(voice: Voice, index: int) -> Any:
    notes = [
        miditoolkit.Note(_VELOCITY, n.pitch, n.onset_ticks * _SCALE, n.end_ticks * _SCALE)
        for n in voice.notes
    ]
    # Miditoolkit writes Latin-1, which gives back the bytes of the name.
    name = encoded_name(voice.name).decode("latin-1")
    return miditoolkit.Instrument(_PROGRAMS[index % len(_PROGRAMS)], False, name, notes)


def _key_signature_name(key: Key) -> str:
    """The key as miditoolkit names it, Bb or Bbm for minor; a key without mode as a major one."""
    tonic, mode = key_name(with_default_mode(key)).split()
    return tonic + "m" * (mode == "minor")
