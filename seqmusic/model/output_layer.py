"""The output layer: logits of the next sound and of its duration, in part said relative to what is known.

A melody moves by intervals and a note often ends where another ends: so besides plain logits there are anchored ones. They are said
as offsets from an anchor (a pitch that sounds, the tonic, the end of a note that sounds, the bar line) and added where they point to. What is
learned in one key or at one place then holds in all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmusic.model.operations import gelu, summed_windows
from seqmusic.model.settings import LONGEST_INTERVAL, LONGEST_LAG, Vocabulary


class AnchoredLogits(nn.Module):
    """Logits that are said as offsets from anchors."""

    def __init__(self, width: int, n_anchors: int, lowest: int, highest: int, size: int) -> None:
        """For each of `n_anchors` anchors, offsets `lowest`..`highest`; what falls outside 0..`size` - 1 is dropped."""
        super().__init__()
        self.size, self.margin = size, max(-lowest, highest, size)
        self.project = nn.Linear(width, n_anchors * (highest - lowest + 1))
        self.register_buffer(
            "offsets", torch.arange(lowest, highest + 1) + self.margin, persistent=False
        )

    offsets: Tensor

    def forward(self, hidden: Tensor, anchors: Tensor, is_present: Tensor) -> Tensor:
        """(N, size) from (N, D) hidden states, (N, A) anchors in -size..size and (N, A) whether each is there."""
        width = self.size + 2 * self.margin
        anchor, row = is_present.T.nonzero(as_tuple=True)
        starts = row * width + anchors[row, anchor] + self.offsets[0]
        if hidden.device.type == "cpu":  # two anchors in five are there
            outputs = self._projected(hidden.index_select(0, row), is_present.sum(0).tolist())
        else:
            outputs = self.project(hidden).view(*anchors.shape, len(self.offsets))[row, anchor]
        logits = summed_windows(outputs, starts, len(anchors) * width).view(len(anchors), width)
        return logits[:, self.margin : self.margin + self.size]

    def _projected(self, hidden: Tensor, n_each: list[int]) -> Tensor:
        """(M, offsets) what each anchor says of its own rows, from (M, D) hidden states sorted by anchor."""
        weights, biases = (
            own.view(len(n_each), len(self.offsets), *own.shape[1:])
            for own in self.project.parameters()
        )
        parts = zip(torch.split(hidden, n_each), weights, biases, strict=True)
        return torch.cat([F.linear(*part) for part in parts])


class OutputLayer(nn.Module):
    """From hidden states to logits of the next sound, and of its duration given that sound; in part relative, or plain alone."""

    def __init__(self, width: int, vocabulary: Vocabulary, *, is_relative: bool = True) -> None:
        super().__init__()
        self.is_relative = is_relative
        self.vocabulary = vocabulary
        n_pitch_anchors = len(vocabulary.pitch_columns) + 1 + len(vocabulary.tonics)
        n_ends = len(vocabulary.end_columns)
        self.sound = nn.Linear(width, vocabulary.n_sounds)
        if is_relative:
            self.interval = AnchoredLogits(
                width, n_pitch_anchors, -LONGEST_INTERVAL, LONGEST_INTERVAL, vocabulary.n_pitches
            )
        self.duration_in = nn.Linear(width, width)
        self.duration_sound = nn.Embedding(vocabulary.n_sounds, width)
        self.duration = nn.Linear(width, vocabulary.n_durations)
        if is_relative:
            self.lag = AnchoredLogits(
                width, n_ends, -LONGEST_LAG, LONGEST_LAG, vocabulary.n_durations
            )
            self.place = AnchoredLogits(
                width, 1, 0, 2 * (vocabulary.n_durations - 1), vocabulary.n_durations
            )
        self.register_buffer(
            "pitch_columns", torch.tensor(vocabulary.pitch_columns), persistent=False
        )
        self.register_buffer(
            "voice_pitch", torch.tensor(vocabulary.voice_pitch_column), persistent=False
        )
        self.register_buffer(
            "end_columns",
            torch.tensor([column for column, _ in vocabulary.end_columns]),
            persistent=False,
        )
        self.register_buffer(
            "end_shifts",
            torch.tensor([shift for _, shift in vocabulary.end_columns]),
            persistent=False,
        )

        n_keys = vocabulary.context_sizes[vocabulary.key_column]
        tonics = torch.tensor(vocabulary.tonics, dtype=torch.long).view(-1, n_keys)
        self.register_buffer("tonics", tonics.T.contiguous(), persistent=False)

    tonics: Tensor  # (keys, kinds of keys)
    pitch_columns: Tensor
    voice_pitch: Tensor
    end_columns: Tensor
    end_shifts: Tensor

    def sound_logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        """(N, V) logits of the next sound, from (N, D) hidden states and the (N, C) context of the same places."""
        vocabulary = self.vocabulary
        plain: Tensor = self.sound(hidden)
        if not self.is_relative:
            return plain
        heard = context[:, self.pitch_columns]
        own = heard.gather(1, self.voice_pitch[context[:, vocabulary.voice_column]][:, None])
        pitches = torch.cat([heard, own], dim=1) - vocabulary.pitch_shift
        pitches = torch.cat([pitches, self.tonics[context[:, vocabulary.key_column]]], dim=1)
        relative = self.interval(hidden, pitches, pitches >= 0)
        padding = (vocabulary.first_pitch, vocabulary.n_sounds - vocabulary.first_pitch - vocabulary.n_pitches)
        return plain + F.pad(relative, padding)

    def duration_logits(self, hidden: Tensor, context: Tensor, sounds: Tensor) -> Tensor:
        """(N, 97) logits of the next duration, given also the (N,) next sounds."""
        inner = gelu(self.duration_in(hidden) + self.duration_sound(sounds))
        plain: Tensor = self.duration(inner)
        if not self.is_relative:
            return plain
        ends = context[:, self.end_columns] - self.end_shifts
        position = context[:, self.vocabulary.position_column, None] % (
            self.vocabulary.n_durations - 1
        )
        always = torch.ones_like(position, dtype=torch.bool)
        relative: Tensor = self.lag(inner, ends, ends > 0) + self.place(inner, -position, always)
        return plain + relative
