"""A data set described in text and tables, for people to read in a terminal."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.corpus.selection.cleaning import reason_kind
from seqmusic.corpus.similarity.families import LEAK_NOTES, shared_tune_share
from seqmusic.corpus.works_table import WorkEntry, key_label, meter_label, n_bars
from seqmusic.score import TICKS_PER_QUARTER
from seqmusic.tonality import spell

_LINE_WIDTH = 100
_MAX_NAMES = 6


def describe(dataset: Dataset) -> str:
    """The data set on a page.

    It shows parts, voices, lengths, time signatures, keys, durations, families and dropped works.
    """
    works = dataset.kept_works
    if not works:
        return f"0 works kept of {len(dataset.works)}.\n\n{_dropped_text(dataset)}\n"
    n_notes = sum(work.score.n_notes for work in works)
    sections = [
        f"{len(works)} works kept of {len(dataset.works)}, {n_notes:,} notes.",
        _aligned_columns(_split_rows(dataset)),
        _aligned_columns(_voice_rows(works)),
        _aligned_columns(_length_rows(works)),
        _count_lines("Time signatures (works)", meter_counts(works)),
        _count_lines("Keys (works)", key_counts(works)),
        _count_lines("Durations in quarters (notes)", duration_counts(works)),
        _family_text(dataset),
        _dropped_text(dataset),
    ]
    return "\n\n".join(sections) + "\n"


def cleaning_report(dataset: Dataset) -> str:
    """Each dropped work with its reason, and the count of each kind of reason."""
    if not dataset.dropped_works:
        return f"All {len(dataset.works)} works are kept.\n"
    rows = [(work.name, work.reason) for work in dataset.dropped_works]
    table = _aligned_columns([("Work", "Dropped because"), *rows], n_left=2)
    return f"{table}\n\n{_dropped_text(dataset)}\n"


def key_counts(works: Iterable[Work]) -> Counter[str]:
    """Number of works in each key."""
    return Counter(key_label(work.score) or "none" for work in works)


def meter_counts(works: Iterable[Work]) -> Counter[str]:
    """Number of works in each meter."""
    return Counter(meter_label(work.score) or "none" for work in works)


def duration_counts(works: Iterable[Work]) -> Counter[str]:
    """Number of notes of each duration in quarters."""
    ticks = Counter(
        note.duration_ticks for work in works for voice in work.score.voices for note in voice.notes
    )
    return Counter({f"{tick / TICKS_PER_QUARTER:.4g}": count for tick, count in ticks.items()})


def family_sizes(dataset: Dataset) -> Counter[int]:
    """Number of tune families of each size."""
    return Counter(len(works) for works in dataset.families.values())


def reason_counts(works: Iterable[Work | WorkEntry]) -> Counter[str]:
    """Number of dropped works for each kind of reason."""
    return Counter(reason_kind(work.reason) for work in works if work.reason)


def _split_rows(dataset: Dataset) -> Iterator[Sequence[str]]:
    yield "Part", "works", "share", "families", "notes", "bars"
    for name in (*SPLITS, "all"):
        works = dataset.kept_works if name == "all" else dataset.works_in(name)
        share = f"{100 * len(works) / len(dataset.kept_works):.0f} %"
        n_families = len({work.family for work in works})
        n_notes = sum(work.score.n_notes for work in works)
        bars = sum(n_bars(work.score) for work in works)
        yield name, str(len(works)), share, str(n_families), f"{n_notes:,}", f"{bars:,}"


def _voice_rows(works: Sequence[Work]) -> Iterator[Sequence[str]]:
    yield "Voice", "works", "notes", "lowest", "highest", "mean"
    pitches: dict[str, list[int]] = {}
    n_works: Counter[str] = Counter()
    for work in works:
        for voice in work.score.voices:
            n_works[voice.name] += 1
            pitches.setdefault(voice.name, []).extend(note.pitch for note in voice.notes)
    shown = [name for name, _ in n_works.most_common(16) if pitches[name]]
    for name in sorted(shown, key=list(pitches).index):
        of_voice = pitches[name]
        figures = min(of_voice), max(of_voice), round(statistics.fmean(of_voice))
        spelled = (str(spell(pitch, None)) for pitch in figures)
        yield name, str(n_works[name]), f"{len(of_voice):,}", *spelled


def _length_rows(works: Sequence[Work]) -> Iterator[Sequence[str]]:
    yield "Length of a work", "shortest", "median", "mean", "longest"
    yield "bars", *_spread([n_bars(work.score) for work in works])
    yield "quarters", *_spread([work.score.end_ticks / TICKS_PER_QUARTER for work in works])
    yield "notes", *_spread([work.score.n_notes for work in works])


def _spread(lengths: Sequence[float]) -> Iterator[str]:
    """The least, median, mean and greatest length."""
    figures = min(lengths), statistics.median(lengths), statistics.fmean(lengths), max(lengths)
    for figure in figures:
        yield f"{figure:.10g}" if figure == int(figure) else f"{figure:.1f}"


def _family_text(dataset: Dataset) -> str:
    families = dataset.families.values()
    largest = max(families, key=len)
    names = ", ".join(work.name for work in largest[:_MAX_NAMES])
    if len(largest) > _MAX_NAMES:
        names += " ..."
    held_out = [work.score for split in SPLITS[1:] for work in dataset.works_in(split)]
    leak = shared_tune_share(held_out, [work.score for work in dataset.works_in("train")])
    return (
        f"Tune families: {len(families)}, {family_sizes(dataset)[1]} of them of a single work; "
        f"the largest has {len(largest)}:\n  {names}\n"
        f"Held-out works that share {LEAK_NOTES} notes in a row of their tune "
        f"with a training work: {100 * leak:.0f} %"
    )


def _dropped_text(dataset: Dataset) -> str:
    title = f"Dropped: {len(dataset.dropped_works)}"
    return _count_lines(title, reason_counts(dataset.dropped_works))


def _count_lines(title: str, counts: Counter[str]) -> str:
    """A title, and below it the counts, the largest first, in lines of at most `_LINE_WIDTH`."""
    lines, line = [title], ""
    for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        item = f"{name}: {count:,}"
        if line and len(line) + len(item) + 4 > _LINE_WIDTH:
            lines.append(f"  {line},")
            line = item
        else:
            line = f"{line}, {item}" if line else item
    return "\n".join((*lines, f"  {line}")) if line else title


def _aligned_columns(rows: Iterable[Sequence[str]], n_left: int = 1) -> str:
    """Rows in columns, the first `n_left` of them flush left, the others flush right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.ljust if column < n_left else str.rjust for column in range(len(widths))]
    lines = (
        "  ".join(pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
