"""How surprising each note of a score is to a model: plain values that the pages show."""

from __future__ import annotations

from dataclasses import dataclass

from seqmusic.score import TICKS_PER_QUARTER
from seqmusic.tonality import spell

_N_SHOWN = 8
_COLUMNS = ("voice", "quarter", "note", "bits", "likeliest there")


@dataclass(frozen=True, slots=True)
class Alternative:
    """A note or rest that could stand at an event's onset, or the one that is written there.

    Attributes:
        sound: a pitch as written in the key ("Bb4"), "rest", or what else the grammar allows there.
        duration_ticks: its length, 96 at most; 0 where it has none.
        probability: of sound and duration together, 0..1.
        is_written: whether the score has it there.
    """

    sound: str
    duration_ticks: int
    probability: float
    is_written: bool


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """A note or a rest, and how surprising it is; tied parts are one note, with the sum of bits.

    Attributes:
        voice: its index in the score, 0 the highest.
        onset_ticks: from the beginning of the score.
        duration_ticks: its whole length.
        pitch: MIDI number; None for a rest.
        is_given: whether it was there before anything was composed; it then has no surprise and no
            alternatives.
        sound_bits: surprise of the sound: -log2 of its probability.
        duration_bits: surprise of the duration, given the sound.
        alternatives: the five likeliest at its onset, the likeliest first; fewer where the grammar
            allows fewer.
    """

    voice: int
    onset_ticks: int
    duration_ticks: int
    pitch: int | None
    is_given: bool = False
    sound_bits: float = 0.0
    duration_bits: float = 0.0
    alternatives: tuple[Alternative, ...] = ()

    @property
    def bits(self) -> float:
        """Surprise of sound and duration together."""
        return self.sound_bits + self.duration_bits


@dataclass(frozen=True, slots=True)
class Explanation:
    """All notes of a score, and its composed rests.

    Attributes:
        events: by onset, and from high to low.
        other_bits: surprise of what is composed beside notes and rests: the end of the piece, and
            changes of meter.
    """

    events: tuple[ExplainedEvent, ...]
    other_bits: float = 0.0

    @property
    def composed(self) -> tuple[ExplainedEvent, ...]:
        """The events that were not given."""
        return tuple(event for event in self.events if not event.is_given)

    @property
    def bits(self) -> float:
        """Surprise of all that was composed: -log2 of its probability.

        Given are the other events and the header (voices, meter, pickup, key).
        """
        return sum(event.bits for event in self.events) + self.other_bits

    @property
    def bits_per_note(self) -> float:
        """Mean over composed notes and rests; 0 where there are none."""
        composed = self.composed
        return sum(event.bits for event in composed) / max(1, len(composed))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows: the figures, and the most surprising notes as a table."""
        mean = f"{self.bits_per_note:.2f} bits per note, {len(self.composed)} notes and rests"
        return {"text/plain": mean, "text/html": self._table(mean)}

    def _table(self, caption: str) -> str:
        events = sorted(self.composed, key=lambda event: -event.bits)[:_N_SHOWN]
        rows = "".join(f"<tr>{_table_cells(event)}</tr>" for event in events)
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        return f"<table><caption>{caption}</caption><tr>{head}</tr>{rows}</table>"


def _table_cells(event: ExplainedEvent) -> str:
    sound = "rest" if event.pitch is None else str(spell(event.pitch, None))
    first = event.alternatives[0] if event.alternatives else None
    instead = f"{first.sound}, {first.probability:.0%}" if first else ""
    quarter = 1 + event.onset_ticks / TICKS_PER_QUARTER
    cells = (event.voice + 1, f"{quarter:g}", sound, f"{event.bits:.1f}", instead)
    return "".join(f"<td>{cell}</td>" for cell in cells)
