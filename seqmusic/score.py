"""Score, voice and note: frozen values, and the pure operations on them.

Time is a whole number of ticks, 24 to a quarter note; pitch is the MIDI number, 60 = C4. A voice
is one line, whose notes never overlap; a gap is a rest. Two scores are equal if they sound and are
notated the same, whatever their titles and sources.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from seqmusic.meter import (
    TICKS_PER_QUARTER,
    TICKS_PER_SIXTEENTH,
    TICKS_PER_WHOLE,
    Bar,
    TimeSignature,
    TimeSignatures,
    iterate_bars,
    slice_meter,
)

__all__ = [
    "COMMON_TIME",
    "SATB",
    "TICKS_PER_QUARTER",
    "TICKS_PER_SIXTEENTH",
    "TICKS_PER_WHOLE",
    "Bar",
    "Key",
    "Note",
    "Score",
    "TimeSignature",
    "Voice",
    "melody",
    "transposed_key",
]

SATB = ("Soprano", "Alto", "Tenor", "Bass")
COMMON_TIME: TimeSignatures = ((0, TimeSignature(4, 4)),)
_PLAYED_BPM = 80.0  # of a score without a tempo


@dataclass(frozen=True, slots=True)
class Note:
    """One sounding note; written ties are joined into it.

    Attributes:
        onset_ticks: start from the beginning of the score, 0 or more.
        duration_ticks: 1 or more.
        pitch: MIDI number, 0..127.
        fermata: whether a fermata stands over it.
    """

    onset_ticks: int
    duration_ticks: int
    pitch: int
    fermata: bool = False

    def __post_init__(self) -> None:
        if self.onset_ticks < 0:
            raise ValueError(f"onset_ticks must be 0 or more, got {self.onset_ticks}")
        if self.duration_ticks < 1:
            raise ValueError(
                f"duration_ticks must be 1 or more, got {self.duration_ticks} "
                f"(onset {self.onset_ticks})"
            )
        if not 0 <= self.pitch <= 127:
            raise ValueError(
                f"pitch must be a MIDI number in 0..127, got {self.pitch} "
                f"(onset {self.onset_ticks})"
            )

    @property
    def end_ticks(self) -> int:
        """First tick after the note."""
        return self.onset_ticks + self.duration_ticks


@dataclass(frozen=True, slots=True)
class Voice:
    """One line: notes in order of onset that never overlap; a gap is a rest.

    >>> Voice("Soprano", (Note(0, 24, 60), Note(12, 24, 62)))
    Traceback (most recent call last):
    ...
    ValueError: notes of a voice must not overlap: 'Soprano' note 1 starts at 12, note 0 ends at 24
    """

    name: str
    notes: tuple[Note, ...]

    def __post_init__(self) -> None:
        for index, (before, after) in enumerate(itertools.pairwise(self.notes), start=1):
            if after.onset_ticks < before.end_ticks:
                raise ValueError(
                    f"notes of a voice must not overlap: {self.name!r} note {index} "
                    f"starts at {after.onset_ticks}, note {index - 1} ends at {before.end_ticks}"
                )

    @property
    def end_ticks(self) -> int:
        """First tick after the last note; 0 for an empty voice."""
        return self.notes[-1].end_ticks if self.notes else 0

    @property
    def compass(self) -> tuple[int, int] | None:
        """Lowest and highest pitch; None for an empty voice."""
        pitches = [note.pitch for note in self.notes]
        return (min(pitches), max(pitches)) if pitches else None


@dataclass(frozen=True, slots=True)
class Key:
    """A key signature, with its mode where known.

    Attributes:
        sharps: sharps (positive) or flats (negative), -7..7.
        mode: "major", "minor", or "" when only the signature is known.
    """

    sharps: int
    mode: str = ""

    def __post_init__(self) -> None:
        if not -7 <= self.sharps <= 7:
            raise ValueError(f"a key signature has 7 flats to 7 sharps, got {self.sharps:+d}")
        if self.mode not in ("major", "minor", ""):
            raise ValueError(f"mode must be 'major', 'minor' or '', got {self.mode!r}")


@dataclass(frozen=True, slots=True)
class Score:
    """Voices from high to low, with what is needed to write them down.

    Attributes:
        voices: from high to low, soprano first.
        time_signatures: (tick, time signature) pairs, the first at tick 0, ticks rising; a change
            that falls inside a bar cuts that bar short. Empty where no meter is known.
        pickup_ticks: length of the incomplete bar before bar 1; 0 for none.
        key: key signature, None where unknown.
        tempo_bpm: quarter notes a minute, None where unknown.
        title: not compared.
        source: where the music came from, for instance a file, a work, or the settings it was
            composed with; not compared.
    """

    voices: tuple[Voice, ...]
    time_signatures: TimeSignatures = COMMON_TIME
    pickup_ticks: int = 0
    key: Key | None = None
    tempo_bpm: float | None = None
    title: str = field(default="", compare=False)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        ticks = [tick for tick, _ in self.time_signatures]
        if ticks and (ticks[0] != 0 or any(b <= a for a, b in itertools.pairwise(ticks))):
            raise ValueError(f"time signatures must start at tick 0 and rise, got ticks {ticks}")
        if self.pickup_ticks and not ticks:
            raise ValueError("a pickup needs a time signature")
        if ticks and not 0 <= self.pickup_ticks < self.time_signatures[0][1].bar_ticks:
            raise ValueError(
                f"a pickup is shorter than a bar of {self.time_signatures[0][1]} "
                f"({self.time_signatures[0][1].bar_ticks} ticks), got {self.pickup_ticks}"
            )
        if len(ticks) > 1 and ticks[1] < self.pickup_ticks:
            raise ValueError(
                f"a change of time signature at tick {ticks[1]} falls inside the pickup "
                f"({self.pickup_ticks} ticks)"
            )

    @property
    def end_ticks(self) -> int:
        """First tick after the last note of any voice."""
        return max((voice.end_ticks for voice in self.voices), default=0)

    @property
    def seconds_per_tick(self) -> float:
        """How long a tick lasts when played: at its tempo, or at 80 quarters a minute."""
        return 60 / (self.tempo_bpm or _PLAYED_BPM) / TICKS_PER_QUARTER

    @property
    def n_notes(self) -> int:
        """Notes in all voices."""
        return sum(len(voice.notes) for voice in self.voices)

    def bars(self, end_ticks: int | None = None) -> list[Bar]:
        """Bars from the start until every tick before `end_ticks` is covered; none without a meter.

        Args:
            end_ticks: None for the end of the music.
        """
        end = self.end_ticks if end_ticks is None else end_ticks
        return list(iterate_bars(self.time_signatures, self.pickup_ticks, end))

    def transposed(self, semitones: int) -> Score:
        """The score with every pitch moved, and the key signature moved with it.

        Raises:
            ValueError: a pitch would leave 0..127.
        """
        voices = tuple(_transposed_voice(voice, semitones, self) for voice in self.voices)
        return replace(self, voices=voices, key=self.key and transposed_key(self.key, semitones))

    def sliced(self, start_ticks: int, end_ticks: int) -> Score:
        """Notes that start in [start_ticks, end_ticks), cut at the end, counted from `start_ticks`.

        The pickup and the time signatures are chosen so that the bar lines stay where they are.

        Raises:
            ValueError: the span is empty, or begins before the score.
        """
        if not 0 <= start_ticks < end_ticks:
            raise ValueError(f"a slice needs 0 <= start < end, got {start_ticks} and {end_ticks}")
        signatures, pickup_ticks = slice_meter(
            self.time_signatures, self.pickup_ticks, start_ticks, end_ticks
        )
        return replace(
            self,
            voices=tuple(_sliced_voice(voice, start_ticks, end_ticks) for voice in self.voices),
            time_signatures=signatures,
            pickup_ticks=pickup_ticks,
        )

    def __repr__(self) -> str:
        meter = str(self.time_signatures[0][1]) if self.time_signatures else "no meter"
        title = f"{self.title!r}, " if self.title else ""
        size = f"{len(self.voices)} voices, {self.n_notes} notes, {meter}, {self.end_ticks} ticks"
        return f"<Score {title}{size}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from seqmusic.formats.notebook import mime_bundle

        return mime_bundle(self, repr(self))


def melody(
    notes: Iterable[Note],
    name: str = SATB[0],
    *,
    time_signatures: TimeSignatures = COMMON_TIME,
    pickup_ticks: int = 0,
    key: Key | None = None,
    tempo_bpm: float | None = None,
    title: str = "",
    source: str = "",
) -> Score:
    """A score of one voice; the settings are those of `Score`."""
    voices = (Voice(name, tuple(notes)),)
    return Score(voices, time_signatures, pickup_ticks, key, tempo_bpm, title, source)


def transposed_key(key: Key, semitones: int) -> Key:
    """The key moved by semitones, with the fewest accidentals (at most six; a tie goes to flats).

    >>> transposed_key(Key(0, "major"), 2), transposed_key(Key(0, "major"), 6)
    (Key(sharps=2, mode='major'), Key(sharps=-6, mode='major'))
    """
    sharps = (key.sharps + 7 * semitones + 6) % 12 - 6 if semitones % 12 else key.sharps
    return replace(key, sharps=sharps)


def _transposed_voice(voice: Voice, semitones: int, score: Score) -> Voice:
    """The voice with every pitch moved; an error names the largest move that `score` allows."""
    for index, note in enumerate(voice.notes):
        if not 0 <= note.pitch + semitones <= 127:
            pitches = [note.pitch for voice in score.voices for note in voice.notes]
            limit = 127 - max(pitches) if semitones > 0 else -min(pitches)
            raise ValueError(
                f"pitch must be a MIDI number in 0..127, got {note.pitch + semitones} "
                f"(voice {voice.name!r}, note {index}, transposed by {semitones:+d}); "
                f"{limit:+d} is the most this score allows"
            )
    return replace(
        voice, notes=tuple(replace(note, pitch=note.pitch + semitones) for note in voice.notes)
    )


def _sliced_voice(voice: Voice, start: int, end: int) -> Voice:
    notes = (
        replace(
            note,
            onset_ticks=note.onset_ticks - start,
            duration_ticks=min(note.end_ticks, end) - note.onset_ticks,
        )
        for note in voice.notes
        if start <= note.onset_ticks < end
    )
    return replace(voice, notes=tuple(notes))
