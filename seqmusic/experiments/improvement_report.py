"""What an improvement reached: the table of attempts, the test works, and the card of the model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqmusic.evaluation.held_out import EncodedPieces, grammar_masks_for, score_held_out
from seqmusic.experiments.study import TrialRecord, write_results
from seqmusic.metrics.bootstrap import bootstrap_interval
from seqmusic.metrics.calibration import calibration_error, predict_choices
from seqmusic.metrics.likelihood import Likelihood
from seqmusic.model.transformer import Transformer
from seqmusic.report.charts import BarSeries, bar_chart
from seqmusic.report.sections import Column, Table
from seqmusic.runs.card import CARD_FILE, bullet_list, code_block, write_card

logger = logging.getLogger(__name__)

_COLUMNS = (
    Column("tried", "attempt"),
    Column("nats_per_cell", "nats per cell", ".4f"),
    Column("worth", "saved", "+.4f"),
    Column("low", "95 percent from", "+.4f"),
    Column("high", "to", "+.4f"),
    Column("kept", ""),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to improve the model.

    Attributes:
        name: of the attempt.
        nats_per_cell: on the validation works.
        gain: nats per cell saved against the model kept before it.
        interval: 95 percent bootstrap interval of the gain over pieces, the same for both models.
        is_kept: whether the whole interval is above 0.
    """

    name: str
    nats_per_cell: float
    gain: float
    interval: tuple[float, float]
    is_kept: bool


def compare_on_test(before: Transformer, after: Transformer, pieces: EncodedPieces) -> TrialRecord:
    """The figures of both models on the test works, and what the second saves."""
    first, second = score_held_out(before, pieces), score_held_out(after, pieces)
    saved = [a - b for a, b in zip(first.nats, second.nats, strict=True)]
    worth = {
        "nats_per_cell": sum(saved) / sum(pieces.cells),
        "interval": list(bootstrap_interval(saved, pieces.cells)),
    }
    return {
        "before": _test_figures(before, pieces, first),
        "after": _test_figures(after, pieces, second),
        "worth": worth,
    }


def write_improvement_report(
    folder: Path, out: Path, attempts: Sequence[Attempt], test: TrialRecord
) -> None:
    """Write and log the table of attempts and the test figures, and write the card of the model.

    Args:
        folder: of the run that was improved.
        out: of the new run.
        attempts: in their order, the unchanged model first.
        test: as from `compare_on_test`.
    """
    rows = tuple(
        (a.name, a.nats_per_cell, a.gain, *a.interval, "kept" if a.is_kept else "")
        for a in attempts
    )
    table = Table("improvements", "All attempts, on the validation works.", _COLUMNS, rows)
    text = write_results(out, table, _gain_chart(attempts[1:]), {"test": test})
    low, high = test["worth"]["interval"]
    lines = [
        f"before on the test works: {_metrics_text(test['before'])}",
        f"after on the test works: {_metrics_text(test['after'])}",
        f"saved on the test works: {test['worth']['nats_per_cell']:.4f} nats per cell "
        f"[{low:.4f}..{high:.4f}]",
    ]
    logger.info("\n".join([text, *lines, f"the model is in {out}"]))
    _write_card(folder, out, text, lines)


def _test_figures(model: Transformer, pieces: EncodedPieces, scored: Likelihood) -> TrialRecord:
    sounds, durations = predict_choices(model, pieces.traces, grammar_masks_for(model))
    return {
        "nats_per_cell": scored.nats_per_cell,
        "interval": list(scored.interval()),
        "sound_calibration_error": calibration_error(sounds),
        "duration_calibration_error": calibration_error(durations),
    }


def _gain_chart(attempts: Sequence[Attempt]) -> object:
    """The gains of all attempts, in thousandths."""
    names = [f"{attempt.name}{' (kept)' if attempt.is_kept else ''}" for attempt in attempts]
    gain, low, high = (
        [1000 * value for value in column]
        for column in zip(*((a.gain, *a.interval) for a in attempts), strict=True)
    )
    label = "saved on validation, nats per cell / 1000"
    return bar_chart(names, [BarSeries("", gain, low, high)], x_label=label)


def _metrics_text(figures: TrialRecord) -> str:
    low, high = figures["interval"]
    return (
        f"{figures['nats_per_cell']:.4f} nats per cell [{low:.4f}..{high:.4f}], calibration error "
        f"{figures['sound_calibration_error']:.3f} for sounds, "
        f"{figures['duration_calibration_error']:.3f} for durations"
    )


def _write_card(folder: Path, out: Path, table: str, lines: Sequence[str]) -> None:
    before = folder / CARD_FILE
    blocks = [
        "All attempts, in nats per cell of the validation works. One is kept if they confirm that\n"
        "it is better than the model kept before it. Temperatures that were kept are part of the\n"
        "weights of the output layer: drawn at 1, this model is calibrated.",
        code_block(table),
        bullet_list(lines),
        f"## {folder.name}, before",
        before.read_text(encoding="utf-8").rstrip("\n") if before.is_file() else "",
    ]
    write_card(out, f"{out.name}: {folder.name}, improved", blocks)
