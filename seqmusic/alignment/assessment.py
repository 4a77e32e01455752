"""What a model composes on held-out beginnings with masks off, in figures with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqmusic.alignment.faults import RULES
from seqmusic.alignment.optimization import log_probabilities
from seqmusic.alignment.passages import MODEL_ALONE, Continued, continue_passage
from seqmusic.benchmarks.held_out_tasks import Chorale
from seqmusic.evaluation.estimates import Estimate, median_estimate
from seqmusic.evaluation.held_out import EncodedPieces, grammar_masks_for, score_held_out
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.originality import CopyIndex
from seqmusic.metrics.rates import Rate, pooled_rate
from seqmusic.metrics.style import hold_rate
from seqmusic.metrics.two_sample.judges import LINEAR, TREES, judge
from seqmusic.metrics.two_sample.windows import cut_windows
from seqmusic.model.decoding.decoder import prepare_for_decoding
from seqmusic.model.transformer import Transformer
from seqmusic.pitch_grid import pitch_grid
from seqmusic.progress import track
from seqmusic.score import TICKS_PER_QUARTER, Score

NATS, DIVERGENCE = "nats per cell", "divergence from the base"
TENDENCIES = "unresolved leading tones and sevenths"
NOTES, HELD, DIVERSITY = "notes in a quarter", "held cells", "diversity"
LONGEST_COPY = "longest copy"
UNITS: Mapping[str, str] = {
    NATS: "nats",
    **{rule.name: "% of opportunities" for rule in RULES},
    TENDENCIES: "% of opportunities",
    NOTES: "notes",
    HELD: "% of cells",
    DIVERSITY: "% of cells",
    LONGEST_COPY: "notes",
    LINEAR: "AUC",
    TREES: "AUC",
    DIVERGENCE: "nats per event",
}
"""The figures of an assessment, and their units."""
Figures = dict[str, Estimate]
_TENDENCY_RULES = ("unresolved leading tones", "unresolved sevenths")


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What every model of an alignment is assessed on.

    Attributes:
        chorales: whose beginnings are continued.
        pieces: whose likelihood is measured.
        index: the training works, to look for copies.
        n: continuations of each beginning, 2 or more.
        seed: of the continuations.
    """

    chorales: Sequence[Chorale]
    pieces: EncodedPieces
    index: CopyIndex
    n: int = 2
    seed: int = 0

    @property
    def written(self) -> list[Score]:
        """What Bach wrote after the beginnings."""
        return [chorale.opening.continuation(chorale.opening.work) for chorale in self.chorales]


def assess_model(model: Transformer, base: Transformer, held_out: HeldOut) -> Figures:
    """All UNITS of what a model composes, and its likelihood of held-out works.

    Args:
        model: on the processor.
        base: the model before its alignment.
        held_out: what to continue.
    """
    ready = prepare_for_decoding(model)
    request = replace(MODEL_ALONE, n=held_out.n)
    groups = [
        continue_passage(ready, chorale.opening, replace(request, seed=held_out.seed + number))
        for number, chorale in enumerate(track(held_out.chorales, "assessing", "passage"))
    ]
    likelihood = score_held_out(model, held_out.pieces)
    nats = Estimate(likelihood.nats_per_cell, *likelihood.interval())
    passages = [found.passage for group in groups for found in group]
    return {
        NATS: nats,
        **passage_figures(passages, held_out.index),
        DIVERSITY: _diversity(groups),
        **_separations(groups, held_out),
        DIVERGENCE: _divergence(model, base, [found for group in groups for found in group]),
    }


def assess_written(held_out: HeldOut) -> Figures:
    """The same of what Bach wrote; what only a model has is left out."""
    return passage_figures(held_out.written, held_out.index)


def passage_figures(passages: Sequence[Score], index: CopyIndex) -> Figures:
    """The figures that passages have by themselves.

    Args:
        passages: what was composed or written.
        index: the training works.
    """
    copies = [index.longest(passage) for passage in passages]
    return {
        **{rule.name: _percentage(passages, rule.faults) for rule in RULES},
        TENDENCIES: _percentage(passages, tendency_faults),
        NOTES: _ratio([Rate(p.n_notes, p.end_ticks) for p in passages], TICKS_PER_QUARTER),
        HELD: _percentage(passages, hold_rate),
        LONGEST_COPY: median_estimate([copy.n_notes if copy else 0 for copy in copies]),
    }


def tendency_faults(score: Score) -> Rate:
    """Leading tones and sevenths that do not resolve, of all."""
    rates = [rule.faults(score) for rule in RULES if rule.name in _TENDENCY_RULES]
    return Rate(sum(rate.hits for rate in rates), sum(rate.opportunities for rate in rates))


def cell_difference(first: Score, second: Score) -> Rate:
    """Cells of the sixteenth grid in which two passages of the same voices differ.

    >>> from seqmusic.formats.theme import parse_theme
    >>> cell_difference(parse_theme("C4 D4"), parse_theme("C4 E4"))
    Rate(hits=4, opportunities=8)
    """
    a, b = pitch_grid(first), pitch_grid(second)
    n_steps = min(a.shape[1], b.shape[1])
    return Rate(int((a[:, :n_steps] != b[:, :n_steps]).sum()), a[:, :n_steps].size)


def _percentage(passages: Sequence[Score], rate: Callable[[Score], Rate]) -> Estimate:
    return _ratio([rate(passage) for passage in passages], 100)


def _ratio(rates: Sequence[Rate], scale: float) -> Estimate:
    found = pooled_rate("", "", rates, scale)
    return Estimate(found.value, found.low, found.high)


def _diversity(groups: Sequence[Sequence[Continued]]) -> Estimate:
    """Cells in which two candidates of the same beginning differ."""
    pairs = [pair for group in groups for pair in itertools.combinations(group, 2)]
    return _ratio([cell_difference(a.passage, b.passage) for a, b in pairs], 100)


def _separations(groups: Sequence[Sequence[Continued]], held_out: HeldOut) -> Figures:
    """How well each judge tells the candidates from Bach."""
    families = [chorale.family for chorale in held_out.chorales]
    composed = [
        (found.passage, family)
        for group, family in zip(groups, families, strict=True)
        for found in group
    ]
    first = cut_windows(held_out.written, families)
    second = cut_windows([score for score, _ in composed], [family for _, family in composed])
    found = judge(first, second)
    return {name: Estimate(s.auc, s.low, s.high) for name, s in found.items()}


def _divergence(model: Transformer, base: Transformer, composed: Sequence[Continued]) -> Estimate:
    """Log-probability under the model less that under the base, per composed event."""
    sequences, masks = [found.sequence for found in composed], grammar_masks_for(model)
    log_p, log_base = (log_probabilities(one, sequences, masks).numpy() for one in (model, base))
    ratios = (log_p - log_base).astype(np.float64).tolist()
    events = [int(sequence.is_scored.sum()) for sequence in sequences]
    return Estimate(sum(ratios) / max(1, sum(events)), *bootstrap_interval(ratios, events))
