"""The usual chorale benchmark: how likely a model holds pieces it was not trained on, beside rivals in the same unit.

Nats a cell (a cell is one voice in one sixteenth step), every cell of whole pieces, rests and first steps too; the header's meter,
pickup and key and the end are charged. The file does not tell a held note from a repeated one: equal neighbors are one note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqmusic.checkpoints import MAX_VOICES, load_model, make_masks, model_folder
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.fingerprints import fingerprints, known_pieces, read_fingerprints
from seqmusic.corpus.sources import benchmark_dataset
from seqmusic.errors import CorpusError
from seqmusic.evaluation.baselines import cells, persistence_nats
from seqmusic.evaluation.likelihood import Likelihood, bootstrap_interval, score_events, summed
from seqmusic.evaluation.moves import steps_with_moves
from seqmusic.evaluation.ngram import ngram_nats
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.score import Score
from seqmusic.tokens.encoding import trace_tiles
from seqmusic.tokens.tiles import tiles_of
from seqmusic.tokens.tokenizer import Trace

SPLITS = ("valid", "test")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One split, ready to be scored."""

    scores: tuple[Score, ...]
    traces: tuple[Trace, ...]

    @property
    def cells(self) -> list[int]:
        """Of each piece."""
        return [cells(score) for score in self.scores]

    @property
    def notes(self) -> list[int]:
        """Of each piece."""
        return [score.n_notes for score in self.scores]


def benchmark_jsb(
    data: Path, model: Path, *, allow_overlap: bool = False, show: Callable[[str], None] = print
) -> dict[str, object]:
    """Score a model and the untrained rivals on the validation and test pieces of a benchmark file.

    Args:
        data: a file like ``Jsb16thSeparated.json``.
        model: a run's folder, or the name of a model that comes with seqmusic.
        allow_overlap: score a model on pieces that it was trained on too; the result says how many.
        show: takes lines for people.

    Returns:
        By split: the model's figures, and under "rivals" those of persistence and of the n-gram.

    Raises:
        FormatError: the file is not of its shape.
        CheckpointError: there is no such model, or what it was trained on is not known.
        CorpusError: the model was trained on pieces of the split.
    """
    dataset = benchmark_dataset(data)
    folder = model_folder(model)
    trained = load_model(folder)
    known = _known(dataset, folder, allow_overlap)
    show(f"{folder.name}: {n_parameters(trained):,} parameters")
    report: dict[str, object] = {"model": folder.name, "parameters": n_parameters(trained)}
    training = [work.score for work in dataset.part("train")]
    for split in SPLITS:
        pieces = held_out([work.score for work in dataset.part(split)])
        figures = model_figures(trained, pieces) | {"known_pieces": len(known[split])}
        report[split] = figures | {"rivals": rival_figures(training, pieces)}
        show(_table(split, report[split]))  # type: ignore[arg-type]
    return report


def held_out(scores: Sequence[Score]) -> HeldOut:
    """The scores with their traces."""
    return HeldOut(tuple(scores), tuple(trace_tiles(tiles_of(scores), None, MAX_VOICES)))


def model_figures(model: Transformer, pieces: HeldOut) -> dict[str, object]:
    """What a model reaches on a split."""
    events = score_events(model, pieces.traces, make_masks(next(model.parameters()).device))
    likelihood: Likelihood = summed(events, pieces.cells, pieces.notes)
    moves = steps_with_moves(events, pieces.traces, pieces.scores)
    return {**likelihood.figures(), "moving_steps": moves.share_of_steps, "nats_in_moving_steps": moves.share_of_nats}


def rival_figures(training: Sequence[Score], pieces: HeldOut) -> dict[str, dict[str, object]]:
    """What the rivals that only count reach on a split."""
    counted = trace_tiles(tiles_of(training), None, MAX_VOICES)
    nats = {"persistence": persistence_nats(training, pieces.scores), "5-gram": ngram_nats(counted, pieces.traces)}
    n_cells = pieces.cells
    return {
        name: {"nats_per_cell": sum(own) / sum(n_cells), "interval": list(bootstrap_interval(own, n_cells))}
        for name, own in nats.items()
    }


def _known(dataset: Dataset, folder: Path, allow_overlap: bool) -> dict[str, list[int]]:
    """By split, the pieces the model was trained on; those that the file's own training part repeats are no fault of it."""
    model = read_fingerprints(folder)
    own = fingerprints([work.score for work in dataset.part("train")])
    known = {}
    for split in SPLITS:
        scores = [work.score for work in dataset.part(split)]
        known[split] = known_pieces(model, scores)
        foreign = sorted(set(known[split]) - set(known_pieces(own, scores)))
        if foreign and not allow_overlap:
            raise CorpusError(
                f"{folder.name}: was trained on {len(foreign)} of the {len(scores)} {split} pieces (first: number {foreign[0]}); "
                "such figures compare with nothing. To see them all the same, add --allow-overlap"
            )
    return known


def _table(split: str, figures: dict[str, object]) -> str:
    def row(name: str, own: dict[str, object]) -> str:
        low, high = own["interval"]  # type: ignore[misc]
        macro = f"{own['macro_nats_per_cell']:.4f}" if "macro_nats_per_cell" in own else ""
        return f"  {name:<12} {own['nats_per_cell']:.4f}  [{low:.4f}, {high:.4f}]  {macro:>8}"  # type: ignore[has-type]

    lines = [f"{split}: {figures['pieces']} pieces, {figures['cells']:,} cells", f"  {'':<12} nats a cell, 95 percent      macro"]
    lines.append(row("model", figures))
    lines += [row(name, own) for name, own in figures["rivals"].items()]  # type: ignore[attr-defined]
    lines.append(
        f"  of the model's: sound {figures['sound_nats_per_cell']:.4f}, duration {figures['duration_nats_per_cell']:.4f}; "
        f"{figures['nats_per_note']:.3f} nats a note; right at first guess: sound {figures['sound_accuracy']:.1%}, "
        f"duration {figures['duration_accuracy']:.1%}"
    )
    lines.append(
        f"  {figures['moving_steps']:.1%} of the steps move two voices or more, "
        f"and cost {figures['nats_in_moving_steps']:.1%} of the nats"
    )
    if figures["known_pieces"]:
        lines.append(f"  {figures['known_pieces']} of the pieces stand in the training works too")
    return "\n".join(lines)
