"""A data set in one picture (extra ``[report]``, matplotlib)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.corpus.description import (
    duration_counts,
    family_sizes,
    key_counts,
    meter_counts,
)
from seqmusic.corpus.works_table import n_bars
from seqmusic.errors import CorpusError
from seqmusic.report.figures import BLUE, GRAY, GREEN, ORANGE, PURPLE, new_figure, write_figure
from seqmusic.score import SATB
from seqmusic.tonality import spell

_COLORS = (BLUE, GREEN, PURPLE, ORANGE)
_MAX_ROWS = 14
_MIN_ROWS = 9  # height of the panel in bars, so that a few bars do not become too thick


def plot_dataset(dataset: Dataset, path: Path) -> Path:
    """Draw a data set into a .png, .svg or .pdf file; returns `path`.

    The panels show keys, pitches, lengths, time signatures, durations and tune families.

    Raises:
        MissingExtraError: matplotlib is not installed.
        CorpusError: no work is kept.
        FormatError: it is another kind of file, or cannot be written.
    """
    if not dataset.kept_works:
        raise CorpusError("there is nothing to draw: no work of the data set is kept")
    return write_figure(_figure(dataset), path)


def _figure(dataset: Dataset) -> Any:
    figure = new_figure(15, 8.5)
    works = dataset.kept_works
    n_notes = sum(work.score.n_notes for work in works)
    figure.suptitle(f"{len(works)} works, {n_notes:,} notes", fontsize=15)
    panels = figure.subplots(2, 3)
    _bar_chart(panels[0, 0], key_counts(works), "Keys", "works")
    _pitches(panels[0, 1], works)
    _length_histogram(panels[0, 2], dataset)
    _bar_chart(panels[1, 0], meter_counts(works), "Time signatures", "works")
    _durations(panels[1, 1], works)
    _family_sizes(panels[1, 2], dataset)
    for panel in panels.flat:
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def _durations(panel: Any, works: Sequence[Work]) -> None:
    counts = duration_counts(works)
    _bar_chart(panel, counts, "Durations", "notes (logarithmic)", is_logarithmic=True)
    panel.set_ylabel("quarters")


def _bar_chart(
    panel: Any, counts: Counter[str], title: str, unit: str, *, is_logarithmic: bool = False
) -> None:
    """A bar for each of the most frequent names, which come first, and one for all others."""
    shown = counts.most_common(_MAX_ROWS)
    if others := counts.total() - sum(count for _, count in shown):
        shown.append((f"{len(counts) - _MAX_ROWS} others", others))
    names, numbers = zip(*reversed(shown), strict=True)
    colors = [GRAY if name.endswith(" others") else BLUE for name in names]
    bars = panel.barh(names, numbers, color=colors, log=is_logarithmic)
    panel.bar_label(bars, labels=[f"{number:,}" for number in numbers], padding=3, fontsize=9)
    panel.margins(x=0.12)
    panel.set(title=title, xlabel=unit, ylim=(min(-0.6, len(shown) - _MIN_ROWS), len(shown) - 0.4))
    if is_logarithmic:
        panel.set_xlim(left=0.8)


def _pitches(panel: Any, works: Sequence[Work]) -> None:
    """A ridge for each voice, the highest on top; its maximum nearly reaches the next ridge."""
    voices: dict[str, Counter[int]] = {}
    for work in works:
        for voice in work.score.voices:
            voices.setdefault(voice.name, Counter()).update(note.pitch for note in voice.notes)
    shown = [name for name in SATB if name in voices]
    if not shown:  # the voices with the most notes
        shown = sorted(voices, key=lambda name: -voices[name].total())[: len(SATB)]
    for row, (name, color) in enumerate(zip(reversed(shown), _COLORS, strict=False)):
        counts = voices[name]
        pitches = range(min(counts, default=60) - 1, max(counts, default=60) + 2)
        most = max(counts.values(), default=1)
        heights = [row + 0.9 * counts[pitch] / most for pitch in pitches]
        panel.fill_between(pitches, row, heights, step="mid", color=color, alpha=0.85, linewidth=0)
        panel.axhline(row, color=color, linewidth=0.8)
    low, high = panel.get_xlim()
    octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch <= high]
    panel.set_xticks(octaves, [f"{spell(pitch, None)}\n{pitch}" for pitch in octaves])
    panel.set_yticks([row + 0.4 for row in range(len(shown))], list(reversed(shown)), fontsize=11)
    panel.tick_params(axis="y", length=0)
    panel.set(title="Pitches by voice", xlabel="pitch (name, MIDI number)")
    panel.set(ylabel="share of the voice's notes", ylim=(0, len(shown)))


def _length_histogram(panel: Any, dataset: Dataset) -> None:
    longest = max(n_bars(work.score) for work in dataset.kept_works)
    edges = list(range(0, longest + 2, max(1, longest // 24)))
    parts = [[n_bars(work.score) for work in dataset.works_in(split)] for split in SPLITS]
    labels = [f"{split} ({len(part)})" for split, part in zip(SPLITS, parts, strict=True)]
    style = {"color": [BLUE, GRAY, ORANGE], "edgecolor": "white", "linewidth": 0.5}
    panel.hist(parts, bins=edges, stacked=True, label=labels, **style)
    panel.set(title="Lengths", xlabel="bars", ylabel="works")
    panel.legend(frameon=False)


def _family_sizes(panel: Any, dataset: Dataset) -> None:
    sizes = family_sizes(dataset)
    bars = panel.bar(list(sizes), list(sizes.values()), color=GREEN)
    panel.bar_label(bars, fontsize=9)
    panel.set(title=f"Tune families ({len(dataset.families)})")
    panel.set(xlabel="works that share a tune", ylabel="families")
    panel.xaxis.get_major_locator().set_params(integer=True)
