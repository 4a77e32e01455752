"""The protocol of recognition: held-out works, shortcuts, transformations, sources left out.

Units are works; groups of what belongs together are never torn; the recognizer is trained on 60,
calibrated on 20 and tested on 20 percent of the works of each class. Every class weighs the same.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from seqmusic.corpus.cache import cache_folder
from seqmusic.progress import track
from seqmusic.recognition.assembly import train_recognizer
from seqmusic.recognition.audit import shortcut_accuracies, transformation_agreement
from seqmusic.recognition.calibration import TrialInputs, trial_inputs, with_limits
from seqmusic.recognition.fusion import Evidence, Floats
from seqmusic.recognition.inputs import INPUT_KINDS
from seqmusic.recognition.measures import (
    Accuracy,
    InputFigures,
    confusion_table,
    input_figures,
    joined_accuracy,
    pooled_calibration_error,
    risk_coverage,
)
from seqmusic.recognition.recognizer import Recognizer, largest_sets
from seqmusic.recognition.training import train_experts
from seqmusic.recognition.works import LabeledWork, class_names, read_works, works_in

RESEARCH_CLASSES = ("chorale", "fiddle", "folk", "madrigal", "mass", "quartet", "trecento")
"""Seven repertories that are easy to distinguish; their accuracy is reported separately."""
N_SOURCE_FOLDS = 4
MAX_TRANSFORMED = 150
_SOURCE_KINDS = ("all voices", "one voice", "32", "16")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class RecognitionFigures:
    """Everything that the benchmark finds.

    Attributes:
        classes: names.
        joined: classes as they can be told apart.
        n_works: of each class, for training, validation and test.
        inputs: the figures of each kind of input.
        research: accuracy among the seven classes of `RESEARCH_CLASSES`, where all are there.
        calibration_error: over all kinds of inputs together.
        confusion: (C, C) of all voices and of one voice.
        risk_coverage: of one voice: confidence, coverage, precision.
        unknown: of each class, the share of its test works that are none of the others, where the
            recognizer does not know it: of all voices and of one voice.
        shortcuts: accuracy of classifiers that see one feature alone.
        transformations: number of works, and share whose class stays.
        sources: accuracy on sources that were left out, of all classes.
        sources_joined: the same, where classes that are hard to tell apart count as one.
        sources_by_class: the same, of all voices, by class.
    """

    classes: tuple[str, ...]
    joined: tuple[tuple[str, ...], ...]
    n_works: dict[str, tuple[int, ...]]
    inputs: tuple[InputFigures, ...]
    research: dict[str, Accuracy]
    calibration_error: float
    confusion: dict[str, Floats]
    risk_coverage: list[tuple[float, float, float]]
    unknown: dict[str, tuple[float, float]]
    shortcuts: dict[str, Accuracy]
    transformations: dict[str, tuple[int, float]]
    sources: dict[str, Accuracy]
    sources_joined: dict[str, Accuracy]
    sources_by_class: dict[str, float]


def benchmark_recognition(
    folder: Path, *, split: str = "test", leave_sources_out: bool = True
) -> RecognitionFigures:
    """Train a recognizer on a folder of classes, and measure it on held-out works.

    Args:
        folder: CLASS/[SOURCE/[GROUP/]]FILE, or one made from such a folder by `data prepare`.
        split: "test" or "valid", on which the recognizer was calibrated.
        leave_sources_out: whether to train again without each quarter of the sources.

    Raises:
        CorpusError: the folder holds too little.
        MissingExtraError: scikit-learn is not installed.
    """
    works = read_works(folder, cache_folder() / "recognition" / folder.resolve().name)
    recognizer = train_recognizer(works)
    return measure(recognizer, works, split=split, leave_sources_out=leave_sources_out)


def measure(
    recognizer: Recognizer,
    works: Sequence[LabeledWork],
    *,
    split: str = "test",
    leave_sources_out: bool = True,
) -> RecognitionFigures:
    """The figures of a recognizer that was trained on the training works among some works."""
    classes, held_out = list(recognizer.classes), works_in(works, split)
    experts = (recognizer.linear, recognizer.likelihood)
    inputs = trial_inputs(held_out, classes, experts, seed=1)
    validation = trial_inputs(works_in(works, "valid"), classes, experts)
    sources = left_out_sources(works) if leave_sources_out else {}
    joined = largest_sets(recognizer.decision.answers)
    single = [(i,) for i in range(len(classes))]
    step = max(1, len(held_out) // MAX_TRANSFORMED)
    return RecognitionFigures(
        recognizer.classes,
        tuple(tuple(classes[i] for i in one) for one in joined),
        {
            name: tuple(
                sum(work.class_name == name for work in works_in(works, part))
                for part in ("train", "valid", "test")
            )
            for name in classes
        },
        tuple(input_figures(kind, inputs[kind], recognizer) for kind in INPUT_KINDS),
        _research_accuracies(inputs, recognizer),
        pooled_calibration_error(inputs, recognizer),
        {kind: confusion_table(inputs[kind], recognizer) for kind in ("all voices", "one voice")},
        risk_coverage(inputs["one voice"], recognizer),
        unknown_shares(recognizer, validation, inputs),
        shortcut_accuracies(works),
        transformation_agreement(held_out[::step], recognizer),
        {kind: _accuracy(one, recognizer, single) for kind, one in sources.items()},
        {kind: _accuracy(one, recognizer, joined) for kind, one in sources.items()},
        _by_class(sources, recognizer),
    )


def _accuracy(
    inputs: TrialInputs, recognizer: Recognizer, sets: Sequence[tuple[int, ...]]
) -> Accuracy:
    return joined_accuracy(_probabilities(inputs, recognizer), inputs, sets)


def _probabilities(inputs: TrialInputs, recognizer: Recognizer) -> Floats:
    return np.exp(recognizer.fusion.log_probabilities(inputs.evidence))


def _research_accuracies(
    inputs: dict[str, TrialInputs], recognizer: Recognizer
) -> dict[str, Accuracy]:
    if not set(RESEARCH_CLASSES) <= set(recognizer.classes):
        return {}
    sets = [(recognizer.classes.index(name),) for name in RESEARCH_CLASSES]
    return {
        kind: joined_accuracy(_probabilities(one, recognizer), one, sets)
        for kind, one in inputs.items()
    }


def _by_class(sources: dict[str, TrialInputs], recognizer: Recognizer) -> dict[str, float]:
    if "all voices" not in sources:
        return {}
    shares = np.diag(confusion_table(sources["all voices"], recognizer))
    return dict(zip(recognizer.classes, shares.tolist(), strict=True))


def unknown_shares(
    recognizer: Recognizer, validation: dict[str, TrialInputs], inputs: dict[str, TrialInputs]
) -> dict[str, tuple[float, float]]:
    """For each class, how many of its works are none of the others, if it was never learned."""
    found = {}
    for i, name in enumerate(recognizer.classes):
        without = {kind: _without_class(one, i, False) for kind, one in validation.items()}
        decision = with_limits(recognizer.decision, without)
        shares = []
        for kind in ("all voices", "one voice"):
            evidence = _without_class(inputs[kind], i, True).evidence
            shares.append(float(np.mean([not decision.is_known(one) for one in evidence])))
        found[name] = shares[0], shares[1]
    return found


def _without_class(inputs: TrialInputs, number: int, is_kept: bool) -> TrialInputs:
    """The inputs of one class alone, or of the others; the class is missing in the evidence."""
    chosen = np.flatnonzero((inputs.targets == number) == is_kept)
    evidence = [
        Evidence(
            one.n_steps,
            one.n_lines,
            np.delete(one.linear, number),
            np.delete(one.likelihood, number),
        )
        for one in (inputs.evidence[i] for i in chosen)
    ]
    targets = inputs.targets[chosen]
    return TrialInputs(evidence, targets - (targets > number), inputs.groups[chosen])


def left_out_sources(works: Sequence[LabeledWork]) -> dict[str, TrialInputs]:
    """The evidence on each quarter of the sources, of experts that were trained on the others."""
    classes = class_names(works)
    found: list[dict[str, TrialInputs]] = []
    for fold in track(source_folds(works), "Sources", " folds", N_SOURCE_FOLDS):
        names = {work.name for work in fold}
        experts = train_experts([work for work in works if work.name not in names], classes)
        found.append(trial_inputs(fold, classes, experts, kinds=_SOURCE_KINDS, seed=2))
    return {kind: _concatenated([fold[kind] for fold in found]) for kind in _SOURCE_KINDS}


def source_folds(works: Sequence[LabeledWork]) -> list[list[LabeledWork]]:
    """The works in four parts that share no source; of a class of one source, no group."""
    sources = defaultdict(set)
    for work in works:
        sources[work.class_name].add(work.source)
    units: dict[str, list[LabeledWork]] = defaultdict(list)
    for work in works:
        is_only = len(sources[work.class_name]) == 1
        units[f"group {work.group}" if is_only else f"source {work.source}"].append(work)
    folds: list[list[LabeledWork]] = [[] for _ in range(N_SOURCE_FOLDS)]
    for unit in sorted(units.values(), key=lambda unit: (-len(unit), unit[0].name)):
        class_name = unit[0].class_name
        emptiest = min(folds, key=lambda fold: sum(w.class_name == class_name for w in fold))
        emptiest.extend(unit)
    return folds


def _concatenated(parts: Sequence[TrialInputs]) -> TrialInputs:
    return TrialInputs(
        [one for part in parts for one in part.evidence],
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.groups for part in parts]),
    )


def figures_values(figures: RecognitionFigures) -> dict[str, object]:
    """All figures as plain values."""
    plain = replace(
        figures,
        confusion={kind: table.round(4).tolist() for kind, table in figures.confusion.items()},
    )
    return asdict(plain)
