"""The usual chorale benchmark: how likely a model holds pieces it was not trained on, beside rivals in the same unit.

Nats a cell (a cell is one voice in one sixteenth step), every cell of whole pieces, rests and first steps too; the header's meter,
pickup and key and the end are charged; the key is inferred from the whole piece, which keeps the bound honest, because it is
charged like what is written. The file does not tell a held note from a repeated one: equal neighbors are one note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seqmusic.baselines.mixture import mixture_scores
from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.loading import benchmark_dataset
from seqmusic.corpus.similarity.fingerprints import fingerprints, known_pieces, read_fingerprints
from seqmusic.errors import CorpusError
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces
from seqmusic.metrics.likelihood import (
    EventScores,
    bootstrap_interval,
    score_events,
    total_likelihood,
)
from seqmusic.metrics.moving_steps import moving_step_nats
from seqmusic.model.transformer import n_parameters
from seqmusic.runs.pretrained import (
    DEFAULT_MAX_VOICES,
    load_model,
    make_grammar_masks,
    model_folder,
)
from seqmusic.score import Score
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch

SPLITS = ("valid", "test")


def benchmark_jsb(
    data: Path,
    models: Sequence[Path],
    *,
    allow_overlap: bool = False,
    show: Callable[[str], None] = print,
) -> dict[str, object]:
    """Score models, alone and mixed with n-grams, and the rivals that only count, on the held-out pieces of a benchmark file.

    Args:
        data: a file like ``Jsb16thSeparated.json``.
        models: runs' folders, or names of models that come with seqmusic; several are averaged.
        allow_overlap: score a model on pieces that it was trained on too; the result says how many.
        show: takes lines for people.

    Returns:
        By split: the figures of the mixture, under "alone" those of each model, under "rivals" those of persistence and the n-gram.

    Raises:
        FormatError: the file is not of its shape.
        CheckpointError: there is no such model, or what it was trained on is not known.
        CorpusError: the model was trained on pieces of the split.
    """
    dataset = benchmark_dataset(data)
    folders = [model_folder(model) for model in models]
    trained = [load_model(folder) for folder in folders]
    known = _known_pieces(dataset, folders, allow_overlap)
    training = [work.score for work in dataset.works_in("train")]
    ngram = NGram(trace_batch(note_columns(training), None, DEFAULT_MAX_VOICES))
    report: dict[str, object] = {
        folder.name: {"parameters": n_parameters(m)}
        for folder, m in zip(folders, trained, strict=True)
    }
    for split in SPLITS:
        pieces = encode_pieces([work.score for work in dataset.works_in(split)])
        masks = make_grammar_masks(next(trained[0].parameters()).device)
        members = [score_events(model, pieces.traces, masks) for model in trained]
        figures = mixture_figures(members, pieces, ngram) | {"known_pieces": len(known[split])}
        figures["alone"] = {
            folder.name: model_figures(own, pieces)
            for folder, own in zip(folders, members, strict=True)
        }
        figures["rivals"] = baseline_figures(training, pieces, ngram)
        report[split] = figures
        show(_format_table(split, figures))
    return report


def model_figures(events: Sequence[EventScores], pieces: EncodedPieces) -> dict[str, object]:
    """What a model reaches on a split."""
    moves = moving_step_nats(events, pieces.traces, pieces.scores)
    figures = total_likelihood(events, pieces.cells, pieces.notes).metrics()
    return {
        **figures,
        "moving_steps": moves.share_of_steps,
        "nats_in_moving_steps": moves.share_of_nats,
    }


def mixture_figures(
    members: Sequence[Sequence[EventScores]], pieces: EncodedPieces, ngram: NGram
) -> dict[str, object]:
    """What the models reach together with the n-grams; accuracy is told of the models alone."""
    figures = model_figures(mixture_scores(members, pieces.traces, ngram), pieces)
    return {name: value for name, value in figures.items() if not name.endswith("_accuracy")}


def baseline_figures(
    training: Sequence[Score], pieces: EncodedPieces, ngram: NGram
) -> dict[str, dict[str, object]]:
    """What the rivals that only count reach on a split."""
    nats = {
        "persistence": persistence_nats(training, pieces.scores),
        "5-gram": [ngram.nats(trace) for trace in pieces.traces],
    }
    n_cells = pieces.cells
    return {
        name: {
            "nats_per_cell": sum(own) / sum(n_cells),
            "interval": list(bootstrap_interval(own, n_cells)),
        }
        for name, own in nats.items()
    }


def _known_pieces(
    dataset: Dataset, folders: Sequence[Path], allow_overlap: bool
) -> dict[str, list[int]]:
    """By split, the pieces a model was trained on; those that the file's own training part repeats are no fault of it."""
    own = fingerprints([work.score for work in dataset.works_in("train")])
    known: dict[str, list[int]] = {}
    for split in SPLITS:
        scores = [work.score for work in dataset.works_in(split)]
        inherent = set(known_pieces(own, scores))
        found = set(inherent)
        for folder in folders:
            foreign = sorted(set(known_pieces(read_fingerprints(folder), scores)) - inherent)
            found |= set(foreign)
            if foreign and not allow_overlap:
                raise CorpusError(
                    f"{folder.name}: was trained on {len(foreign)} of the {len(scores)} {split} pieces (first: {foreign[0]}); "
                    "such figures compare with nothing. To see them all the same, add --allow-overlap"
                )
        known[split] = sorted(found)
    return known


def _format_table(split: str, figures: dict[str, Any]) -> str:
    def row(name: str, own: dict[str, Any]) -> str:
        low, high = own["interval"]
        macro, parts = (
            (f"{own['macro_nats_per_cell']:.4f}" if "macro_nats_per_cell" in own else ""),
            "",
        )
        if "sound_nats_per_cell" in own:
            parts = f"{own['sound_nats_per_cell']:.4f}  {own['duration_nats_per_cell']:.4f}"
        return f"  {name:<24} {own['nats_per_cell']:.4f}  {low:.4f}..{high:.4f}  {macro:>6}  {parts}".rstrip()

    lines = [
        f"{split}: {figures['pieces']} pieces, {figures['cells']:,} cells; nats a cell",
        f"  {'':<24} micro   95 percent      macro   sound   duration",
        row("mixture with n-grams", figures),
        *(row(name, own) for name, own in figures["alone"].items()),
        *(row(name, own) for name, own in figures["rivals"].items()),
    ]
    for name, own in figures["alone"].items():
        lines.append(
            f"  {name}: right at first guess: sound {own['sound_accuracy']:.1%}, duration {own['duration_accuracy']:.1%}"
        )
    lines.append(
        f"  {figures['moving_steps']:.1%} of the steps move two voices or more, "
        f"and cost {figures['nats_in_moving_steps']:.1%} of the nats"
    )
    if figures["known_pieces"]:
        lines.append(f"  {figures['known_pieces']} of the pieces stand in the training works too")
    return "\n".join(lines)
