"""What a transformer is made to: its size, and the vocabulary that the tokens impose. Needs neither torch nor music."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_INTERVAL = 24  # semitones from an anchor
LONGEST_LAG = 48  # ticks from an anchor
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
    input_dropout: float = (
        0.0  # probability that an event, and each column beside it, is hidden in training, 0..1
    )
    normalization: str = (
        "layer"  # of what attention, feed-forward and output layer are given: layer, rms or none
    )
    relative_output: bool = (
        True  # whether the output layer also says pitches as intervals and durations as lags
    )


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Sizes that the tokens impose on a model, and which context columns its output layer refers to.

    Attributes:
        n_sounds, n_durations: values of the two ids of an event.
        max_voices: voices that the context has columns for.
        has_numbered_voices: whether the voices that were learned are Voice 1, Voice 2 ..., not Soprano, Alto, Tenor and Bass.
        context_sizes: values of each of the C context columns.
        first_pitch, n_pitches: the sound ids that are pitches.
        pitch_columns: columns whose value v, from `pitch_shift` on, stands for pitch v - `pitch_shift`.
        pitch_shift: see there.
        voice_column: column of the next voice.
        voice_pitch_column: for each of its values, which of `pitch_columns` holds the voice's own last pitch.
        end_columns: columns that tell in how many ticks something ends or begins, each with what is to be taken off; 0 is nothing.
        position_column: column of the place in the bar, in ticks.
        key_column: column of the key.
        tonics: for each kind of key, the MIDI number of the tonic of each value of `key_column`, -1 where the key is not of the kind.
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
    key_column: int = 0
    tonics: tuple[tuple[int, ...], ...] = ()
    has_numbered_voices: bool = False
