"""The size of a transformer, and what the tokens impose on it; needs neither torch nor music."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_INTERVAL = 24  # semitones from an anchor
LONGEST_LAG = 48  # ticks from an anchor
ROTARY_BASE = 512.0  # over which the rotary frequencies of a head are spread
TICKS_PER_ROTARY_UNIT = 6.0  # a sixteenth
NORMALIZATIONS = ("layer", "rms", "none")
NORM_EPSILON = 1e-5


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Size and regularization of the transformer."""

    width: int = 128  # embedding size, a multiple of 4 x heads
    layers: int = 4  # blocks, 1 or more
    heads: int = 4  # attention heads
    context_length: int = 1024  # longest sequence in events
    feedforward: int = 4  # width of the feed-forward layer, in widths
    dropout: float = 0.2  # probability, 0..1
    input_dropout: float = 0.0  # probability to hide an event or a context column, 0..1
    normalization: str = "layer"  # before attention, feed-forward and output: layer, rms or none
    relative_output: bool = (
        True  # logits relative to pitches and ends that sound, besides plain ones
    )


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Sizes that the tokens impose on a model, and the context columns that its output layer reads.

    Attributes:
        n_sounds, n_durations: values of the two ids of an event.
        max_voices: voices that the context has columns for.
        has_numbered_voices: whether the model has learned Voice 1, Voice 2 ..., not Soprano,
            Alto, Tenor and Bass.
        context_sizes: values of each of the C context columns.
        first_pitch, n_pitches: the sound ids that are pitches.
        pitch_columns: columns in which v >= `pitch_shift` stands for pitch v - `pitch_shift`.
        pitch_shift: see there.
        voice_column: column of the next voice.
        voice_pitch_column: for each of its values, which of `pitch_columns` holds the last pitch of
            that voice.
        end_columns: columns that say in how many ticks something ends or begins, each with the
            number to subtract; 0 stands for nothing.
        position_column: column of the position in the bar, in ticks.
    """

    n_sounds: int
    n_durations: int
    max_voices: int
    context_sizes: tuple[int, ...]
    first_pitch: int
    n_pitches: int
    pitch_columns: tuple[int, ...]
    pitch_shift: int
    voice_column: int
    voice_pitch_column: tuple[int, ...]
    end_columns: tuple[tuple[int, int], ...]
    position_column: int
    has_numbered_voices: bool = False
