"""The usual chorale benchmark: the likelihood of held-out pieces, beside that of baselines.

The unit is nats per cell, a cell being one voice in one sixteenth step: all cells of whole pieces,
rests and first steps included; time signature, pickup and key in the header and the end are
charged. The key is inferred from the whole piece; because it is charged, the figure stays an upper
bound. The file does not distinguish held notes from repeated ones: equal neighbors are one note.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqmusic.baselines.mixture import mixture_scores
from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.corpus.similarity.fingerprints import fingerprints, known_pieces, read_fingerprints
from seqmusic.errors import CorpusError
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, grammar_masks_for
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.likelihood import EventScores, score_events, total_likelihood
from seqmusic.metrics.moving_steps import moving_step_nats
from seqmusic.model.transformer import n_parameters
from seqmusic.runs.pretrained import load_model, model_folder
from seqmusic.score import Score

SPLITS = ("valid", "test")
logger = logging.getLogger(__name__)


def benchmark_jsb(
    data: Path, models: Sequence[Path], *, allow_overlap: bool = False
) -> dict[str, object]:
    """The figures of models, alone and mixed with n-grams, and of baselines on held-out pieces.

    Args:
        data: a file like ``Jsb16thSeparated.json``.
        models: runs' folders, or names of models that come with seqmusic; several are averaged.
        allow_overlap: score a model on pieces that it was trained on too, and count these.

    Returns:
        By split: the figures of the mixture; under "alone" those of each model; under "rivals"
        those of persistence and the n-gram.

    Raises:
        FormatError: the file is not of this format.
        CheckpointError: there is no such model, or its training pieces are unknown.
        CorpusError: the model was trained on pieces of the split.
    """
    dataset = benchmark_dataset(data)
    folders = [model_folder(model) for model in models]
    trained = [load_model(folder) for folder in folders]
    known = _known_pieces(dataset, folders, allow_overlap)
    training = [work.score for work in dataset.works_in("train")]
    ngram = NGram(encode_pieces(training).traces)
    report: dict[str, object] = {}
    for folder, model in zip(folders, trained, strict=True):
        report[folder.name] = {"parameters": n_parameters(model)}
    for split in SPLITS:
        pieces = encode_pieces([work.score for work in dataset.works_in(split)])
        members = [score_events(m, pieces.traces, grammar_masks_for(m)) for m in trained]
        alone = [model_figures(scores, pieces) for scores in members]
        report[split] = figures = {
            **mixture_figures(members, pieces, ngram),
            "known_pieces": len(known[split]),
            "alone": {folder.name: row for folder, row in zip(folders, alone, strict=True)},
            "rivals": baseline_figures(training, pieces, ngram),
        }
        logger.info(_table_text(split, figures))
    return report


def model_figures(event_scores: Sequence[EventScores], pieces: EncodedPieces) -> dict[str, object]:
    """The figures of a model on a split."""
    moves = moving_step_nats(event_scores, pieces.traces, pieces.scores)
    return {
        **total_likelihood(event_scores, pieces.cells, pieces.notes).metrics(),
        "moving_steps": moves.share_of_steps,
        "nats_in_moving_steps": moves.share_of_nats,
    }


def mixture_figures(
    members: Sequence[Sequence[EventScores]], pieces: EncodedPieces, ngram: NGram
) -> dict[str, object]:
    """The figures of the models mixed with the n-grams, without accuracies."""
    figures = model_figures(mixture_scores(members, pieces.traces, ngram), pieces)
    return {name: value for name, value in figures.items() if not name.endswith("_accuracy")}


def baseline_figures(
    training: Sequence[Score], pieces: EncodedPieces, ngram: NGram
) -> dict[str, dict[str, object]]:
    """The figures of persistence and of the n-gram on a split."""
    work_nats = {
        "persistence": persistence_nats(training, pieces.scores),
        "5-gram": [ngram.nats(trace) for trace in pieces.traces],
    }
    cells = pieces.cells
    return {
        name: {
            "nats_per_cell": sum(nats) / sum(cells),
            "interval": list(bootstrap_interval(nats, cells)),
        }
        for name, nats in work_nats.items()
    }


def _known_pieces(
    dataset: Dataset, folders: Sequence[Path], allow_overlap: bool
) -> dict[str, list[int]]:
    """By split, the pieces that a model was trained on.

    Those that the training part of the file itself repeats are never an error.
    """
    training_prints = fingerprints([work.score for work in dataset.works_in("train")])
    known: dict[str, list[int]] = {}
    for split in SPLITS:
        scores = [work.score for work in dataset.works_in(split)]
        inherent = set(known_pieces(training_prints, scores))
        found = set(inherent)
        for folder in folders:
            foreign = sorted(set(known_pieces(read_fingerprints(folder), scores)) - inherent)
            found |= set(foreign)
            if foreign and not allow_overlap:
                raise CorpusError(
                    f"{folder.name}: was trained on {len(foreign)} of the {len(scores)} {split} "
                    f"pieces (first: {foreign[0]}); such figures compare with nothing. "
                    "To see them all the same, add --allow-overlap"
                )
        known[split] = sorted(found)
    return known


def _table_text(split: str, figures: dict[str, Any]) -> str:
    lines = [
        f"{split}: {figures['pieces']} pieces, {figures['cells']:,} cells; nats per cell",
        f"  {'':<24} micro   95 percent      macro   sound   duration",
        _row_text("mixture with n-grams", figures),
        *(_row_text(*item) for item in figures["alone"].items()),
        *(_row_text(*item) for item in figures["rivals"].items()),
        *(_accuracy_text(*item) for item in figures["alone"].items()),
        f"  {figures['moving_steps']:.1%} of the steps move two voices or more, "
        f"and cost {figures['nats_in_moving_steps']:.1%} of the nats",
    ]
    if figures["known_pieces"]:
        lines.append(f"  {figures['known_pieces']} of the pieces stand in the training works too")
    return "\n".join(lines)


def _row_text(name: str, figures: dict[str, Any]) -> str:
    low, high = figures["interval"]
    macro = f"{figures['macro_nats_per_cell']:.4f}" if "macro_nats_per_cell" in figures else ""
    parts = ""
    if "sound_nats_per_cell" in figures:
        sound, duration = figures["sound_nats_per_cell"], figures["duration_nats_per_cell"]
        parts = f"{sound:.4f}  {duration:.4f}"
    nats = f"{figures['nats_per_cell']:.4f}  {low:.4f}..{high:.4f}"
    return f"  {name:<24} {nats}  {macro:>6}  {parts}".rstrip()


def _accuracy_text(name: str, figures: dict[str, Any]) -> str:
    return (
        f"  {name}: right at first guess: sound {figures['sound_accuracy']:.1%}, "
        f"duration {figures['duration_accuracy']:.1%}"
    )
