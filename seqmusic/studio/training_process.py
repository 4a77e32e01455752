"""A process that trains a small model for the page and reports each batch as a line of JSON.

It is `python -m seqmusic.studio.training_process FOLDER MINUTES`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from seqmusic.errors import SeqmusicError
from seqmusic.progress import ProgressBar, progress_shown_by
from seqmusic.runs.configuration import read_configuration
from seqmusic.runs.train import train_run

_LOSS = re.compile(r"loss=([0-9.]+)")
_EVALUATION = re.compile(r"batch +(\d+): ([0-9.]+) nats per cell")


def main() -> None:
    """Train, and write what happens to standard output."""
    folder, minutes = Path(sys.argv[1]), float(sys.argv[2])
    logger = logging.getLogger("seqmusic")
    logger.addHandler(_EvaluationHandler())
    logger.setLevel(logging.INFO)
    try:
        configuration = read_configuration(Path("quick"), {"training.minutes": str(minutes)})
        with progress_shown_by(_training_bar):
            train_run(configuration, folder)
    except SeqmusicError as error:
        _report(error=str(error))
        sys.exit(2)
    _report(done=True)


class _TrainingBar:
    """Reports the loss of each batch."""

    def __init__(self, total: int | None, initial: int) -> None:
        self._total = total
        self._n = initial

    def update(self, n: int = 1) -> None:
        self._n += n

    def set_postfix_str(self, s: str) -> None:
        if match := _LOSS.search(s):
            _report(step=self._n, steps=self._total, loss=float(match[1]))


def _training_bar(
    *, total: int | None, desc: str, unit: str, initial: int
) -> AbstractContextManager[ProgressBar]:
    return nullcontext(_TrainingBar(total, initial))


class _EvaluationHandler(logging.Handler):
    """Reports the evaluations that the training logs."""

    def emit(self, record: logging.LogRecord) -> None:
        if match := _EVALUATION.search(record.getMessage()):
            _report(step=int(match[1]), validation=float(match[2]))


def _report(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
