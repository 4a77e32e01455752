"""What came of a preparation, in a few lines for people."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seqmusic.corpus.selection.cleaning import reason_kind
from seqmusic.corpus.dataset import SPLITS
from seqmusic.corpus.folders.prepared_folder import REPORT_FILE
from seqmusic.corpus.works_table import WORKS_FILE, read_works
from seqmusic.errors import CorpusError

OUTCOMES = ("read", "repaired", "refused")
_MAX_LINES = 5


def folder_summary(folder: Path) -> str:
    """The files of a prepared folder by what became of them, and its works by where they go.

    Raises:
        CorpusError: a table is missing or damaged.
    """
    return "\n".join([*_files(folder), *_works(folder)]) + "\n"


def _files(folder: Path) -> Iterator[str]:
    outcomes: Counter[str] = Counter()
    words: dict[str, Counter[str]] = {outcome: Counter() for outcome in OUTCOMES}
    try:
        with (folder / REPORT_FILE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                outcomes[row["outcome"]] += 1
                told = row["words"].split("; ")[
                    : 1 if row["outcome"] == "refused" else None
                ]  # a refusal ends with its remedy
                words[row["outcome"]].update({remark_kind(text) for text in told if text})
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(
            f"{folder / REPORT_FILE}: missing or damaged; prepare the data again"
        ) from error
    yield f"{outcomes.total():,} files: " + ", ".join(
        f"{outcomes[outcome]:,} {outcome}" for outcome in OUTCOMES
    )
    for outcome in OUTCOMES:
        commonest = words[outcome].most_common(_MAX_LINES)
        yield from (f"  {outcome:<8} {count:>7,}  {text}" for text, count in commonest)


def _works(folder: Path) -> Iterator[str]:
    entries = read_works(folder / WORKS_FILE)
    kept = [entry for entry in entries.values() if not entry.reason]
    sizes = Counter(entry.family for entry in kept)
    parts = ", ".join(
        f"{split} {sum(entry.split == split for entry in kept):,}" for split in SPLITS
    )
    yield f"{len(kept):,} of {len(entries):,} works kept ({parts}), {len(sizes):,} tune families"
    reasons = Counter(reason_kind(entry.reason) for entry in entries.values() if entry.reason)
    yield from (
        f"  dropped  {count:>7,}  {reason}" for reason, count in reasons.most_common(_MAX_LINES)
    )
    if kept and max(sizes.values()) > max(1, len(kept) // 5):
        yield f"  one family has {max(sizes.values()):,} works and stays whole, so that the parts may differ from what was asked"
    if styles := Counter(entry.style for entry in kept if entry.style):
        yield "styles: " + ", ".join(
            f"{style} {count:,}" for style, count in sorted(styles.items())
        )


def remark_kind(text: str) -> str:
    """A sentence of a report without its figures and places, so that it can be counted.

    >>> remark_kind("notes of no length left out: 3 (first at byte 14)")
    'notes of no length left out'
    """
    return re.sub(r"\s*\([^)]*\)$", "", re.sub(r": \d+\b.*$", "", text))
