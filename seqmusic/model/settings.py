"""The size of a transformer, and what the tokens impose on it; needs neither torch nor music."""

from __future__ import annotations

from dataclasses import dataclass

from seqmusic.setting_checks import (
    SettingError,
    check_at_least,
    check_below_one,
    check_choice,
    check_types,
)

LONGEST_INTERVAL = 24  # semitones from an anchor
LONGEST_LAG = 48  # ticks from an anchor
ROTARY_BASE = 512.0  # over which the rotary frequencies of a head are spread
TICKS_PER_ROTARY_UNIT = 6.0  # a sixteenth
NORMALIZATIONS = ("layer", "rms", "none")
NORM_EPSILON = 1e-5


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Size and regularization of the transformer.

    Raises:
        SettingError: a value is of another type, or outside its range.
    """

    width: int = 128  # embedding size, a multiple of 4 x heads
    layers: int = 4  # blocks, 1 or more
    heads: int = 4  # attention heads, 1 or more
    context_length: int = 1024  # longest sequence in events, 16 or more
    feedforward: int = 4  # width of the feed-forward layer in widths, 1 or more
    dropout: float = 0.2  # probability, 0 or more and below 1
    input_dropout: float = 0.0  # of each event and context column in training; same range
    normalization: str = (
        "layer"  # before attention, feed-forward and output layer: layer, rms, none
    )
    relative_output: bool = True  # also score pitches as intervals, and durations as lags

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least(self, 1, "width", "layers", "heads", "feedforward")
        check_at_least(self, 16, "context_length")
        check_below_one(self, "dropout", "input_dropout")
        check_choice(self, "normalization", NORMALIZATIONS)
        if self.width % (step := 4 * self.heads):
            hint = f"; {max(1, round(self.width / step)) * step} is the nearest"
            rule = f"a multiple of 4 x heads ({step})"
            raise SettingError("width", rule, self.width, hint)


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Sizes that the tokens impose on a model, and the context columns that its output layer reads.

    Attributes:
        n_sounds, n_durations: values of the two ids of an event.
        max_voices: voices that the context has columns for.
        has_numbered_voices: whether the model has learned Voice 1, Voice 2 ..., not Soprano,
            Alto, Tenor and Bass.
        marks_phrases: whether the model has learned to end phrases with fermatas.
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
        key_column: column of the key.
        tonics: pitch of the tonic of each value of `key_column`, -1 for none; one tuple for each
            group of keys that shares what it learns.
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
    marks_phrases: bool = False
