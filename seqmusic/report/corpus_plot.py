"""A data set in one picture (extra ``[report]``, matplotlib)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqmusic.corpus.dataset import SPLITS, Dataset, Work
from seqmusic.corpus.description import duration_counts
from seqmusic.corpus.works_table import key_label, meter_label, n_bars
from seqmusic.errors import CorpusError
from seqmusic.report.figures import BLUE, GRAY, GREEN, ORANGE, PURPLE, new_figure, write_figure
from seqmusic.score import SATB
from seqmusic.tonality import spell

_COLORS = (BLUE, GREEN, PURPLE, ORANGE)
_MAX_ROWS = 14
_MIN_ROWS = 9  # so that few bars do not become broad ones


def plot_dataset(dataset: Dataset, path: Path) -> Path:
    """Draw keys, time signatures, lengths, pitches, durations and tune families into a .png, .svg or .pdf; returns `path`.

    Raises:
        MissingExtraError: matplotlib is not installed.
        CorpusError: no work is kept, so there is nothing to draw.
        FormatError: another kind of file, or one that cannot be written.
    """
    if not dataset.kept_works:
        raise CorpusError("there is nothing to draw: no work of the data set is kept")
    return write_figure(_figure(dataset), path)


def _figure(dataset: Dataset) -> Any:
    figure = new_figure(15, 8.5)
    figure.suptitle(
        f"{len(dataset.kept_works)} works, {sum(work.score.n_notes for work in dataset.kept_works):,} notes",
        fontsize=15,
    )
    panels = figure.subplots(2, 3)
    _keys(panels[0, 0], dataset.kept_works)
    _pitches(panels[0, 1], dataset.kept_works)
    _length_histogram(panels[0, 2], dataset)
    _time_signatures(panels[1, 0], dataset.kept_works)
    _durations(panels[1, 1], dataset.kept_works)
    _family_sizes(panels[1, 2], dataset)
    for panel in panels.flat:
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def _keys(panel: Any, works: Sequence[Work]) -> None:
    _bar_chart(panel, Counter(key_label(work.score) or "none" for work in works), "Keys", "works")


def _time_signatures(panel: Any, works: Sequence[Work]) -> None:
    _bar_chart(
        panel,
        Counter(meter_label(work.score) or "none" for work in works),
        "Time signatures",
        "works",
    )


def _durations(panel: Any, works: Sequence[Work]) -> None:
    _bar_chart(
        panel, duration_counts(works), "Durations", "notes (logarithmic)", is_logarithmic=True
    )
    panel.set_ylabel("quarters")


def _bar_chart(
    panel: Any, counts: Counter[str], title: str, unit: str, *, is_logarithmic: bool = False
) -> None:
    """The commonest on top, with their counts; the others together below."""
    shown = counts.most_common(_MAX_ROWS)
    if others := counts.total() - sum(count for _, count in shown):
        shown.append((f"{len(counts) - _MAX_ROWS} others", others))
    names, numbers = zip(*reversed(shown), strict=True)
    colors = [GRAY if name.endswith(" others") else BLUE for name in names]
    drawn = panel.barh(names, numbers, color=colors, log=is_logarithmic)
    panel.bar_label(drawn, labels=[f"{number:,}" for number in numbers], padding=3, fontsize=9)
    panel.margins(x=0.12)
    panel.set(title=title, xlabel=unit, ylim=(min(-0.6, len(shown) - _MIN_ROWS), len(shown) - 0.4))
    if is_logarithmic:
        panel.set_xlim(left=0.8)


def _pitches(panel: Any, works: Sequence[Work]) -> None:
    """One ridge a voice, the highest voice on top; the tallest step of each reaches nearly to the next."""
    voices: dict[str, Counter[int]] = {}
    for work in works:
        for voice in work.score.voices:
            voices.setdefault(voice.name, Counter()).update(note.pitch for note in voice.notes)
    shown = [name for name in SATB if name in voices] or sorted(
        voices, key=lambda name: -voices[name].total()
    )[: len(SATB)]
    for row, (name, color) in enumerate(zip(reversed(shown), _COLORS, strict=False)):
        pitches = range(min(voices[name], default=60) - 1, max(voices[name], default=60) + 2)
        tallest = max(voices[name].values(), default=1)
        heights = [row + 0.9 * voices[name][pitch] / tallest for pitch in pitches]
        panel.fill_between(pitches, row, heights, step="mid", color=color, alpha=0.85, linewidth=0)
        panel.axhline(row, color=color, linewidth=0.8)
    low, high = panel.get_xlim()
    octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch <= high]
    panel.set_xticks(octaves, [f"{spell(pitch, None)}\n{pitch}" for pitch in octaves])
    panel.set_yticks([row + 0.4 for row in range(len(shown))], list(reversed(shown)), fontsize=11)
    panel.tick_params(axis="y", length=0)
    panel.set(
        title="Pitches by voice",
        xlabel="pitch (name, MIDI number)",
        ylabel="share of the voice's notes",
    )
    panel.set_ylim(0, len(shown))


def _length_histogram(panel: Any, dataset: Dataset) -> None:
    longest = max(n_bars(work.score) for work in dataset.kept_works)
    edges = range(0, longest + 2, max(1, longest // 24))
    parts = [[n_bars(work.score) for work in dataset.works_in(split)] for split in SPLITS]
    labels = [f"{split} ({len(part)})" for split, part in zip(SPLITS, parts, strict=True)]
    panel.hist(
        parts,
        bins=list(edges),
        stacked=True,
        color=[BLUE, GRAY, ORANGE],
        label=labels,
        edgecolor="white",
        linewidth=0.5,
    )
    panel.set(title="Lengths", xlabel="bars", ylabel="works")
    panel.legend(frameon=False)


def _family_sizes(panel: Any, dataset: Dataset) -> None:
    sizes = Counter(len(works) for works in dataset.families.values())
    drawn = panel.bar(list(sizes), list(sizes.values()), color=GREEN)
    panel.bar_label(drawn, fontsize=9)
    panel.set(
        title=f"Tune families ({len(dataset.families)})",
        xlabel="works that share a tune",
        ylabel="families",
    )
    panel.xaxis.get_major_locator().set_params(integer=True)
