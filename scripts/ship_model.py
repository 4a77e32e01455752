"""Add a finished run to the models that come with seqmusic, with a card that reports its figures.

    python scripts/ship_model.py runs/chorales chorales
    python scripts/ship_model.py runs/jsb jsb --data Jsb16thSeparated.json
    python scripts/ship_model.py runs/styles styles --data data/styles --sets "Hymns of ..."

With --calibrate the output layer is divided by the temperatures that fit the validation works best.
The test works are scored here, once; all decisions were made on the validation works.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from seqmusic.corpus.training_corpus import TrainingCorpus, load_training_corpus
from seqmusic.evaluation.held_out import EncodedPieces, grammar_masks_for, score_held_out
from seqmusic.metrics.calibration import (
    best_temperature,
    calibration_error,
    predict_choices,
    temperature_scaled,
)
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.runs.card import card_table, code_block, write_card
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.folder import CONFIGURATION_FILE, HISTORY_FILES
from seqmusic.runs.judge_weights import JUDGE_FILE
from seqmusic.runs.pretrained import PRETRAINED, load_model, vocabulary_to_dict
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.tokenizer import decode

MUSIC21 = "music21's Bach chorales"


def main() -> None:
    """Copy the run and write its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--data", type=Path, help="what it was trained on, if not the chorales")
    parser.add_argument(
        "--sets", default="", help="sets beyond these, and their terms, for the card"
    )
    parser.add_argument("--calibrate", action="store_true", help="fit temperatures on validation")
    arguments = parser.parse_args()
    run, name, data = arguments.run, arguments.name, arguments.data
    folder, corpus = PRETRAINED / name, load_training_corpus(data)
    folder.mkdir(parents=True, exist_ok=True)
    trained = load_model(run)
    if arguments.calibrate:
        trained = calibrated(trained, encoded(corpus, "valid"))
    save_weights(trained, folder, vocabulary_to_dict(trained.vocabulary), torch.float16)
    for file in (CONFIGURATION_FILE, *HISTORY_FILES):
        shutil.copyfile(run / file, folder / file)
    if (run / JUDGE_FILE).is_file():
        shutil.copyfile(run / JUDGE_FILE, folder / JUDGE_FILE)
    configuration = (run / CONFIGURATION_FILE).read_text(encoding="utf-8").strip()
    blocks = card_blocks(load_model(folder), corpus, data, arguments.sets)
    print(write_card(folder, name, [*blocks, code_block(configuration, "toml")]))


def card_blocks(
    model: Transformer, corpus: TrainingCorpus, data: Path | None, sets: str
) -> list[str]:
    """What the model is, and its figures on held-out works."""
    pieces = {split: encoded(corpus, split) for split in ("valid", "test")}
    source = f"the training works (works.csv) of {data.name if data else MUSIC21}"
    n_works = corpus.n_works("train")
    return [
        f"A transformer of {n_parameters(model):,} parameters, trained on {source}: "
        f"{n_works} works.\n"
        "Made as docs/training.md says, under How the included models were made. The weights are\n"
        "stored in half precision. The test works were scored once, for this card. No work is\n"
        "contained here; the corpus has terms of its own.",
        *([sets] if sets else []),
        card_table(
            (
                "split",
                "pieces",
                "nats per cell",
                "95 percent",
                "sound",
                "duration",
                "nats per note",
            ),
            [likelihood_row(split, model, works) for split, works in pieces.items()],
        ),
        "Calibration: the temperatures with the smallest loss on the validation works, and the\n"
        "expected calibration error (15 bins) on the test works before and after.",
        card_table(
            ("choice", "temperature", "error at 1", "error at the temperature"),
            calibration_rows(model, pieces),
        ),
    ]


def calibrated(model: Transformer, pieces: EncodedPieces) -> Transformer:
    """The model at the temperatures that fit the pieces best."""
    choices = predict_choices(model, pieces.traces, grammar_masks_for(model))
    sound, duration = map(best_temperature, choices)
    print(f"temperatures {sound:.3f} (sounds) and {duration:.3f} (durations)")
    return temperature_scaled(model, sound, duration)


def encoded(corpus: TrainingCorpus, split: str) -> EncodedPieces:
    """The pieces of a part of the split; a long work is several passages."""
    pieces = corpus.pieces_in(split)
    traces = trace_batch(pieces.take(range(len(pieces))), None, corpus.pieces.max_voices)
    scores = tuple(decode(trace.events.tolist(), corpus.pieces.max_voices) for trace in traces)
    return EncodedPieces(scores, tuple(traces))


def likelihood_row(split: str, model: Transformer, pieces: EncodedPieces) -> list[str]:
    """One row of the first table."""
    scored = score_held_out(model, pieces)
    low, high = scored.interval()
    return [
        split,
        str(len(pieces.scores)),
        f"{scored.nats_per_cell:.4f}",
        f"{low:.4f}..{high:.4f}",
        f"{scored.sound_nats_per_cell:.4f}",
        f"{scored.duration_nats_per_cell:.4f}",
        f"{scored.nats_per_note:.3f}",
    ]


def calibration_rows(model: Transformer, pieces: dict[str, EncodedPieces]) -> list[list[str]]:
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
        rows.append([kind, f"{temperature:.3f}", f"{before:.4f}", f"{after:.4f}"])
    return rows


if __name__ == "__main__":
    main()
