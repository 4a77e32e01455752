"""The output layer: logits of the next sound and its duration, in part relative to the context.

A melody moves by intervals, and a note often ends where another ends. So besides plain logits there
are anchored ones: they are computed as offsets from an anchor (a pitch that sounds, the tonic, the
end of a note that sounds, the bar line) and added to the logits they point to. What is learned in
one key or at one position then holds in all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.model.operations import gelu, summed_windows
from seqmusic.model.settings import LONGEST_INTERVAL, LONGEST_LAG, Vocabulary


class AnchoredLogits(nn.Module):
    """Logits computed as offsets from anchors."""

    offsets: Tensor

    def __init__(self, width: int, n_anchors: int, lowest: int, highest: int, size: int) -> None:
        """For each anchor, offsets `lowest`..`highest`; outside 0..`size` - 1 they are dropped."""
        super().__init__()
        self.size, self.margin = size, max(-lowest, highest, size)
        self.project = nn.Linear(width, n_anchors * (highest - lowest + 1))
        offsets = torch.arange(lowest, highest + 1) + self.margin
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, hidden: Tensor, anchors: Tensor, is_present: Tensor) -> Tensor:
        """(N, size) logits.

        Args:
            hidden: (N, D) hidden states.
            anchors: (N, A) in -size..size.
            is_present: (N, A) whether there is such an anchor.
        """
        width = self.size + 2 * self.margin
        anchor, row = is_present.T.nonzero(as_tuple=True)
        starts = row * width + anchors[row, anchor] + self.offsets[0]
        if hidden.device.type == "cpu":  # two anchors in five are present
            outputs = self._projected(hidden.index_select(0, row), is_present.sum(0).tolist())
        else:
            outputs = self.project(hidden).view(*anchors.shape, len(self.offsets))[row, anchor]
        logits = summed_windows(outputs, starts, len(anchors) * width).view(len(anchors), width)
        return logits[:, self.margin : self.margin + self.size]

    def _projected(self, hidden: Tensor, n_each: list[int]) -> Tensor:
        """(M, offsets) outputs of each anchor for its rows of (M, D), sorted by anchor."""
        weights, biases = (
            parameter.view(len(n_each), len(self.offsets), *parameter.shape[1:])
            for parameter in self.project.parameters()
        )
        parts = zip(torch.split(hidden, n_each), weights, biases, strict=True)
        return torch.cat([F.linear(*part) for part in parts])


class OutputLayer(nn.Module):
    """From hidden states to logits of the next sound, and of its duration given that sound."""

    pitch_columns: Tensor
    voice_pitch: Tensor
    end_columns: Tensor
    end_shifts: Tensor
    tonics: Tensor  # (keys, groups of keys)

    def __init__(self, width: int, vocabulary: Vocabulary, *, is_relative: bool = True) -> None:
        """Without `is_relative` there are plain logits alone."""
        super().__init__()
        self.is_relative, self.vocabulary = is_relative, vocabulary
        n_sounds, n_durations = vocabulary.n_sounds, vocabulary.n_durations
        n_pitch_anchors = len(vocabulary.pitch_columns) + 1 + len(vocabulary.tonics)
        intervals, lags = (-LONGEST_INTERVAL, LONGEST_INTERVAL), (-LONGEST_LAG, LONGEST_LAG)
        self.sound = nn.Linear(width, n_sounds)
        if is_relative:
            self.interval = AnchoredLogits(width, n_pitch_anchors, *intervals, vocabulary.n_pitches)
        self.duration_in = nn.Linear(width, width)
        self.duration_sound = nn.Embedding(n_sounds, width)
        self.duration = nn.Linear(width, n_durations)
        if is_relative:
            self.lag = AnchoredLogits(width, len(vocabulary.end_columns), *lags, n_durations)
            self.place = AnchoredLogits(width, 1, 0, 2 * (n_durations - 1), n_durations)
        end_columns, end_shifts = zip(*vocabulary.end_columns, strict=True)
        for name, column in (
            ("pitch_columns", vocabulary.pitch_columns),
            ("voice_pitch", vocabulary.voice_pitch_column),
            ("end_columns", end_columns),
            ("end_shifts", end_shifts),
            ("tonics", tuple(zip(*vocabulary.tonics, strict=True))),
        ):
            self.register_buffer(name, torch.tensor(column), persistent=False)

    def sound_logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        """(N, V) logits of the next sound.

        Args:
            hidden: (N, D) hidden states.
            context: (N, C) where the next event goes.
        """
        vocabulary = self.vocabulary
        plain: Tensor = self.sound(hidden)
        if not self.is_relative:
            return plain
        codes = context[:, self.pitch_columns]
        voice_pitch = self.voice_pitch[context[:, vocabulary.voice_column]]
        voice_code = codes.gather(1, voice_pitch[:, None])
        pitches = torch.cat([codes, voice_code], dim=1) - vocabulary.pitch_shift
        if vocabulary.tonics:
            tonics = self.tonics[context[:, vocabulary.key_column]]
            pitches = torch.cat([pitches, tonics], dim=1)
        relative = self.interval(hidden, pitches, pitches >= 0)
        n_after = vocabulary.n_sounds - vocabulary.first_pitch - vocabulary.n_pitches
        return plain + F.pad(relative, (vocabulary.first_pitch, n_after))

    def duration_logits(self, hidden: Tensor, context: Tensor, sounds: Tensor) -> Tensor:
        """(N, 97) logits of the next duration, given also the (N,) next sounds."""
        inner = gelu(self.duration_in(hidden) + self.duration_sound(sounds))
        plain: Tensor = self.duration(inner)
        if not self.is_relative:
            return plain
        longest = self.vocabulary.n_durations - 1
        ends = context[:, self.end_columns] - self.end_shifts
        position = context[:, self.vocabulary.position_column, None] % longest
        always = torch.ones_like(position, dtype=torch.bool)
        relative: Tensor = self.lag(inner, ends, ends > 0) + self.place(inner, -position, always)
        return plain + relative
