"""The chorales' own test of harmonization: what a model makes of held-out sopranos, beside Bach and beside what only counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from seqmusic.baselines.ngram import NGram
from seqmusic.benchmarks.lookahead import (
    harmonize_with_lookahead,
    harmonize_with_ngram,
    harmonize_without_lookahead,
    mean_cell_accuracy,
    nats_in_order,
    voice_nats,
)
from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CorpusError
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.prompts import harmonization_prompt
from seqmusic.generation.request import Request
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.style import style_estimates
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import DEFAULT_MAX_VOICES, load_model
from seqmusic.score import SATB, Score
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import normalized

LOWER_VOICES = SATB[1:]
REQUESTS = {
    "--lenience 1": Request(lenience=1.0),
    "default": Request(),
    "--strict": Request(strict=True),
}
STYLE_MEASURES = (
    *("parallel fifths", "parallel octaves", "voice crossings"),
    *("upper voices beyond an octave", "held cells", "endings on the tonic"),
)


def benchmark_harmony(
    folder: Path,
    *,
    split: str = "test",
    n: int = 256,
    works: int | None = None,
    show: Callable[[str], None] = print,
) -> dict[str, object]:
    """Harmonize the sopranos of held-out chorales and measure what comes of it; everything by name.

    Args:
        folder: a trained model, or the name of one that comes with seqmusic; it should not know the works of the split.
        split: "test" or "valid", of the split of the chorales.
        n: how many harmonizations are measured for their style, as often with --strict.
        works: only so many of the works, the first ones; None for all.
        show: takes lines for people.

    Raises:
        CheckpointError: there is no such model.
        CorpusError: the split has no works in four voices.
    """
    model, dataset = load_model(folder), load_chorales()
    scores = held_out_chorales(dataset, split)[:works]
    if not scores:
        raise CorpusError(f"the {split} part holds no works in four voices to harmonize")
    ngram = NGram(
        trace_batch(note_columns([work.score for work in dataset.works_in("train")]), None, DEFAULT_MAX_VOICES)
    )
    report = {"split": split, "works": len(scores)}
    return (
        report
        | _nats(model, scores, show)
        | _cell_accuracies(model, ngram, scores, show)
        | _style(model, scores, n, show)
    )


def held_out_chorales(dataset: Dataset, split: str) -> list[Score]:
    """The four-part works of a split whose sopranos sound to the end."""
    scores = [normalized(work.score) for work in dataset.works_in(split)]
    whole = [score for score in scores if tuple(voice.name for voice in score.voices) == SATB]
    return [score for score in whole if score.voices[0].end_ticks == score.end_ticks]


def _nats(
    model: Transformer, scores: Sequence[Score], show: Callable[[str], None]
) -> dict[str, object]:
    past, ahead = (
        voice_nats(model, scores, LOWER_VOICES),
        voice_nats(model, scores, LOWER_VOICES, SATB[:1]),
    )
    gain, (low, high) = (
        1 - sum(ahead.nats) / sum(past.nats),
        bootstrap_interval(ahead.nats, past.nats),
    )
    show("nats a cell of alto, tenor and bass")
    show(f"  the soprano's past known    {past.per_cell:.4f}")
    show(
        f"  the whole soprano known     {ahead.per_cell:.4f}, {gain:.1%} less [{1 - high:.1%}..{1 - low:.1%}]"
    )
    chance = np.random.default_rng(0)
    orders = {
        "soprano first": [SATB] * len(scores),
        "bass first": [SATB[::-1]] * len(scores),
        "any order": [tuple(chance.permutation(SATB).tolist()) for _ in scores],
    }
    by_order = {
        name: nats_in_order(model, scores, order).per_cell for name, order in orders.items()
    }
    by_order["together"] = voice_nats(model, scores, SATB).per_cell
    show("nats a cell of all four voices, one after the other, and note by note together")
    for name, nats in by_order.items():
        show(f"  {name:<26}  {nats:.4f}")
    lower = {
        "past": past.per_cell,
        "ahead": ahead.per_cell,
        "gain": gain,
        "interval": [1 - high, 1 - low],
    }
    return {"lower_voices": lower, "orders": by_order}


def _cell_accuracies(
    model: Transformer, ngram: NGram, scores: Sequence[Score], show: Callable[[str], None]
) -> dict[str, object]:
    ways: dict[str, Callable[..., list[Score]]] = {
        "with look-ahead": partial(harmonize_with_lookahead, model),
        "without look-ahead": partial(harmonize_without_lookahead, model),
        "n-gram": partial(harmonize_with_ngram, ngram),
    }
    show("cells of alto, tenor and bass as Bach has them     drawn at 1   the likeliest")
    found: dict[str, object] = {}
    with tqdm(total=2 * len(ways) * len(scores), desc="harmonizing", unit="work") as bar:
        for name, way in ways.items():
            drawn, likeliest = (
                mean_cell_accuracy(
                    scores, partial(way, request=Request(n=1, temperature=temperature)), bar.update
                )
                for temperature in (1, 0)
            )
            found[name] = {"drawn": drawn, "likeliest": likeliest}
            tqdm.write(f"  {name:<46}  {drawn:>11.1%}  {likeliest:>14.1%}")
    return {"accuracy": found}


def _style(
    model: Transformer, scores: Sequence[Score], n: int, show: Callable[[str], None]
) -> dict[str, object]:
    """Style of `n` harmonizations by the model alone, as they are by default, and with --strict, beside the works themselves."""
    share, more = divmod(n, len(scores))
    chosen = [
        (score, share + (index < more))
        for index, score in enumerate(scores)
        if share + (index < more)
    ]
    made: dict[str, list[Score]] = {"Bach": list(scores)}
    with tqdm(total=len(REQUESTS) * n, desc="harmonizing", unit="piece") as bar:
        for name, request in REQUESTS.items():
            made[name] = []
            for score, times in chosen:
                candidates = compose_candidates(
                    model, harmonization_prompt(score, SATB[:1]), replace(request, n=times)
                )
                made[name] += [candidate.score for candidate in candidates]
                bar.update(times)
    tables = {
        name: {f.name: f for f in style_estimates(own) if f.name in STYLE_MEASURES}
        for name, own in made.items()
    }
    heads = [f"{name} ({len(own)})" for name, own in made.items()]
    show(f"{'':<44}{''.join(f'{head:>28}' for head in heads)}")
    for measure, figure in tables["Bach"].items():
        cells = [
            f"{own[measure].value:.2f} [{own[measure].low:.2f}..{own[measure].high:.2f}]"
            for own in tables.values()
        ]
        show(f"{f'{measure}, {figure.unit}':<44.44}{''.join(f'{cell:>28}' for cell in cells)}")
    return {
        "style": {
            name: {
                measure: {"value": own.value, "interval": [own.low, own.high]}
                for measure, own in table.items()
            }
            for name, table in tables.items()
        },
        "pieces": {name: len(own) for name, own in made.items()},
    }
