"""A recognizer trained from a folder: its files, its figures on test works, and its card."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.recognition.assembly import completed, train_recognizer
from seqmusic.recognition.calibration import trial_inputs
from seqmusic.recognition.measures import (
    InputFigures,
    input_figures,
    pooled_calibration_error,
)
from seqmusic.recognition.recognizer import Recognizer, largest_sets
from seqmusic.recognition.storage import save_recognizer
from seqmusic.recognition.works import LabeledWork, read_works, works_in

CARD_FILE, _CACHE = "card.md", "read"
logger = logging.getLogger(__name__)


def train_into(folder: Path, out: Path) -> dict[str, object]:
    """Train a recognizer of the classes of a folder, and write it with its card.

    The figures are those of a recognizer that has seen the training works alone; what is written
    has then learned from all works.

    Args:
        folder: CLASS/[SOURCE/[GROUP/]]FILE, or one made from such a folder by `data prepare`.
        out: a folder; what was read is kept in it, so that a second training is faster.

    Returns:
        The figures on test works as plain values.

    Raises:
        CorpusError: the folder holds too little.
        FormatError: `out` cannot be written.
        MissingExtraError: scikit-learn is not installed.
    """
    works = read_works(folder, out / _CACHE)
    recognizer = train_recognizer(works)
    experts = (recognizer.linear, recognizer.likelihood)
    inputs = trial_inputs(works_in(works, "test"), recognizer.classes, experts, seed=1)
    figures = [input_figures(kind, one, recognizer) for kind, one in inputs.items()]
    error = pooled_calibration_error(inputs, recognizer)
    for row in figures:
        logger.info(
            "%s: balanced accuracy %s, %.0f %% answered, precision %.2f",
            *(row.kind, row.classes, 100 * row.coverage, row.precision),
        )
    save_recognizer(completed(recognizer, works), out)
    write_atomic(out / CARD_FILE, card_text(recognizer, works, figures, folder))
    logger.info("wrote %s", out)
    rows = [row.values() for row in figures]
    return {"classes": list(recognizer.classes), "calibration_error": error, "inputs": rows}


def card_text(
    recognizer: Recognizer,
    works: Sequence[LabeledWork],
    figures: Sequence[InputFigures],
    folder: Path,
) -> str:
    """The card of a recognizer: what it was trained on, and how well it does."""
    counts = Counter(work.class_name for work in works)
    joined = [
        " or ".join(recognizer.classes[i] for i in one)
        for one in largest_sets(recognizer.decision.answers)
        if len(one) > 1
    ]
    lines = [
        "# A recognizer of repertories",
        "",
        f"Made by `seqmusic recognize --train {folder.name} --out {{folder}}`. It holds counts and "
        "weights of short figures, and profiles of works by their file names; no notes.",
        "",
        "| class | works | sources |",
        "|---|---|---|",
        *(f"| {name} | {counts[name]} | {_n_sources(works, name)} |" for name in counts),
        "",
        f"Hard to tell apart: {'; '.join(joined) or 'none'}. An answer is given from a probability "
        f"of {recognizer.decision.min_confidence:.3f} on.",
        "",
        "Balanced accuracy on the test works (20 percent, whole groups), with its 95 percent "
        "interval, of a recognizer that has learned from 60 percent of the works:",
        "",
        "| input | all classes | joined classes | answered | precision |",
        "|---|---|---|---|---|",
        *(
            f"| {row.kind} | {row.classes} | {row.joined} | {row.coverage:.2f} "
            f"| {row.precision:.2f} |"
            for row in figures
        ),
    ]
    return "\n".join(lines) + "\n"


def _n_sources(works: Sequence[LabeledWork], name: str) -> int:
    return len({work.source for work in works if work.class_name == name})
