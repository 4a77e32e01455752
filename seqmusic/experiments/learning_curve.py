"""What experience brings: the same model trained on ever more works, held-out nats a cell, and the law that they follow.

The parts are nested, and they grow by whole tune families, so that a part has about as many works a tune as the corpus has, and a
step to the right means more music rather than more settings of the same tunes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from seqmusic.checkpoints import vocabulary
from seqmusic.configuration import Configuration
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.drawing import draw_batch, training_data
from seqmusic.evaluation.benchmark import HeldOut, held_out
from seqmusic.experiments.laws import PowerLaw, fit_power_law, resampled
from seqmusic.experiments.study import Row, common_settings, most_voices, open_study, run_trials, table_text, write_table
from seqmusic.experiments.trial import train_trial
from seqmusic.figures import new_figure, write_figure
from seqmusic.formats.files import write_atomic
from seqmusic.model.transformer import Transformer
from seqmusic.report.charts import Line, line_chart

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
_N_RESAMPLES = 1000
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """What the law says of a corpus twice as large.

    Attributes:
        law: fitted to the means over seeds.
        nats_per_cell: at twice the works.
        gain: nats a cell saved by them, against the law at all works.
        interval: where 95 percent of the gains lie when the seeds of each part are drawn again.
    """

    law: PowerLaw
    nats_per_cell: float
    gain: float
    interval: tuple[float, float]


def learning_curve_study(
    configuration: Configuration,
    dataset: Dataset,
    folder: Path,
    *,
    n_seeds: int = 3,
    show: Callable[[str], None] = print,
) -> Extrapolation:
    """Train on 1/16, 1/8 ... all of the training works, and leave tables, a picture and the law in the folder.

    Every trial may train equally long, and counts with its best evaluation on the validation works: a small part is learned by
    heart before that, and would be charged for it.

    Args:
        configuration: of every trial; its seed is the first.
        dataset: its training works are divided.
        folder: new, or that of a study to go on with.
        n_seeds: each orders the works anew, and begins with other weights.
        show: takes lines for people.

    Raises:
        FormatError: the folder holds something else.
        CheckpointError: the folder holds another study.
        MissingExtraError: matplotlib is not installed.
        ValueError: no seed, or too few works for three parts.
    """
    if n_seeds < 1:
        raise ValueError(f"n_seeds must be 1 or more, got {n_seeds}")
    new_figure(1, 1)
    works = dataset.part("train")
    pieces = held_out([work.score for work in dataset.part("valid")], most_voices(dataset))
    sizes = sorted({max(1, round(share * len(works))) for share in SHARES})
    seeds = [configuration.training.seed + k for k in range(n_seeds)]
    open_study(folder, common_settings("learning-curve", configuration, dataset))
    trials = {
        f"works-{size}-seed-{seed}": partial(_trial, configuration, works, pieces, size, seed) for size in sizes for seed in seeds
    }
    rows = list(run_trials(folder, trials, show).values())
    found = extrapolated([(size, [row["nats_per_cell"] for row in rows if row["works"] == size]) for size in sizes])
    _write(folder, rows, found, show)
    return found


def nested_part(works: Sequence[Work], n_works: int, seed: int) -> list[Work]:
    """The first `n_works` works in an order of tune families that `seed` decides: what is smaller is contained in what is larger.

    A work without a family stands alone; of the last family that is taken there may be only a part.
    """
    families: dict[object, list[Work]] = {}
    for work in works:
        families.setdefault(work.family if work.family >= 0 else work.name, []).append(work)
    order = np.random.default_rng(seed).permutation(len(families))
    ordered = list(families.values())
    return [work for place in order for work in ordered[place]][:n_works]


def extrapolated(points: Sequence[tuple[int, Sequence[float]]]) -> Extrapolation:
    """The law through the means, and what twice the works would bring, from each part's size and the figures of its seeds."""
    sizes, figures = [size for size, _ in points], [values for _, values in points]
    law = fit_power_law(sizes, [float(np.mean(values)) for values in figures])
    gains = []
    for means in resampled(figures, _N_RESAMPLES):
        own = fit_power_law(sizes, means.tolist())
        gains.append(own.at(sizes[-1]) - own.at(2 * sizes[-1]))
    low, high = np.quantile(gains, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    twice = law.at(2 * sizes[-1])
    return Extrapolation(law, twice, law.at(sizes[-1]) - twice, (float(low), float(high)))


def _trial(configuration: Configuration, works: Sequence[Work], pieces: HeldOut, n_works: int, seed: int) -> Row:
    part = nested_part(works, n_works, seed)
    settings, words = replace(configuration.training, seed=seed), vocabulary(pieces.max_voices)
    data = replace(training_data(part), max_voices=words.max_voices)
    torch.manual_seed(seed)
    model = Transformer(configuration.model, words)
    done = train_trial(model, settings, lambda step: draw_batch(data, settings, step), pieces, name=f"{n_works} works, seed {seed}")
    n_families = len({work.family if work.family >= 0 else work.name for work in part})
    about = {"works": n_works, "seed": seed, "families": n_families, "notes": sum(work.score.n_notes for work in part)}
    return {**about, **done.figures()}


def _write(folder: Path, rows: Sequence[Row], found: Extrapolation, show: Callable[[str], None]) -> None:
    """Tables, picture and law into the folder, and the table to people."""
    table = [_summary([row for row in rows if row["works"] == size]) for size in sorted({row["works"] for row in rows})]
    write_table(folder / "trials.csv", [{name: value for name, value in row.items() if name != "curve"} for row in rows])
    write_table(folder / "table.csv", table)
    law = found.law
    result = {
        "table": table,
        "law": {"limit": law.limit, "scale": law.scale, "exponent": law.exponent},
        "twice_the_works": {"nats_per_cell": found.nats_per_cell, "gain": found.gain, "interval": list(found.interval)},
    }
    write_atomic(folder / "result.json", json.dumps(result, indent=1) + "\n")
    for kind in ("svg", "png"):
        write_figure(_chart(table, law), folder / f"learning-curve.{kind}")
    shown = [
        {
            "works": str(row["works"]),
            "tunes": f"{row['families']:.0f}",
            "notes": f"{row['notes']:,.0f}",
            "nats a cell": f"{row['nats_per_cell']:.4f}",
            "lowest": f"{row['lowest']:.4f}",
            "highest": f"{row['highest']:.4f}",
            "best after": f"{row['best_step']:.0f} batches",
            "law": f"{law.at(row['works']):.4f}",
        }
        for row in table
    ]
    show(table_text(shown))
    show(f"law: {law.limit:.4f} + {law.scale:.4f} x works ^ -{law.exponent:.3f}, least squares on the means over seeds")
    low, high = found.interval
    show(
        f"twice the works would bring {found.gain:.4f} nats a cell [{low:.4f}..{high:.4f} over seeds], "
        f"from {law.at(table[-1]['works']):.4f} to {found.nats_per_cell:.4f}"
    )
    show(f"tables, picture and trials are in {folder}")


def _summary(rows: Sequence[Row]) -> Row:
    """One part: means over its seeds, and the lowest and highest figure."""
    nats = [row["nats_per_cell"] for row in rows]
    means = {name: float(np.mean([row[name] for row in rows])) for name in ("families", "notes", "best_step", "cpu_seconds")}
    return {
        "works": rows[0]["works"],
        "seeds": len(rows),
        "nats_per_cell": float(np.mean(nats)),
        "lowest": min(nats),
        "highest": max(nats),
        **means,
    }


def _chart(table: Sequence[Row], law: PowerLaw) -> object:
    sizes = [row["works"] for row in table]
    curve = np.geomspace(sizes[0], 2 * sizes[-1], 60)
    measured = Line(
        "mean (band: all seeds)",
        sizes,
        [row["nats_per_cell"] for row in table],
        [row["lowest"] for row in table],
        [row["highest"] for row in table],
    )
    return line_chart(
        [measured, Line("fitted law, to twice the works", curve.tolist(), [law.at(n) for n in curve], is_guide=True)],
        x_label="works to train on (logarithmic)",
        y_label="validation, nats a cell",
        log_x=True,
    )
