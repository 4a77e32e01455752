"""Add a finished run to the models that come with seqmusic, with a card that reports its figures.

    python scripts/ship_model.py runs/chorales chorales
    python scripts/ship_model.py runs/jsb jsb --data Jsb16thSeparated.json

The test works are scored here, once; all decisions were made on the validation works.
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
from seqmusic.evaluation.held_out import (
    EncodedPieces,
    encode_pieces,
    grammar_masks_for,
    score_held_out,
)
from seqmusic.metrics.calibration import best_temperature, calibration_error, predict_choices
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.pretrained import PRETRAINED, load_model, vocabulary_to_dict

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
    run, name, data = arguments.run, arguments.name, arguments.data
    dataset = load_corpus(data)
    folder = PRETRAINED / name
    folder.mkdir(parents=True, exist_ok=True)
    trained = load_model(run)
    save_weights(trained, folder, vocabulary_to_dict(trained.vocabulary), torch.float16)
    for file in COPIED_FILES:
        shutil.copyfile(run / file, folder / file)
    configuration = (run / "config.toml").read_text(encoding="utf-8")
    text = card(name, load_model(folder), dataset, configuration, data)
    write_atomic(folder / "card.md", text)
    print(text)


def card(
    name: str, model: Transformer, dataset: Dataset, configuration: str, data: Path | None
) -> str:
    """What the model is, and its figures on held-out works."""
    pieces = {
        split: encode_pieces([work.score for work in dataset.works_in(split)])
        for split in ("valid", "test")
    }
    command = f"seqmusic train configs/{name}.toml --out runs/{name}"
    source = "the training works (works.csv) of music21's Bach chorales"
    if data:
        command += f" --data {data.name}"
        source = f"the training pieces of {data.name}"
    n_works = len(dataset.works_in("train"))
    return f"""# {name}

A transformer of {n_parameters(model):,} parameters, trained on {source}: {n_works} pieces.
Made by `{command}`; then `python scripts/ship_model.py runs/{name} {name}`.
The weights are stored in half precision. The test works were scored once, for this card. No work is
contained here; the corpus has terms of its own.

| split | pieces | nats per cell | 95 percent | sound | duration | nats per note |
|---|---|---|---|---|---|---|
{likelihood_rows(model, pieces)}

Calibration: the temperatures with the smallest loss on the validation works, and the expected
calibration error (15 bins) on the test works before and after.

| choice | temperature | error at 1 | error at the temperature |
|---|---|---|---|
{calibration_rows(model, pieces)}

```toml
{configuration.strip()}
```
"""


def likelihood_rows(model: Transformer, pieces: dict[str, EncodedPieces]) -> str:
    """The rows of the first table."""
    rows = []
    for split, works in pieces.items():
        scored = score_held_out(model, works)
        low, high = scored.interval()
        rows.append(
            f"| {split} | {len(works.scores)} | {scored.nats_per_cell:.4f} | {low:.4f}..{high:.4f} "
            f"| {scored.sound_nats_per_cell:.4f} | {scored.duration_nats_per_cell:.4f} "
            f"| {scored.nats_per_note:.3f} |"
        )
    return "\n".join(rows)


def calibration_rows(model: Transformer, pieces: dict[str, EncodedPieces]) -> str:
    """The rows of the second table."""
    masks = grammar_masks_for(model)
    valid, test = (
        predict_choices(model, pieces[split].traces, masks) for split in ("valid", "test")
    )
    rows = []
    for kind, fitted, held_out in zip(("sound", "duration"), valid, test, strict=True):
        temperature = best_temperature(fitted)
        before = calibration_error(held_out)
        after = calibration_error(held_out.at_temperature(temperature))
        rows.append(f"| {kind} | {temperature:.3f} | {before:.4f} | {after:.4f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
