"""The harmonization benchmark: a model harmonizes held-out sopranos, beside Bach and an n-gram."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from seqmusic.baselines.ngram import NGram
from seqmusic.benchmarks.harmonizing import (
    cell_accuracy,
    harmonize_with_lookahead,
    harmonize_with_ngram,
    harmonize_without_lookahead,
)
from seqmusic.benchmarks.lookahead import nats_in_order, voice_nats
from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CorpusError
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.prompts import harmonization_prompt
from seqmusic.generation.request import Request
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.rates import RateEstimate
from seqmusic.metrics.style import style_estimates
from seqmusic.model.transformer import Transformer
from seqmusic.progress import progress_bar
from seqmusic.runs.pretrained import load_model, readable_score
from seqmusic.score import SATB, Score
from seqmusic.tokens.tokenizer import normalized

LOWER_VOICES = SATB[1:]
REQUESTS = {
    "--effort 0 --lenience 1": Request(effort=0, lenience=1.0),
    "--effort 0": Request(effort=0),
    "--effort 0 --strict": Request(effort=0, strict=True),
    "default": Request(),
}
STYLE_MEASURES = (
    *("parallel fifths", "parallel octaves", "voice crossings"),
    *("upper voices beyond an octave", "held cells", "endings on the tonic"),
)
logger = logging.getLogger(__name__)


def benchmark_harmony(
    folder: Path, *, split: str = "test", n: int = 256, works: int | None = None
) -> dict[str, object]:
    """The figures of a model that harmonizes the sopranos of held-out chorales, by name.

    Args:
        folder: a trained model, or the name of one that comes with seqmusic; it should not have
            been trained on works of the split.
        split: "test" or "valid", of the split of the chorales.
        n: number of harmonizations for each request whose style is measured.
        works: number of works, the first ones; None for all.

    Raises:
        CheckpointError: there is no such model.
        CorpusError: the split has no works in four voices.
    """
    model, dataset = load_model(folder), load_chorales()
    works_in_split = held_out_chorales(dataset, split)[:works]
    scores = [readable_score(model.vocabulary, score) for score in works_in_split]
    if not scores:
        raise CorpusError(f"the {split} part holds no works in four voices to harmonize")
    ngram = NGram(encode_pieces([work.score for work in dataset.works_in("train")]).traces)
    return {
        "split": split,
        "works": len(scores),
        "lower_voices": _lookahead_gain(model, scores),
        "orders": _nats_by_order(model, scores),
        "accuracy": _cell_accuracies(model, ngram, scores),
        **_style(model, scores, n),
    }


def held_out_chorales(dataset: Dataset, split: str) -> list[Score]:
    """The four-part works of a split whose sopranos sound to the end."""
    scores = [normalized(work.score) for work in dataset.works_in(split)]
    whole = [score for score in scores if tuple(voice.name for voice in score.voices) == SATB]
    return [score for score in whole if score.voices[0].end_ticks == score.end_ticks]


def _lookahead_gain(model: Transformer, scores: Sequence[Score]) -> dict[str, object]:
    """Nats per cell of the lower voices with the past and with the whole of the soprano known."""
    past = voice_nats(model, scores, LOWER_VOICES)
    ahead = voice_nats(model, scores, LOWER_VOICES, given=SATB[:1])
    gain = 1 - sum(ahead.nats) / sum(past.nats)
    low, high = bootstrap_interval(ahead.nats, past.nats)
    logger.info("nats per cell of alto, tenor and bass")
    logger.info(f"  the soprano's past known    {past.per_cell:.4f}")
    logger.info(
        f"  the whole soprano known     {ahead.per_cell:.4f}, {gain:.1%} less "
        f"[{1 - high:.1%}..{1 - low:.1%}]"
    )
    interval = [1 - high, 1 - low]
    return {"past": past.per_cell, "ahead": ahead.per_cell, "gain": gain, "interval": interval}


def _nats_by_order(model: Transformer, scores: Sequence[Score]) -> dict[str, float]:
    """Nats per cell of all voices, by the order in which they are composed."""
    rng = np.random.default_rng(0)
    orders = {
        "soprano first": [SATB] * len(scores),
        "bass first": [SATB[::-1]] * len(scores),
        "any order": [tuple(rng.permutation(SATB).tolist()) for _ in scores],
    }
    by_order = {
        name: nats_in_order(model, scores, order).per_cell for name, order in orders.items()
    }
    by_order["together"] = voice_nats(model, scores, SATB).per_cell
    logger.info("nats per cell of all four voices, one after the other, and note by note together")
    for name, nats in by_order.items():
        logger.info(f"  {name:<26}  {nats:.4f}")
    return by_order


def _cell_accuracies(
    model: Transformer, ngram: NGram, scores: Sequence[Score]
) -> dict[str, dict[str, float]]:
    """How many cells of the lower voices agree with Bach, by how they are composed."""
    harmonizers: dict[str, Callable[..., list[Score]]] = {
        "with look-ahead": partial(harmonize_with_lookahead, model),
        "without look-ahead": partial(harmonize_without_lookahead, model),
        "n-gram": partial(harmonize_with_ngram, ngram),
    }
    requests = {
        "drawn": Request(n=1, temperature=1),
        "likeliest": Request(n=1, temperature=0),
    }
    logger.info("cells of alto, tenor and bass as Bach has them     drawn at 1   the likeliest")
    accuracies: dict[str, dict[str, float]] = {name: {} for name in harmonizers}
    total = len(harmonizers) * len(requests) * len(scores)
    with progress_bar(total, "harmonizing", "work") as bar:
        for name, harmonize in harmonizers.items():
            for kind, request in requests.items():
                pairs = []
                for score in scores:
                    pairs += [(result, score) for result in harmonize(score, request)]
                    bar.update()
                accuracies[name][kind] = cell_accuracy(pairs)
            drawn, likeliest = accuracies[name].values()
            logger.info(f"  {name:<46}  {drawn:>11.1%}  {likeliest:>14.1%}")
    return accuracies


def _style(model: Transformer, scores: Sequence[Score], n: int) -> dict[str, object]:
    """The style of `n` harmonizations for each of REQUESTS, beside that of the works themselves."""
    pieces = {"Bach": list(scores)}
    with progress_bar(len(REQUESTS) * n, "harmonizing", "piece") as bar:
        for name, request in REQUESTS.items():
            pieces[name] = []
            for index, score in enumerate(scores):
                n_each = n // len(scores) + (index < n % len(scores))
                if n_each:
                    prompt = harmonization_prompt(score, SATB[:1])
                    candidates = compose_candidates(model, prompt, replace(request, n=n_each))
                    pieces[name] += [candidate.score for candidate in candidates]
                    bar.update(n_each)
    estimates = {
        name: [e for e in style_estimates(found) if e.name in STYLE_MEASURES]
        for name, found in pieces.items()
    }
    n_pieces = {name: len(found) for name, found in pieces.items()}
    _log_style(estimates, n_pieces)
    style = {
        name: {e.name: {"value": e.value, "interval": [e.low, e.high]} for e in found}
        for name, found in estimates.items()
    }
    return {"style": style, "pieces": n_pieces}


def _log_style(
    estimates: Mapping[str, Sequence[RateEstimate]], n_pieces: Mapping[str, int]
) -> None:
    headings = [f"{name} ({n})" for name, n in n_pieces.items()]
    logger.info(f"{'':<44}{''.join(f'{heading:>28}' for heading in headings)}")
    for row in zip(*estimates.values(), strict=True):
        measure = f"{row[0].name}, {row[0].unit}"
        cells = [f"{e.value:.2f} [{e.low:.2f}..{e.high:.2f}]" for e in row]
        logger.info(f"{measure:<44.44}{''.join(f'{cell:>28}' for cell in cells)}")
