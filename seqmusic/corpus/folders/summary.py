"""The result of a preparation in a few lines, for people."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seqmusic.corpus.dataset import SPLITS
from seqmusic.corpus.description import reason_counts
from seqmusic.corpus.folders.prepared_folder import REPORT_FILE
from seqmusic.corpus.works_table import WORKS_FILE, read_works
from seqmusic.errors import CorpusError

OUTCOMES = ("read", "repaired", "refused")
_MAX_LINES = 5


def folder_summary(folder: Path) -> str:
    """The files of a prepared folder by their outcome, and its works by their split.

    Raises:
        CorpusError: a table is missing or damaged.
    """
    return "\n".join([*_file_lines(folder), *_work_lines(folder)]) + "\n"


def _file_lines(folder: Path) -> Iterator[str]:
    outcomes: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {outcome: Counter() for outcome in OUTCOMES}
    try:
        with (folder / REPORT_FILE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                outcome, remarks = row["outcome"], row["words"].split("; ")
                if outcome == "refused":
                    remarks = remarks[:1]  # what follows is the remedy
                outcomes[outcome] += 1
                # Each kind once, in the order of the file: a set would list ties in random order.
                found = dict.fromkeys(remark_kind(remark) for remark in remarks if remark)
                kinds[outcome].update(list(found))
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(
            f"{folder / REPORT_FILE}: missing or damaged; prepare the data again"
        ) from error
    counts = ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in OUTCOMES)
    yield f"{outcomes.total():,} files: {counts}"
    for outcome in OUTCOMES:
        for kind, count in kinds[outcome].most_common(_MAX_LINES):
            yield f"  {outcome:<8} {count:>7,}  {kind}"


def _work_lines(folder: Path) -> Iterator[str]:
    entries = read_works(folder / WORKS_FILE).values()
    kept = [entry for entry in entries if not entry.reason]
    splits = Counter(entry.split for entry in kept)
    families = Counter(entry.family for entry in kept)
    parts = ", ".join(f"{split} {splits[split]:,}" for split in SPLITS)
    yield f"{len(kept):,} of {len(entries):,} works kept ({parts}), {len(families):,} tune families"
    for reason, count in reason_counts(entries).most_common(_MAX_LINES):
        yield f"  dropped  {count:>7,}  {reason}"
    largest = max(families.values(), default=0)
    if largest > max(1, len(kept) // 5):
        yield (
            f"  one family has {largest:,} works and stays whole, "
            "so that the parts may differ from what was asked"
        )
    if styles := Counter(entry.style for entry in kept if entry.style):
        counts = ", ".join(f"{style} {count:,}" for style, count in sorted(styles.items()))
        yield f"styles: {counts}"


def remark_kind(text: str) -> str:
    """A remark of a report without its figures and positions, so that remarks can be counted.

    >>> remark_kind("notes of no length left out: 3 (first at byte 14)")
    'notes of no length left out'
    """
    return re.sub(r"\s*\([^)]*\)$", "", re.sub(r": \d+\b.*$", "", text))
