"""A data set in words and figures, for people to read in a terminal."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from seqmusic.corpus.cleaning import reason_kind
from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.corpus.similarity.families import LEAK_NOTES, shared_tune_share
from seqmusic.corpus.works_table import key_label, meter_label, n_bars
from seqmusic.score import TICKS_PER_QUARTER
from seqmusic.tonality import spell

_LINE_WIDTH = 100
_MAX_NAMES = 6


def describe(dataset: Dataset) -> str:
    """The data set in a page: parts, voices, lengths, keys, time signatures, durations, families, and what was dropped."""
    if not dataset.kept_works:
        return f"0 works kept of {len(dataset.works)}.\n\n{_dropped_text(dataset)}\n"
    notes = sum(work.score.n_notes for work in dataset.kept_works)
    sections = [
        f"{len(dataset.kept_works)} works kept of {len(dataset.works)}, {notes:,} notes.",
        _aligned_columns(_split_rows(dataset)),
        _aligned_columns(_voice_rows(dataset.kept_works)),
        _aligned_columns(_length_rows(dataset.kept_works)),
        _count_lines(
            "Time signatures (works)",
            Counter(meter_label(work.score) or "none" for work in dataset.kept_works),
        ),
        _count_lines(
            "Keys (works)", Counter(key_label(work.score) or "none" for work in dataset.kept_works)
        ),
        _count_lines("Durations in quarters (notes)", duration_counts(dataset.kept_works)),
        _family_text(dataset),
        _dropped_text(dataset),
    ]
    return "\n\n".join(sections) + "\n"


def cleaning_report(dataset: Dataset) -> str:
    """Each dropped work with its reason, and the count of each kind of reason."""
    if not dataset.dropped_works:
        return f"All {len(dataset.works)} works are kept.\n"
    rows = [
        ("Work", "Dropped because"),
        *((work.name, work.reason) for work in dataset.dropped_works),
    ]
    return f"{_aligned_columns(rows, left=2)}\n\n{_dropped_text(dataset)}\n"


def duration_counts(works: Iterable[Work]) -> Counter[str]:
    """How many notes last how many quarters."""
    ticks = Counter(
        note.duration_ticks for work in works for voice in work.score.voices for note in voice.notes
    )
    return Counter(
        {f"{duration / TICKS_PER_QUARTER:.4g}": count for duration, count in ticks.items()}
    )


def _split_rows(dataset: Dataset) -> Iterator[Sequence[str]]:
    yield "Part", "works", "share", "families", "notes", "bars"
    for name, works in (
        *((split, dataset.works_in(split)) for split in SPLITS),
        ("all", dataset.kept_works),
    ):
        share = f"{100 * len(works) / len(dataset.kept_works):.0f} %"
        families = len({work.family for work in works})
        notes, bars = (
            sum(work.score.n_notes for work in works),
            sum(n_bars(work.score) for work in works),
        )
        yield name, str(len(works)), share, str(families), f"{notes:,}", f"{bars:,}"


def _voice_rows(works: Sequence[Work]) -> Iterator[Sequence[str]]:
    yield "Voice", "works", "notes", "lowest", "highest", "mean"
    pitches: dict[str, list[int]] = {}
    holders: Counter[str] = Counter()
    for work in works:
        for voice in work.score.voices:
            holders[voice.name] += 1
            pitches.setdefault(voice.name, []).extend(note.pitch for note in voice.notes)
    shown = [name for name, _ in holders.most_common(16) if pitches[name]]
    for name in sorted(shown, key=list(pitches).index):
        line = pitches[name]
        low, mean, high = (
            str(spell(pitch, None))
            for pitch in (min(line), round(statistics.fmean(line)), max(line))
        )
        yield name, str(holders[name]), f"{len(line):,}", low, high, mean


def _length_rows(works: Sequence[Work]) -> Iterator[Sequence[str]]:
    yield "Length of a work", "shortest", "median", "mean", "longest"
    quarters = [work.score.end_ticks / TICKS_PER_QUARTER for work in works]
    for unit, lengths in (
        ("bars", [n_bars(work.score) for work in works]),
        ("quarters", quarters),
        ("notes", [work.score.n_notes for work in works]),
    ):
        figures = min(lengths), statistics.median(lengths), statistics.fmean(lengths), max(lengths)
        yield (
            unit,
            *(f"{figure:.10g}" if figure == int(figure) else f"{figure:.1f}" for figure in figures),
        )


def _family_text(dataset: Dataset) -> str:
    sizes = Counter(len(works) for works in dataset.families.values())
    largest = max(dataset.families.values(), key=len)
    names = ", ".join(work.name for work in largest[:_MAX_NAMES]) + (
        " ..." if len(largest) > _MAX_NAMES else ""
    )
    held_out = [work.score for split in SPLITS[1:] for work in dataset.works_in(split)]
    leak = shared_tune_share(held_out, [work.score for work in dataset.works_in("train")])
    return (
        f"Tune families: {len(dataset.families)}, {sizes[1]} of them of a single work; the largest has {len(largest)}:\n  {names}\n"
        f"Held-out works that share {LEAK_NOTES} notes in a row of their tune with a training work: {100 * leak:.0f} %"
    )


def _dropped_text(dataset: Dataset) -> str:
    return _count_lines(
        f"Dropped: {len(dataset.dropped_works)}",
        Counter(reason_kind(work.reason) for work in dataset.dropped_works),
    )


def _count_lines(title: str, counts: Counter[str]) -> str:
    """A title, and below it what was counted, the commonest first, in lines of at most `_LINE_WIDTH` characters."""
    lines, line = [title], ""
    for item in (
        f"{name}: {count:,}"
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ):
        if line and len(line) + len(item) + 4 > _LINE_WIDTH:
            lines.append(f"  {line},")
            line = item
        else:
            line = f"{line}, {item}" if line else item
    return "\n".join((*lines, f"  {line}")) if line else title


def _aligned_columns(rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Rows in columns, the first `left` of them flush left."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.ljust if column < left else str.rjust for column in range(len(widths))]
    lines = (
        "  ".join(pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
