"""A training from end to end, into the folder of a run."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.similarity.fingerprints import write_fingerprints
from seqmusic.corpus.training_corpus import TrainingCorpus, load_training_corpus
from seqmusic.corpus.works_table import WORKS_FILE
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.progress import progress_bar
from seqmusic.runs.card import write_run_card
from seqmusic.runs.checkpoint import load_training_state, save_training_state, save_weights
from seqmusic.runs.configuration import Configuration, configuration_text
from seqmusic.runs.data import draw_batch
from seqmusic.runs.distillation import compose_pieces, load_teachers, with_composed_pieces
from seqmusic.runs.fine_tuning import name_voices, with_sizes_of
from seqmusic.runs.folder import (
    COMPOSED_FOLDER,
    CONFIGURATION_FILE,
    MetricsRow,
    check_corpus,
    check_folder,
    check_training_notes,
    read_metrics,
    write_metrics,
)
from seqmusic.runs.folder_lock import locked
from seqmusic.runs.pretrained import load_model, make_grammar_masks, vocabulary_to_dict
from seqmusic.runs.run_data import RunData, check_batch_size, make_run_data
from seqmusic.runs.validation import baseline_nats, validation_nats
from seqmusic.tokens.tokenizer import Trace
from seqmusic.training.device import choose_device
from seqmusic.training.distributed import ProcessGroup, process_group
from seqmusic.training.loop import StepReport, TrainingState, new_training_state, train
from seqmusic.training.settings import TrainingSettings
from seqmusic.training.stopping import stop_requests

logger = logging.getLogger(__name__)


def train_run(
    configuration: Configuration,
    out: Path,
    *,
    corpus: Path | None = None,
    start: Path | None = None,
    device: str = "auto",
    resume: bool = False,
    shard: bool = False,
) -> None:
    """Train into a folder. Ctrl-C saves; the run can be resumed, also after it was killed.

    Args:
        configuration: of model and training.
        out: the folder of the run; it is created if it is missing.
        corpus: as in `load_corpus`; the chorales by default.
        start: a trained model to fine-tune; its sizes replace those of the configuration.
        device: "auto", "cpu", "cuda" or "mps".
        resume: continue the run in `out`.
        shard: each of several processes keeps only a part of the weights.

    Raises:
        CheckpointError: `out` is in use or holds another run or nothing to resume, the corpus has
            changed, or `start` is no model or one of fewer voices than the corpus.
        ConfigurationError: a batch has fewer pieces than there are processes.
        CorpusError: there is no such corpus.
        DeviceError: the device is not present.
        ProcessError: another process has ended.
    """
    chosen, reason = choose_device(device)
    first = None if start is None else load_model(start)
    if first is not None:
        configuration = with_sizes_of(first, configuration)
    with process_group(chosen, shard) as group, ExitStack() as locks:
        group.check_on_first(lambda: check_folder(configuration, out, resume))
        group.check_on_first(lambda: locks.enter_context(locked(out)))
        _log_device(group, reason)
        data = _load_data(configuration, out, corpus, first, group)
        run = _Run(configuration, out, data, group)
        run.train(run.new_model(first, start), resume)


def _log_device(group: ProcessGroup, reason: str) -> None:
    if group.is_first:
        processes = f", {group.size} processes" if group.size > 1 else ""
        logger.info(f"device: {group.device} ({reason}){processes}")


def _load_data(
    configuration: Configuration,
    out: Path,
    path: Path | None,
    first: Transformer | None,
    group: ProcessGroup,
) -> RunData:
    # The first process prepares the corpus, and the others then find it prepared.
    loaded: list[TrainingCorpus] = []
    group.check_on_first(lambda: loaded.append(load_training_corpus(path)))
    corpus = loaded[0] if loaded else load_training_corpus(path)
    settings, pieces = configuration.training, corpus.pieces_in("train")
    group.check_on_first(lambda: check_batch_size(settings, len(pieces), group.size))
    distillation, folder = configuration.distillation, out / COMPOSED_FOLDER
    group.check_on_first(lambda: compose_pieces(pieces, distillation, folder, settings.seed))
    drawn = with_composed_pieces(pieces, distillation, folder)
    return make_run_data(corpus, drawn, None if first is None else first.vocabulary)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run, as one of its processes sees it."""

    configuration: Configuration
    out: Path
    data: RunData
    group: ProcessGroup

    @property
    def settings(self) -> TrainingSettings:
        return self.configuration.training

    def log(self, message: str) -> None:
        """Log a message, once for all processes."""
        if self.group.is_first:
            logger.info(message)

    def new_model(self, first: Transformer | None, start: Path | None) -> Transformer:
        """The model before the first step, with the weights of `first` or random ones.

        Args:
            first: a trained model of the same sizes.
            start: where it was loaded from.
        """
        torch.manual_seed(self.settings.seed)
        model = Transformer(self.configuration.model, self.data.vocabulary)
        if first is not None:
            model.load_state_dict(first.state_dict())
            if first.vocabulary.has_numbered_voices and not model.vocabulary.has_numbered_voices:
                name_voices(model)
            self.log(f"begins with the weights of {start}")
        return model if self.group.is_sharded else model.to(self.group.device)

    def train(self, model: Transformer, resume: bool) -> None:
        """Train the model, and leave a complete folder."""
        n_weights = n_parameters(model)
        state = new_training_state(model, self.settings, self.group)
        if resume:
            self._restore(state)
        state.notes = self.data.training.pieces.checksum()
        self.log(f"{n_weights:,} parameters; {self.data.sizes}")
        rows = self._prepare_folder(state, resume)
        self._train_and_save(state, rows)
        self.log(f"best: {state.best:.4f} nats per cell on validation; the model is in {self.out}")
        if self.group.is_first:
            self._write_card(state, n_weights)

    def _restore(self, state: TrainingState) -> None:
        entries, pieces = self.data.corpus.entries, self.data.training.pieces
        self.group.check_on_first(lambda: check_corpus(entries, self.out))
        load_training_state(state, self.out)
        self.group.check_on_first(lambda: check_training_notes(state.notes, pieces, self.out))

    def _prepare_folder(self, state: TrainingState, resume: bool) -> list[MetricsRow]:
        """Write the files that a run begins with, and return its evaluations so far.

        The configuration is written last, because a run with a configuration can be resumed.
        """
        rows = read_metrics(self.out, state.step) if resume else []
        if not resume:
            save_training_state(state, self.out, self.group)
        elif state.best_step == state.step > 0:
            self._save_best(state)  # a killed run may lack the weights of its last evaluation
        if self.group.is_first:
            if rows:
                write_metrics(self.out, rows)
            self.data.corpus.write_table(self.out / WORKS_FILE)
            write_fingerprints(self.data.corpus.fingerprints(), self.out)
            write_atomic(self.out / CONFIGURATION_FILE, configuration_text(self.configuration))
        return rows

    def _train_and_save(self, state: TrainingState, rows: list[MetricsRow]) -> None:
        with stop_requests() as is_stop_requested, closing(self._steps(state)) as steps:
            for report in steps:
                if report.evaluation:
                    self._save_evaluation(state, report, rows)
                if self.group.sum_over_ranks(float(is_stop_requested()))[0]:
                    save_training_state(state, self.out, self.group)
                    command = f"seqmusic train {self.out / CONFIGURATION_FILE} --out {self.out}"
                    self.log(
                        f"stopped after {state.step} batches and saved; "
                        f"go on with: {command} --resume"
                    )
                    raise KeyboardInterrupt

    def _steps(self, state: TrainingState) -> Generator[StepReport]:
        """The steps of the training, which the first process shows on a progress bar."""
        masks = make_grammar_masks(self.group.device, self.data.vocabulary.max_voices)

        def draw(step: int) -> Sequence[Trace]:
            return draw_batch(self.data.training, self.settings, step)

        def evaluate(model: Transformer) -> dict[str, float]:
            data = self.data
            return validation_nats(model, data.validation, masks, data.n_cells, self.group)

        teachers = load_teachers(
            self.configuration.distillation, self.data.vocabulary, self.group.device
        )
        steps = train(state, self.settings, draw, evaluate, masks, self.group, teachers)
        if not self.group.is_first:
            yield from steps
            return
        with progress_bar(self.settings.steps, "training", "batch", initial=state.step) as bar:
            for report in steps:
                notes_per_second = report.n_events / max(1e-9, state.seconds / state.step)
                bar.update()
                bar.set_postfix_str(f"loss={report.loss:.3f}, notes_per_s={notes_per_second:.0f}")
                yield report

    def _save_evaluation(
        self, state: TrainingState, report: StepReport, rows: list[MetricsRow]
    ) -> None:
        """Write the metrics, then the state, then the best weights.

        `_prepare_folder` repairs what a kill between two of them leaves.
        """
        figures = {"seconds": round(state.seconds, 1), "loss": report.loss, **report.evaluation}
        rows.append({"step": report.step, **figures})
        if self.group.is_first:
            write_metrics(self.out, rows)
        self.log(
            f"batch {report.step:>5}: {figures['nats_per_cell']:.4f} nats per cell on validation"
        )
        save_training_state(state, self.out, self.group)
        if report.is_best:
            self._save_best(state)

    def _save_best(self, state: TrainingState) -> None:
        model, tokens = (
            state.evaluated_model(self.settings),
            vocabulary_to_dict(state.model.vocabulary),
        )
        save_weights(model, self.out, tokens, group=self.group)

    def _write_card(self, state: TrainingState, n_weights: int) -> None:
        data = self.data
        counted = replace(data.training, pieces=data.corpus.pieces_in("train"))
        baselines = baseline_nats(counted, data.validation, data.n_cells)
        listed = ", ".join(f"{name} {nats:.4f}" for name, nats in baselines.items())
        self.log(f"beside it, on the same works: {listed}")
        facts = {
            "parameters": f"{n_weights:,}",
            "batches": f"{state.step}, {state.seconds:.0f} s",
            "best on validation": f"{state.best:.4f} nats per cell",
        }
        facts |= {
            f"{name}, on the same works": f"{nats:.4f} nats per cell"
            for name, nats in baselines.items()
        }
        write_run_card(self.out, self.configuration, data.corpus, facts)
