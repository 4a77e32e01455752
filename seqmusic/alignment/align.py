"""Aligning a model by preferences, round by round, into the folder of a new run."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from seqmusic.alignment.assessment import Figures, HeldOut, assess_model, assess_written
from seqmusic.alignment.comparing import (
    answered_pairs,
    compared_model,
    compose_answers,
    model_checksum,
    taste_of,
)
from seqmusic.alignment.guards import Guard, check_guards
from seqmusic.alignment.preferences import (
    MIN_ANSWERS_TO_TRAIN,
    check_preferences,
    join_preferences,
)
from seqmusic.alignment.results import AlignmentResults, results_text
from seqmusic.alignment.rounds import (
    AlignmentTask,
    RoundResult,
    model_after,
    objectives_of,
    run_figures,
    run_round,
)
from seqmusic.alignment.settings import AlignmentSettings
from seqmusic.alignment.sources import (
    JUDGE_SOURCE,
    RULES_SOURCE,
    PreferenceSource,
    judge_source,
    rules_source,
    taste_source,
)
from seqmusic.benchmarks.held_out_tasks import four_part_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import CorpusError, PreferenceError
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.evaluation.subject import Subject, load_subject
from seqmusic.experiments.study import corpus_name, open_study
from seqmusic.generation.search.judge import Judge, judge_from_arrays
from seqmusic.metrics.originality import CopyIndex
from seqmusic.metrics.two_sample.judges import require_judges
from seqmusic.metrics.two_sample.separation import N_FOLDS
from seqmusic.model.transformer import Transformer
from seqmusic.report.figures import require_matplotlib
from seqmusic.runs.card import bullet_list, write_card
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.data import training_data
from seqmusic.runs.folder import CONFIGURATION_FILE, HISTORY_FILES
from seqmusic.runs.judge_weights import JUDGE_FILE
from seqmusic.runs.pretrained import vocabulary_to_dict
from seqmusic.score import Score

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceFiles:
    """What the preferences are: rules, judge, or the files of people.

    Attributes:
        names: "rules", "judge", or the paths of one or more files.
        per_time: count the faults of the rules per quarter, which goes wrong.
    """

    names: tuple[str, ...]
    per_time: bool = False


def align(
    run: Path | None,
    preferences: PreferenceFiles,
    out: Path,
    settings: AlignmentSettings,
    data: Path | None = None,
) -> AlignmentResults:
    """Align a model; `out` becomes the folder of a run with the last model that kept all guards.

    The same command goes on after a stop: finished rounds are not repeated, and more may be asked.

    Args:
        run: the folder of a trained model, or the name of one that comes with seqmusic; it is not
            changed.
        preferences: where they come from.
        out: new, or one to go on with.
        settings: of the alignment.
        data: the corpus that the model was trained on, if not the chorales.

    Raises:
        CheckpointError: there is no such model, or `out` holds another alignment.
        CorpusError: the corpus has too few works in four voices.
        FormatError: `out` holds something else, or a file cannot be read.
        MissingExtraError: scikit-learn or matplotlib is not installed.
        PreferenceError: nothing can be learned from the preferences.
    """
    require_judges()
    require_matplotlib()
    subject = load_subject(run, "valid", data)
    task = _open_task(subject, preferences, out, settings)
    return _finish(task, subject, _run_rounds(task, subject.name))


def _open_task(
    subject: Subject, preferences: PreferenceFiles, out: Path, settings: AlignmentSettings
) -> AlignmentTask:
    """Check the preferences and the folder, in this order, and collect what all rounds share."""
    checksum = model_checksum(subject.folder)
    source = _open_source(preferences, subject, checksum)
    held_out = held_out_works(subject, ("valid",))
    shared = {"model": checksum, "corpus": corpus_name(subject.dataset), "preferences": source.name}
    fixed = {name: value for name, value in asdict(settings).items() if name != "rounds"}
    open_study(out, {"experiment": "align", **shared, **fixed})
    training = subject.dataset.works_in("train")
    data = replace(training_data(training), max_voices=subject.model.vocabulary.max_voices)
    works = _scores(subject.dataset, "train")
    return AlignmentTask(subject.model, works, data, source, settings, held_out, out)


def held_out_works(
    subject: Subject, splits: Sequence[str], *, n: int = 2, seed: int = 0
) -> HeldOut:
    """The works of some splits to assess a model on.

    Args:
        subject: a model and its corpus.
        splits: of the works.
        n: continuations of each, 2 or more.
        seed: of the continuations.

    Raises:
        CorpusError: they have fewer than five tunes in four voices.
    """
    chorales = four_part_chorales(subject.dataset, splits)
    if len({chorale.family for chorale in chorales}) < N_FOLDS:
        raise CorpusError(
            f"alignment needs held-out works of {N_FOLDS} tunes or more in four voices, "
            f"got {len(chorales)} such works"
        )
    vocabulary = subject.model.vocabulary
    scores = [score for split in splits for score in _scores(subject.dataset, split)]
    pieces = encode_pieces(scores, vocabulary.max_voices, marks_phrases=vocabulary.marks_phrases)
    return HeldOut(chorales, pieces, CopyIndex(_scores(subject.dataset, "train")), n, seed)


def _scores(dataset: Dataset, split: str) -> list[Score]:
    return [work.score for work in dataset.works_in(split)]


def _open_source(preferences: PreferenceFiles, subject: Subject, checksum: str) -> PreferenceSource:
    """The source, after its files were checked."""
    if preferences.names == (RULES_SOURCE,):
        return rules_source(per_time=preferences.per_time)
    if preferences.per_time:
        raise ValueError("--per-time is for --preferences rules")
    if preferences.names == (JUDGE_SOURCE,):
        return judge_source(_judge_of(subject))
    paths = [Path(name) for name in preferences.names]
    answers = check_preferences(join_preferences(paths), checksum, MIN_ANSWERS_TO_TRAIN)
    pairs = compose_answers(compared_model(subject), answers)
    taste = taste_of(pairs)
    logger.info("\n".join([f"{len(pairs)} answers", *taste.sentences()]))
    name = ", ".join(path.name for path in paths)
    return taste_source(f"{name} ({len(pairs)} answers)", taste, answered_pairs(pairs))


def _judge_of(subject: Subject) -> Judge:
    """The judge that comes with a model."""
    if subject.model.judge is None:
        raise PreferenceError(
            f"--preferences judge needs a model with a judge, and {subject.name} has none"
        )
    return judge_from_arrays(subject.model.judge)


def _run_rounds(task: AlignmentTask, name: str) -> AlignmentResults:
    """All rounds, or those up to the first that breaks a guard; a table after each."""
    assess_base = partial(assess_model, task.base, task.base, task.held_out)
    base = run_figures(task, "base", assess_base)
    written = run_figures(task, "written", partial(assess_written, task.held_out))
    results = AlignmentResults(name, task.source.name, task.settings, base, written, (), ())
    for number in range(1, task.settings.rounds + 1):
        for objective in objectives_of(task.settings, number):
            results = results.with_round(run_round(task, objective, number))
        guards = _round_guards(results.rounds[-1], base, written)
        results = replace(results, guards=(*results.guards, tuple(guards)))
        logger.info(results_text(results))
        if broken := [guard for guard in guards if not guard.holds]:
            logger.warning(f"round {number} breaks a guard, and no further one is run: {broken[0]}")
            break
    return results


def _round_guards(result: RoundResult, base: Figures, written: Figures) -> list[Guard]:
    return check_guards(result.figures, base, written, chosen_change=result.chosen_change)


def _finish(task: AlignmentTask, subject: Subject, results: AlignmentResults) -> AlignmentResults:
    """Write the model that is kept, its card and the page."""
    from seqmusic.report.alignment_page import write_alignment_page

    number = results.n_kept
    if number:
        objective = task.settings.objective
        _write_run(subject.folder, task, model_after(task, objective, number), results)
        logger.info(f"the model of round {number} is in {task.out}")
    else:
        logger.info("no round keeps all guards: the base remains, and no model was written")
    page = write_alignment_page(task.out, results)
    logger.info(f"page: {page}")
    return results


def _write_run(
    folder: Path, task: AlignmentTask, model: Transformer, results: AlignmentResults
) -> None:
    """Make `out` the folder of a run: weights, configuration, training works, card."""
    for name in (CONFIGURATION_FILE, JUDGE_FILE, *HISTORY_FILES):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, task.out / name)
    save_weights(model, task.out, vocabulary_to_dict(model.vocabulary))
    facts = (
        f"aligned from {results.model} by preferences: {results.source}",
        f"{results.settings.objective}, {results.n_kept} rounds",
        f"nats per cell on validation: {results.base['nats per cell'].value:.4f} before, "
        f"{results.kept_round.figures['nats per cell'].value:.4f} after",
    )
    write_card(task.out, "Model card", [bullet_list(facts)])
