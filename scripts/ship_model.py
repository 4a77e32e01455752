"""Adds a finished run to the models that come with seqmusic, with a card of its results.

    python scripts/ship_model.py runs/chorales chorales
    python scripts/ship_model.py runs/jsb jsb --data Jsb16thSeparated.json

The test works are scored here, once, after everything was decided on the validation works.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.loading import load_corpus
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, score_held_out
from seqmusic.metrics.calibration import best_temperature, calibration_error, predict_choices
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.runs.card import card_table, code_block, write_card
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.folder import CONFIGURATION_FILE, HISTORY_FILES
from seqmusic.runs.pretrained import PRETRAINED, load_model, make_grammar_masks, vocabulary_to_dict


def main() -> None:
    """Copy the run and write its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument(
        "--data", type=Path, help="the benchmark file it was trained on; without it, the chorales"
    )
    arguments = parser.parse_args()
    dataset = load_corpus(arguments.data)
    folder = PRETRAINED / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    trained = load_model(arguments.run)
    save_weights(trained, folder, vocabulary_to_dict(trained.vocabulary), torch.float16)
    model = load_model(folder)
    for name in (CONFIGURATION_FILE, *HISTORY_FILES):
        shutil.copyfile(arguments.run / name, folder / name)
    configuration = (arguments.run / CONFIGURATION_FILE).read_text(encoding="utf-8").strip()
    blocks = card_blocks(arguments.name, model, dataset, arguments.data)
    print(write_card(folder, arguments.name, [*blocks, code_block(configuration, "toml")]))


def card_blocks(
    name: str, model: Transformer, dataset: Dataset, data: Path | None
) -> Iterator[str]:
    """What the model is, and what it reaches on held-out works."""
    pieces = {
        split: encode_pieces([work.score for work in dataset.works_in(split)])
        for split in ("valid", "test")
    }
    command = f"seqmusic train configs/{name}.toml --out runs/{name}"
    source = "the training works (works.csv) of music21's Bach chorales"
    if data:
        command += f" --data {data.name}"
        source = f"the training pieces of {data.name}"
    yield (
        f"A transformer of {n_parameters(model):,} parameters, trained on {source}: "
        f"{len(dataset.works_in('train'))} pieces.\n"
        f"Made by `{command}`; then `python scripts/ship_model.py runs/{name} {name}`.\n"
        "The weights are kept in half precision. "
        "The test works were looked at once, for this card. "
        "No work is contained here; the\ncorpus has terms of its own."
    )
    yield card_table(
        ("part", "pieces", "nats a cell", "95 percent", "sound", "duration", "nats a note"),
        [likelihood_row(split, model, encoded) for split, encoded in pieces.items()],
    )
    yield (
        "Calibration: the temperatures that make the validation works likeliest, "
        "and the expected calibration error (15 bins)\non the test works before and after."
    )
    yield card_table(
        ("choice", "temperature", "error at 1", "error at the temperature"),
        calibration_rows(model, pieces),
    )


def likelihood_row(split: str, model: Transformer, pieces: EncodedPieces) -> list[str]:
    """One row of the first table."""
    scored = score_held_out(model, pieces)
    low, high = scored.interval()
    return [
        split,
        f"{len(pieces.scores)}",
        f"{scored.nats_per_cell:.4f}",
        f"{low:.4f}..{high:.4f}",
        f"{scored.sound_nats_per_cell:.4f}",
        f"{scored.duration_nats_per_cell:.4f}",
        f"{scored.nats_per_note:.3f}",
    ]


def calibration_rows(model: Transformer, pieces: dict[str, EncodedPieces]) -> list[list[str]]:
    """The rows of the second table."""
    masks = make_grammar_masks(torch.device("cpu"))
    valid, test = (
        predict_choices(model, pieces[split].traces, masks) for split in ("valid", "test")
    )
    rows = []
    for kind, fitted, held_out in zip(("sound", "duration"), valid, test, strict=True):
        temperature = best_temperature(fitted)
        before = calibration_error(held_out)
        after = calibration_error(held_out.at_temperature(temperature))
        rows.append([kind, f"{temperature:.3f}", f"{before:.4f}", f"{after:.4f}"])
    return rows


if __name__ == "__main__":
    main()
