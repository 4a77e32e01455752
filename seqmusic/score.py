"""Score, voice and note: frozen values, and the pure operations on them.

Time is a whole number of ticks, 24 to a quarter note; pitch is the MIDI number, 60 = C4. A voice is one line, whose notes never
overlap; a gap is a rest. A score compares by what sounds and how it is notated, not by its title or its source.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

TICKS_PER_QUARTER = 24
TICKS_PER_SIXTEENTH = TICKS_PER_QUARTER // 4
TICKS_PER_WHOLE = TICKS_PER_QUARTER * 4
SATB = ("Soprano", "Alto", "Tenor", "Bass")


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
                f"duration_ticks must be 1 or more, got {self.duration_ticks} (onset {self.onset_ticks})"
            )
        if not 0 <= self.pitch <= 127:
            raise ValueError(
                f"pitch must be a MIDI number in 0..127, got {self.pitch} (onset {self.onset_ticks})"
            )

    @property
    def end_ticks(self) -> int:
        """First tick after the note."""
        return self.onset_ticks + self.duration_ticks


@dataclass(frozen=True, slots=True)
class Voice:
    """One line: notes in order of time that never overlap; a gap is a rest.

    >>> Voice("Soprano", (Note(0, 24, 60), Note(12, 24, 62)))
    Traceback (most recent call last):
    ...
    ValueError: notes of a voice must not overlap: 'Soprano' note 1 starts at tick 12, before the one before it ends at 24
    """

    name: str
    notes: tuple[Note, ...]

    def __post_init__(self) -> None:
        for index, (before, after) in enumerate(itertools.pairwise(self.notes), start=1):
            if after.onset_ticks < before.end_ticks:
                raise ValueError(
                    f"notes of a voice must not overlap: {self.name!r} note {index} starts at tick {after.onset_ticks}, "
                    f"before the one before it ends at {before.end_ticks}"
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
class TimeSignature:
    """A time signature such as 3/4: numerator 1..64 over a power of two up to 64.

    >>> TimeSignature(6, 8).bar_ticks
    72
    """

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= 64 or self.denominator not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"time signature must be 1..64 over 1, 2, 4, 8, 16 or 32, got {self}")

    @property
    def bar_ticks(self) -> int:
        """Length of a bar."""
        return self.numerator * TICKS_PER_WHOLE // self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    @classmethod
    def parse(cls, text: str) -> TimeSignature:
        """Read ``"3/4"``.

        Raises:
            ValueError: the text is not a time signature.
        """
        numerator, slash, denominator = text.strip().partition("/")
        if not (
            slash
            and numerator.isascii()
            and numerator.isdigit()
            and denominator.isascii()
            and denominator.isdigit()
        ):
            raise ValueError(f"a time signature is written like 3/4, got {text!r}")
        return cls(int(numerator), int(denominator))


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
class Bar:
    """One bar of a score, numbered as on the printed page: a pickup is bar 0, the first full bar is 1."""

    number: int
    onset_ticks: int
    duration_ticks: int
    time_signature: TimeSignature

    @property
    def end_ticks(self) -> int:
        """First tick after the bar."""
        return self.onset_ticks + self.duration_ticks


@dataclass(frozen=True, slots=True)
class Score:
    """Voices from high to low, with what is needed to write them down.

    Attributes:
        voices: from high to low, soprano first.
        time_signatures: (tick, time signature) pairs, the first at tick 0, ticks rising; a change that falls inside a bar cuts
            that bar short. Empty where no meter is known.
        pickup_ticks: length of the incomplete bar before bar 1; 0 for none.
        key: key signature, None where unknown.
        tempo_bpm: quarter notes a minute, None where unknown.
        title: not compared.
        source: where the music came from, for instance a file, a work, or the settings it was made with; not compared.
    """

    voices: tuple[Voice, ...]
    time_signatures: tuple[tuple[int, TimeSignature], ...] = ((0, TimeSignature(4, 4)),)
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
                f"a change of time signature at tick {ticks[1]} falls inside the pickup ({self.pickup_ticks} ticks)"
            )

    @property
    def end_ticks(self) -> int:
        """First tick after the last note of any voice."""
        return max((voice.end_ticks for voice in self.voices), default=0)

    @property
    def n_notes(self) -> int:
        """Notes in all voices."""
        return sum(len(voice.notes) for voice in self.voices)

    def bars(self, end_ticks: int | None = None) -> list[Bar]:
        """Bars from the start until every tick before `end_ticks` (default: the end of the music) is covered."""
        if not self.time_signatures:
            return []
        return list(
            _iterate_bars(
                self.time_signatures,
                self.pickup_ticks,
                self.end_ticks if end_ticks is None else end_ticks,
            )
        )

    def transposed(self, semitones: int) -> Score:
        """The score with every pitch moved, and the key signature moved with it.

        Raises:
            ValueError: a pitch would leave 0..127.
        """
        voices = tuple(
            replace(
                voice,
                notes=tuple(
                    _transposed_note(note, semitones, voice.name, i, self)
                    for i, note in enumerate(voice.notes)
                ),
            )
            for voice in self.voices
        )
        return replace(self, voices=voices, key=self.key and transposed_key(self.key, semitones))

    def sliced(self, start_ticks: int, end_ticks: int) -> Score:
        """What starts in [start_ticks, end_ticks), cut at the end, with time counted from `start_ticks`.

        The pickup and the time signatures are kept so that the bar lines fall where they fell.
        """
        if not 0 <= start_ticks < end_ticks:
            raise ValueError(f"a slice needs 0 <= start < end, got {start_ticks} and {end_ticks}")
        voices = tuple(
            replace(
                voice,
                notes=tuple(
                    replace(
                        n,
                        onset_ticks=n.onset_ticks - start_ticks,
                        duration_ticks=min(n.end_ticks, end_ticks) - n.onset_ticks,
                    )
                    for n in voice.notes
                    if start_ticks <= n.onset_ticks < end_ticks
                ),
            )
            for voice in self.voices
        )
        pickup, signatures = _sliced_meter(self, start_ticks, end_ticks)
        return replace(self, voices=voices, time_signatures=signatures, pickup_ticks=pickup)

    def joined(self, other: Score) -> Score:
        """This score followed at its end by the notes of `other`, voice by voice.

        Raises:
            ValueError: the two have different numbers of voices.
        """
        shift = self.end_ticks
        voices = tuple(
            replace(
                a,
                notes=a.notes
                + tuple(replace(n, onset_ticks=n.onset_ticks + shift) for n in b.notes),
            )
            for a, b in zip(self.voices, other.voices, strict=True)
        )
        return replace(self, voices=voices)

    def __repr__(self) -> str:
        meter = str(self.time_signatures[0][1]) if self.time_signatures else "no meter"
        title = f"{self.title!r}, " if self.title else ""
        return f"<Score {title}{len(self.voices)} voices, {self.n_notes} notes, {meter}, {self.end_ticks} ticks>"

    def _repr_svg_(self) -> str | None:
        from seqmusic.formats.image import notebook_svg

        return notebook_svg(self)


def melody(notes: Iterable[Note], name: str = SATB[0], **settings: object) -> Score:
    """A score of one voice."""
    return Score((Voice(name, tuple(notes)),), **settings)  # type: ignore[arg-type]


def _iterate_bars(
    signatures: tuple[tuple[int, TimeSignature], ...], pickup_ticks: int, end_ticks: int
) -> Iterator[Bar]:
    onset, number = 0, 0 if pickup_ticks else 1
    current = 0
    while onset < end_ticks:
        while current + 1 < len(signatures) and signatures[current + 1][0] <= onset:
            current += 1
        signature = signatures[current][1]
        duration = pickup_ticks if number == 0 else signature.bar_ticks
        if current + 1 < len(signatures):
            duration = min(duration, signatures[current + 1][0] - onset)
        yield Bar(number, onset, duration, signature)
        onset, number = onset + duration, number + 1


def _sliced_meter(
    score: Score, start: int, end: int
) -> tuple[int, tuple[tuple[int, TimeSignature], ...]]:
    if not score.time_signatures:
        return 0, ()
    bar = next(b for b in score.bars(max(end, start + 1)) if b.onset_ticks <= start < b.end_ticks)
    pickup = 0 if start == bar.onset_ticks and bar.number else bar.end_ticks - start
    later = tuple(
        (tick - start, signature) for tick, signature in score.time_signatures if start < tick < end
    )
    return pickup, ((0, bar.time_signature), *later)


def _transposed_note(note: Note, semitones: int, voice: str, index: int, score: Score) -> Note:
    if 0 <= note.pitch + semitones <= 127:
        return replace(note, pitch=note.pitch + semitones)
    pitches = [n.pitch for v in score.voices for n in v.notes]
    limit = 127 - max(pitches) if semitones > 0 else -min(pitches)
    raise ValueError(
        f"pitch must be a MIDI number in 0..127, got {note.pitch + semitones} (voice {voice!r}, note {index}, transposed by "
        f"{semitones:+d}); {limit:+d} is the most this score allows"
    )


def transposed_key(key: Key, semitones: int) -> Key:
    """The key moved by semitones, with the fewest accidentals (at most six; a tie goes to flats)."""
    sharps = (key.sharps + 7 * semitones + 6) % 12 - 6 if semitones % 12 else key.sharps
    return replace(key, sharps=sharps)
