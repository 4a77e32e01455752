"""What the command line shows while it works: progress bars, and log messages as plain lines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tqdm import tqdm

from seqmusic.cli.progress_lines import ProgressLines
from seqmusic.progress import ProgressBar, progress_shown_by

PACKAGE_LOGGER = logging.getLogger("seqmusic")


class _LineHandler(logging.Handler):
    """Writes results and news (INFO) to standard output, and warnings to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        tqdm.write(self.format(record), file=stream)


@contextmanager
def shown_messages() -> Iterator[None]:
    """Show log messages and progress in this context; bars only on a terminal, else lines."""
    handler = _LineHandler()
    level, propagate = PACKAGE_LOGGER.level, PACKAGE_LOGGER.propagate
    PACKAGE_LOGGER.addHandler(handler)
    PACKAGE_LOGGER.setLevel(logging.INFO)
    PACKAGE_LOGGER.propagate = False
    try:
        with progress_shown_by(_bar_or_lines):
            yield
    finally:
        PACKAGE_LOGGER.removeHandler(handler)
        PACKAGE_LOGGER.setLevel(level)
        PACKAGE_LOGGER.propagate = propagate


def _bar_or_lines(
    *, total: int | None, desc: str, unit: str, initial: int
) -> AbstractContextManager[ProgressBar]:
    if not sys.stderr.isatty():
        return ProgressLines(
            total=total, description=desc, unit=unit, initial=initial, stream=sys.stderr
        )
    bar: AbstractContextManager[ProgressBar] = tqdm(
        total=total, desc=desc, unit=unit, initial=initial, file=sys.stderr
    )
    return bar
