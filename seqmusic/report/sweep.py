"""The sections of a report that come from samples: the temperature sweep, and originality."""

from __future__ import annotations

from collections.abc import Sequence

from seqmusic.evaluation.estimates import UNITS
from seqmusic.evaluation.samples import MAX_WORK_BARS, OPENING_BARS, find_openings
from seqmusic.evaluation.sampling_settings import LADDERS, SamplingSetting, sampling_settings
from seqmusic.evaluation.subject import Subject
from seqmusic.evaluation.temperature_sweep import TemperatureSweep, sweep_temperatures
from seqmusic.report.copying_curve import COPYING_CSV, read_copying
from seqmusic.report.originality_section import originality_section
from seqmusic.report.sections import Chart, Section
from seqmusic.report.sweep_charts import capitalized, mean_gap_figure, measure_figure
from seqmusic.report.sweep_tables import gap_table, measure_table, sweep_table

_TITLE = "The temperature sweep"
_NOTHING_SAMPLED = (
    f"Samples continue the first {OPENING_BARS} bars of held-out works. Either none of these works "
    f"has more bars and at most {MAX_WORK_BARS}, or there are no training works to compare with; "
    "so nothing was sampled."
)
_N_BEST_NAMED = 3  # settings whose mean gaps the prose names


def sample_sections(
    subject: Subject, *, n: int = 100, settings: Sequence[SamplingSetting] | None = None
) -> tuple[Section, ...]:
    """The temperature sweep and the originality of a model; this takes minutes.

    If no held-out work can be continued, the only section says so.

    Args:
        subject: a model, and the works whose openings it continues; copying over its training is
            shown if its folder holds a table of it.
        n: number of samples for each setting, rounded up to a multiple of four.
        settings: how samples are drawn; None for all of `sampling_settings`.

    Raises:
        FormatError: the table in the folder is damaged.
    """
    path, model = subject.folder / COPYING_CSV, subject.model
    copying_curve = read_copying(path) if path.is_file() else ()
    training = [work.score for work in subject.dataset.works_in("train")]
    openings = find_openings(
        [work.score for work in subject.works],
        context_length=model.settings.context_length,
        max_voices=model.vocabulary.max_voices,
    )
    if len(training) < 2 or not openings:
        return (Section("dial", _TITLE, (_NOTHING_SAMPLED,)),)
    settings = sampling_settings() if settings is None else settings
    sweep = sweep_temperatures(model, openings, training, settings, n=n)
    return temperature_section(sweep), originality_section(sweep, copying_curve)


def temperature_section(sweep: TemperatureSweep) -> Section:
    """Every measure as a curve over the settings, and the setting closest to the works."""
    mean_gaps = Chart(
        mean_gap_figure(sweep),
        "The distance of each setting from the held-out works over all measures: lower is closer.",
    )
    measures = (Chart(measure_figure(sweep, name), _caption(sweep, name)) for name in UNITS)
    return Section(
        "dial",
        _TITLE,
        _prose(sweep),
        (mean_gaps, *measures),
        tables=(measure_table(sweep), gap_table(sweep), sweep_table(sweep)),
    )


def _prose(sweep: TemperatureSweep) -> tuple[str, str, str]:
    mean_gaps = sorted(sweep.mean_gaps().items(), key=lambda item: item[1])
    smallest = ", ".join(f"{name} {gap:.2f}" for name, gap in mean_gaps[:_N_BEST_NAMED])
    n_pieces = max(point.pieces for point in sweep.points)
    ladders = " ".join(f"“{capitalized(name)}” is {text}." for name, text in LADDERS.items())
    return (
        f"The model was given the first {OPENING_BARS} bars of held-out works in all voices, and "
        f"composed the rest, to the same length: about {n_pieces} pieces at each setting. What "
        f"follows the same {OPENING_BARS} bars in the held-out works was measured alike; it is the "
        f"dashed line, with its interval (95 percent, by bootstrap over pieces). {ladders}",
        f"Recommended: {sweep.recommended().name}. Rule: the smallest mean gap over all "
        f"{len(sweep.works)} measures, where a gap is how far a value lies outside the interval of "
        "the held-out works, divided by the largest such distance of all settings. "
        f"The smallest mean gaps: {smallest}. The table names the closest setting in each measure.",
        "Distances are those of Jensen and Shannon to the training works, 0 for equal shares and 1 "
        "if nothing is shared; the dotted line is the distance between two halves of the training "
        "works, and a distance below it means nothing.",
    )


def _caption(sweep: TemperatureSweep, name: str) -> str:
    works = sweep.works[name]
    text = (
        f"{capitalized(name)}, {UNITS[name]}. Held-out works: {works.value:.3g} "
        f"[{works.low:.3g}..{works.high:.3g}]"
    )
    closest = sweep.best().get(name)
    return f"{text}; closest: {closest}." if closest else f"{text}."
