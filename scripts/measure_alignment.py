"""Align a model with several seeds, and measure the result on works that no decision was made on.

python scripts/measure_alignment.py --out runs/alignment-study

Prints Markdown tables: the figures of the base and of each aligned model on the works of a split,
with masks off at temperature 1; and what the answers of simulated people change. Whatever is
finished is kept in the folder, so the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from seqmusic.alignment.align import PreferenceFiles, align, held_out_works
from seqmusic.alignment.assessment import UNITS, Figures, HeldOut, assess_model, assess_written
from seqmusic.alignment.comparing import (
    COMPOSED_BARS,
    GIVEN_BARS,
    compose_answers,
    load_compared_model,
    taste_of,
)
from seqmusic.alignment.passages import first_passage
from seqmusic.alignment.preferences import read_preferences, write_preferences
from seqmusic.alignment.rounds import figures_to_record, record_to_figures
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.alignment.simulated_people import (
    SimulatedPerson,
    compose_for_ranking,
    model_shift,
    ranking_shift,
    simulate_answers,
)
from seqmusic.atomic_files import write_atomic
from seqmusic.cli.messages import shown_messages
from seqmusic.evaluation.estimates import Estimate
from seqmusic.evaluation.subject import load_subject
from seqmusic.model.decoding.decoder import prepare_for_decoding
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import load_model

PEOPLE = (
    SimulatedPerson("stepwise motion"),
    SimulatedPerson("root-position triads", seed=1),
    SimulatedPerson("dominant-tonic motion", seed=2),
)
FEW, MANY = 40, 200  # answers that rank candidates, and that align a model
N_RANKED = 8  # candidates of each beginning


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("chorales"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rounds", type=int, default=AlignmentSettings.rounds)
    parser.add_argument("--split", choices=("valid", "test"), default="test")
    parser.add_argument("--people", type=int, default=len(PEOPLE), help="how many are simulated")
    arguments = parser.parse_args()
    with shown_messages():
        measure_seeds(arguments)
        for person in PEOPLE[: arguments.people]:
            measure_person(arguments, person)


def measure_seeds(arguments: argparse.Namespace) -> None:
    """Align by rules with each seed, and print the figures of all on the split."""
    kept: list[tuple[str, Path]] = []
    for seed in arguments.seeds:
        out = arguments.out / f"rules-{seed}"
        settings = AlignmentSettings(rounds=arguments.rounds, seed=seed)
        results = align(arguments.model, PreferenceFiles(names=("rules",)), out, settings)
        print(f"seed {seed}: {results.n_kept} of {len(results.guards)} rounds kept all guards")
        if results.n_kept:
            kept.append((f"seed {seed}", out))
    subject = load_subject(arguments.model, arguments.split)
    held_out = held_out_works(subject, (arguments.split,))
    folder = arguments.out / f"figures-{arguments.split}"
    written = _kept(folder / "written.json", partial(assess_written, held_out))
    base = _kept(folder / "base.json", partial(_assess, subject.model, subject.model, held_out))
    aligned = [
        (
            name,
            _kept(
                folder / f"{out.name}.json", partial(_assess_folder, out, subject.model, held_out)
            ),
        )
        for name, out in kept
    ]
    print(_figures_table(base, aligned, written))


def measure_person(arguments: argparse.Namespace, person: SimulatedPerson) -> None:
    """Simulate a person, and print what 40 answers and what 200 answers change."""
    out = arguments.out / person.name.replace(" ", "-")
    compared = load_compared_model(arguments.model)
    file = out / "preferences.csv"
    if not file.is_file():
        write_preferences(file, simulate_answers(person, compared, MANY))
    subject = load_subject(arguments.model, arguments.split)
    scores = [work.score for work in subject.works]
    found = (first_passage(score, GIVEN_BARS, COMPOSED_BARS) for score in scores)
    heads = [head for head in found if head is not None]
    groups = compose_for_ranking(compared.model, heads, N_RANKED, seed=0)
    decisive = [answer for answer in read_preferences(file) if answer.choice in "AB"]
    taste = taste_of(compose_answers(compared, decisive[:FEW]))
    shift, error = ranking_shift(person, taste, groups)
    print(f"{person.name}: {FEW} answers rank by {shift:+.2f} ± {error:.2f} deviations")
    settings = AlignmentSettings(rounds=arguments.rounds, seed=person.seed)
    results = align(arguments.model, PreferenceFiles(names=(str(file),)), out / "aligned", settings)
    if results.n_kept:
        model = prepare_for_decoding(load_model(out / "aligned"))
        after = [p for group in compose_for_ranking(model, heads, N_RANKED, seed=0) for p in group]
        before = [passage for group in groups for passage in group]
        shift, error = model_shift(person, before, after)
        print(f"{person.name}: {MANY} answers move the model by {shift:+.2f} ± {error:.2f}")
    print(f"{person.name}: {results.n_kept} of {len(results.guards)} rounds kept all guards")


def _assess(model: Transformer, base: Transformer, held_out: HeldOut) -> Figures:
    return assess_model(model, base, held_out)


def _assess_folder(folder: Path, base: Transformer, held_out: HeldOut) -> Figures:
    return assess_model(load_model(folder), base, held_out)


def _kept(path: Path, measure: Callable[[], Figures]) -> Figures:
    """Figures from a file, or measured now and written there."""
    if not path.is_file():
        write_atomic(path, json.dumps(figures_to_record(measure()), indent=1) + "\n")
    return record_to_figures(json.loads(path.read_text(encoding="utf-8")))


def _figures_table(base: Figures, aligned: Sequence[tuple[str, Figures]], written: Figures) -> str:
    """Each figure of the base, of each seed, their mean, its share of the base, and Bach's."""
    headings = ["figure", "unit", "base", *(name for name, _ in aligned), "mean / base", "Bach"]
    lines = [headings, ["---"] * len(headings)]
    for name, unit in UNITS.items():
        cells = [base.get(name), *(figures.get(name) for _, figures in aligned)]
        ratio = _ratio_text([figures[name].value for _, figures in aligned], base[name].value)
        lines.append([name, unit, *map(_cell, cells), ratio, _cell(written.get(name))])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(found: Estimate | None) -> str:
    return "" if found is None else f"{found.value:.4g} [{found.low:.4g}..{found.high:.4g}]"


def _ratio_text(values: Sequence[float], base: float) -> str:
    """Mean of the ratios to the base, and the lowest and the highest of them."""
    if not values or not base:
        return ""
    ratios = np.array(values) / base
    return f"{ratios.mean():.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


if __name__ == "__main__":
    main()
