"""Precision against data: recognizers trained on ever more works of each class.

The subsets are nested, and grow by whole groups. All are measured on the same validation works, and
are calibrated on them, too; the test works are not used.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from seqmusic.corpus.cache import cache_folder
from seqmusic.experiments.study import TrialRecord, open_study, run_trials, write_results
from seqmusic.recognition.calibration import TrialInputs, fit_on, trial_inputs
from seqmusic.recognition.measures import balanced_accuracy
from seqmusic.recognition.training import train_experts
from seqmusic.recognition.works import LabeledWork, class_names, read_works, works_in
from seqmusic.report.charts import LineSeries, line_chart
from seqmusic.report.figures import require_matplotlib
from seqmusic.report.sections import Column, Table

logger = logging.getLogger(__name__)

WORKS_PER_CLASS = (5, 10, 20, 40, 80, 160)
KINDS = ("all voices", "one voice", "32", "16")
_COLUMNS = (
    Column("works_per_class", "works per class, at most"),
    Column("works", "works"),
    *(
        Column(kind, kind if kind.endswith(("voice", "voices")) else f"{kind} notes", ".3f")
        for kind in KINDS
    ),
)


def recognition_study(folder: Path, out: Path) -> list[TrialRecord]:
    """Train on 5, 10, 20 ... works of each class, and write a table and a chart.

    Args:
        folder: of scores, as for `recognize --train`.
        out: new, or that of a study to go on with.

    Returns:
        A row for each training: works, and balanced accuracy for each kind of input.

    Raises:
        CorpusError: the folder holds too little.
        FormatError: `out` holds something else.
        CheckpointError: `out` holds another study.
        MissingExtraError: matplotlib or scikit-learn is not installed.
    """
    require_matplotlib()
    works = read_works(folder, cache_folder() / "recognition" / folder.resolve().name)
    open_study(out, {"experiment": "recognition", "works": len(works)})
    trials = {f"works-{n}": partial(_trial, works, n) for n in WORKS_PER_CLASS}
    rows = list(run_trials(out, trials).values())
    logger.info(write_results(out, _table(rows), _chart(rows), {"works": len(works)}))
    logger.info(f"table, picture and trials are in {out}")
    return rows


def nested_subset(works: Sequence[LabeledWork], n_per_class: int) -> list[LabeledWork]:
    """At most so many works of each class, by whole groups in an order that is always the same."""
    groups: dict[tuple[str, int], list[LabeledWork]] = defaultdict(list)
    for work in works:
        groups[work.class_name, work.group].append(work)
    order = sorted(groups.values(), key=lambda group: _shuffle_key(group[0].name))
    counts: dict[str, int] = defaultdict(int)
    chosen = []
    for work in (work for group in order for work in group):
        if counts[work.class_name] < n_per_class:
            counts[work.class_name] += 1
            chosen.append(work)
    return chosen


def _shuffle_key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _trial(works: Sequence[LabeledWork], n_per_class: int) -> TrialRecord:
    classes, train = class_names(works), nested_subset(works_in(works, "train"), n_per_class)
    experts = train_experts(train, classes)
    inputs = trial_inputs(works_in(works, "valid"), classes, experts, kinds=KINDS)
    accuracies = _accuracies(inputs)
    return {"works_per_class": n_per_class, "works": len(train), **accuracies}


def _accuracies(inputs: Mapping[str, TrialInputs]) -> dict[str, Any]:
    fusion, found = fit_on(inputs), {}
    for kind, one in inputs.items():
        predicted = fusion.log_probabilities(one.evidence).argmax(axis=1)
        accuracy = balanced_accuracy(np.asarray(predicted), one.targets, one.groups)
        found[kind] = accuracy.value
        found[f"{kind} low"], found[f"{kind} high"] = accuracy.low, accuracy.high
    return found


def _table(rows: Sequence[TrialRecord]) -> Table:
    cells = tuple(tuple(row[column.name] for column in _COLUMNS) for row in rows)
    return Table("precision", "Balanced accuracy on the validation works.", _COLUMNS, cells)


def _chart(rows: Sequence[TrialRecord]) -> Any:
    x = [row["works_per_class"] for row in rows]
    lines = [
        LineSeries(
            kind if kind.endswith(("voice", "voices")) else f"{kind} notes",
            x,
            [row[kind] for row in rows],
            [row[f"{kind} low"] for row in rows],
            [row[f"{kind} high"] for row in rows],
        )
        for kind in KINDS
    ]
    return line_chart(
        lines, x_label="works per class", y_label="balanced accuracy, validation", log_x=True
    )
