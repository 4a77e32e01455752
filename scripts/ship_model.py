"""Puts a finished run among the models that come with seqmusic, with a card that says what it reaches.

    python scripts/ship_model.py runs/chorales chorales
    python scripts/ship_model.py runs/jsb jsb --data Jsb16thSeparated.json

The test works are scored here, once, after everything was decided on the validation works.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.loading import load_corpus
from seqmusic.corpus.similarity.fingerprints import FINGERPRINTS_FILE
from seqmusic.evaluation.held_out import EncodedPieces, encode_pieces, score_held_out
from seqmusic.metrics.calibration import best_temperature, calibration_error, predict_choices
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.pretrained import PRETRAINED, load_model, make_grammar_masks, vocabulary_to_dict

COPIED_FILES = ("config.toml", "works.csv", "metrics.csv", FINGERPRINTS_FILE)


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
    for part in COPIED_FILES:
        shutil.copyfile(arguments.run / part, folder / part)
    text = card(
        arguments.name,
        model,
        dataset,
        (arguments.run / "config.toml").read_text(encoding="utf-8"),
        arguments.data,
    )
    write_atomic(folder / "card.md", text)
    print(text)


def card(
    name: str, model: Transformer, dataset: Dataset, configuration: str, data: Path | None
) -> str:
    """What the model is, and what it reaches on held-out works."""
    pieces = {
        split: encode_pieces([work.score for work in dataset.works_in(split)])
        for split in ("valid", "test")
    }
    command = f"seqmusic train configs/{name}.toml --out runs/{name}" + (
        f" --data {data.name}" if data else ""
    )
    source = (
        f"the training pieces of {data.name}"
        if data
        else "the training works (works.csv) of music21's Bach chorales"
    )
    lines = [
        f"# {name}",
        "",
        f"A transformer of {n_parameters(model):,} parameters, trained on {source}: {len(dataset.works_in('train'))} pieces.",
        f"Made by `{command}`; then `python scripts/ship_model.py runs/{name} {name}`.",
        "The weights are kept in half precision. The test works were looked at once, for this card. No work is contained here; the",
        "corpus has terms of its own.",
        "",
        "| part | pieces | nats a cell | 95 percent | sound | duration | nats a note |",
        "|---|---|---|---|---|---|---|",
        *(likelihood_row(split, model, own) for split, own in pieces.items()),
        "",
        "Calibration: the temperatures that make the validation works likeliest, and the expected calibration error (15 bins)",
        "on the test works before and after.",
        "",
        "| choice | temperature | error at 1 | error at the temperature |",
        "|---|---|---|---|",
        *calibration_rows(model, pieces),
        "",
        "```toml",
        configuration.strip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def likelihood_row(split: str, model: Transformer, pieces: EncodedPieces) -> str:
    """One row of the first table."""
    own = score_held_out(model, pieces)
    low, high = own.interval()
    parts = f"{own.sound_nats_per_cell:.4f} | {own.duration_nats_per_cell:.4f} | {own.nats_per_note:.3f}"
    return f"| {split} | {len(pieces.scores)} | {own.nats_per_cell:.4f} | {low:.4f}..{high:.4f} | {parts} |"


def calibration_rows(model: Transformer, pieces: dict[str, EncodedPieces]) -> list[str]:
    """The rows of the second table."""
    masks = make_grammar_masks(torch.device("cpu"))
    valid, test = (
        predict_choices(model, pieces[split].traces, masks) for split in ("valid", "test")
    )
    rows = []
    for kind, fitted, held in zip(("sound", "duration"), valid, test, strict=True):
        temperature = best_temperature(fitted)
        after = calibration_error(held.at_temperature(temperature))
        rows.append(f"| {kind} | {temperature:.3f} | {calibration_error(held):.4f} | {after:.4f} |")
    return rows


if __name__ == "__main__":
    main()
