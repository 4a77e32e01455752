"""A training from end to end, into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tqdm import tqdm

from seqmusic.atomic_files import write_atomic
from seqmusic.baselines.ngram import ngram_nats
from seqmusic.baselines.persistence import persistence_nats
from seqmusic.corpus.similarity.fingerprints import write_fingerprints
from seqmusic.corpus.training_corpus import TrainingCorpus, load_training_corpus
from seqmusic.errors import CheckpointError, ConfigurationError
from seqmusic.model.settings import ModelSettings, Vocabulary
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.runs.checkpoint import load_training_state, save_training_state, save_weights
from seqmusic.runs.configuration import Configuration, configuration_text
from seqmusic.runs.data import TrainingData, draw_batch
from seqmusic.runs.folder import (
    CARD_FILE,
    CONFIGURATION_FILE,
    WORKS_FILE,
    MetricsRow,
    check_corpus,
    check_folder,
    check_training_notes,
    model_card,
    read_metrics,
    write_metrics,
)
from seqmusic.runs.pretrained import (
    DEFAULT_MAX_VOICES,
    load_model,
    make_grammar_masks,
    make_vocabulary,
    vocabulary_to_dict,
)
from seqmusic.score import SATB
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import Pieces
from seqmusic.tokens.tokenizer import Trace, decode
from seqmusic.tokens.vocabulary import VOICE
from seqmusic.training.batches import GrammarMasks, make_batch, nll
from seqmusic.training.device import choose_device
from seqmusic.training.distributed import SINGLE_PROCESS, ProcessGroup, process_group
from seqmusic.runs.folder_lock import locked
from seqmusic.training.loop import TrainingState, new_training_state, train
from seqmusic.training.settings import TrainingSettings
from seqmusic.training.stopping import stop_requests

MAX_VALIDATION_PIECES = 256  # pieces that a model is measured on while it is trained
MAX_BASELINE_PIECES = 1000  # pieces that the baselines count


def _with_sizes_of(settings: ModelSettings, other: ModelSettings) -> ModelSettings:
    """The settings with the sizes of others."""
    return replace(other, dropout=settings.dropout, input_dropout=settings.input_dropout)


def _run_vocabulary(pieces: Pieces, start: Transformer | None) -> Vocabulary:
    """The vocabulary of a model that learns from some of the pieces, is asked about others, and begins as another."""
    most = max(DEFAULT_MAX_VOICES, pieces.max_voices)
    if start is not None:
        known = start.vocabulary.max_voices
        if most > known:
            raise CheckpointError(
                f"the model to begin with knows {known} voices, and the corpus has up to {most}"
            )
        most = known
    return make_vocabulary(
        most, has_numbered_voices=min(pieces.voices, default=VOICE) >= VOICE + len(SATB)
    )


@torch.no_grad()
def validation_nats(
    model: Transformer,
    traces: Sequence[Trace],
    masks: GrammarMasks,
    n_cells: int,
    batch_size: int = 16,
    group: ProcessGroup = SINGLE_PROCESS,
) -> dict[str, float]:
    """Nats a cell, in all and for sound and duration, of whole pieces; each process of the group scores its share."""
    device = next(model.parameters()).device
    sound = duration = 0.0
    ordered, size = sorted(traces, key=lambda own: len(own.events)), batch_size * group.size
    for start in range(0, len(ordered), size):
        together = ordered[start : start + size]
        mine = group.rank_slice(together)
        a, b = nll(
            model, make_batch(mine or together[:1], device), masks
        )  # who has none scores one in vain: shards need all
        if mine:
            sound, duration = sound + float(a.double().sum()), duration + float(b.double().sum())
    sound, duration = group.sum_over_ranks(sound, duration)
    return {
        "nats_per_cell": (sound + duration) / n_cells,
        "sound_nats_per_cell": sound / n_cells,
        "duration_nats_per_cell": duration / n_cells,
    }


def train_run(
    configuration: Configuration,
    out: Path,
    *,
    corpus: Path | None = None,
    start: Path | None = None,
    device: str = "auto",
    resume: bool = False,
    shard: bool = False,
    show: Callable[[str], None] = print,
) -> None:
    """Train into the folder `out`; Ctrl-C saves, and the run can be resumed, also after it was killed.

    Args:
        configuration: model and training.
        out: the folder of the run; it is made.
        corpus: as in `load_corpus`; None is the chorales.
        start: a trained model to begin with, for fine-tuning; its sizes are taken from it, and its dropout from the configuration.
        device: "auto", "cpu", "cuda" or "mps".
        resume: go on with the run in `out`.
        shard: let each of several processes keep a part of the weights alone.
        show: takes lines for people.

    Raises:
        CheckpointError: `out` holds another run, or one that is going on, or nothing to resume, or the corpus has changed since;
            or `start` is no model, or one of fewer voices than the corpus has.
        ConfigurationError: a batch has fewer pieces than there are processes.
        CorpusError: there is no such corpus.
        DeviceError: the device is not there.
        FormatError: `out` cannot be written; what was saved is still there.
        ProcessError: another process has ended.
    """
    place, why = choose_device(device)
    first = None if start is None else load_model(start)
    if first is not None:
        configuration = replace(
            configuration, model=_with_sizes_of(configuration.model, first.settings)
        )
    with process_group(place, shard) as group, ExitStack() as held:
        group.check_on_first(lambda: check_folder(configuration, out, resume))
        group.check_on_first(lambda: held.enter_context(locked(out)))
        say = show if group.is_first else _nothing
        say(
            f"device: {group.device} ({why}){f', {group.size} processes' if group.size > 1 else ''}"
        )
        run_data = _load_run_data(configuration.training, corpus, first, group)
        torch.manual_seed(configuration.training.seed)
        model = Transformer(configuration.model, run_data.words)
        if first is not None:
            model.load_state_dict(first.state_dict())
            say(f"begins with the weights of {start}")
        n_weights = n_parameters(model)
        state = new_training_state(
            model if group.is_sharded else model.to(group.device), configuration.training, group
        )
        if resume:
            group.check_on_first(lambda: check_corpus(run_data.corpus.entries, out))
            load_training_state(state, out)
            group.check_on_first(
                lambda: check_training_notes(state.notes, run_data.data.pieces, out)
            )
        state.notes = run_data.data.pieces.checksum()
        say(f"{n_weights:,} parameters; {_describe_sizes(run_data)}")
        rows = _prepare_folder(state, configuration, run_data, out, group, resume)
        _train_and_save(state, configuration.training, run_data, out, rows, say, group)
        if group.is_first:
            facts = {
                "parameters": f"{n_weights:,}",
                "batches": f"{state.step}, {state.seconds:.0f} s",
            }
            facts["best on validation"] = f"{state.best:.4f} nats a cell"
            rivals = _baseline_nats(run_data)
            say(
                "beside it, on the same works: "
                + ", ".join(f"{name} {nats:.4f}" for name, nats in rivals.items())
            )
            facts |= {
                f"{name}, on the same works": f"{nats:.4f} nats a cell"
                for name, nats in rivals.items()
            }
            write_atomic(out / CARD_FILE, model_card(configuration, run_data.corpus, facts))


@dataclass(frozen=True, slots=True)
class _RunData:
    """What is learned, and what it is measured on."""

    corpus: TrainingCorpus
    data: TrainingData
    words: Vocabulary
    traces: Sequence[Trace]
    n_cells: int


def _load_run_data(
    settings: TrainingSettings, corpus: Path | None, start: Transformer | None, group: ProcessGroup
) -> _RunData:
    first: list[TrainingCorpus] = []
    group.check_on_first(
        lambda: first.append(load_training_corpus(corpus))
    )  # then the others find it prepared
    training_corpus = first[0] if first else load_training_corpus(corpus)
    training, held_out = (
        training_corpus.pieces_in("train"),
        training_corpus.pieces_in("valid").subsample(MAX_VALIDATION_PIECES),
    )
    group.check_on_first(lambda: _check_batch_size(settings, len(training), group))
    words = _run_vocabulary(training_corpus.pieces, start)
    traces = trace_batch(held_out.take(range(len(held_out))), None, words.max_voices)
    return _RunData(
        training_corpus, TrainingData(training, words.max_voices), words, traces, held_out.n_cells
    )


def _describe_sizes(run_data: _RunData) -> str:
    """How much is learned, and how much it is measured on."""
    n_held_out, n_measured = len(run_data.corpus.pieces_in("valid")), len(run_data.traces)
    measured = f"{n_measured} of {n_held_out:,}" if n_measured < n_held_out else f"{n_held_out}"
    return f"{len(run_data.data.pieces):,} works or passages to train on, {measured} to validate"


def _check_batch_size(settings: TrainingSettings, n_works: int, group: ProcessGroup) -> None:
    n_pieces, n_shares = min(settings.batch_size, n_works), group.size * settings.accumulate
    if n_shares > n_pieces:
        raise ConfigurationError(
            f"[training] a batch of {n_pieces} pieces is too small for {group.size} processes of {settings.accumulate} parts each; "
            f"start at most {max(1, n_pieces // settings.accumulate)} processes, or raise batch_size"
        )


def _prepare_folder(
    state: TrainingState,
    configuration: Configuration,
    run_data: _RunData,
    out: Path,
    group: ProcessGroup,
    resume: bool,
) -> list[MetricsRow]:
    """Write what a run begins with, its configuration last: then it can be resumed. Returns its evaluations so far."""
    rows = read_metrics(out, state.step) if resume else []
    if not resume:
        save_training_state(state, out, group)
    elif state.best_step == state.step > 0:  # it may have been killed before it could write them
        _save_best(state, configuration.training, out, group)
    if group.is_first:
        if rows:
            write_metrics(out, rows)
        run_data.corpus.write_table(out / WORKS_FILE)
        write_fingerprints(run_data.corpus.fingerprints(), out)
        write_atomic(out / CONFIGURATION_FILE, configuration_text(configuration))
    return rows


def _train_and_save(
    state: TrainingState,
    settings: TrainingSettings,
    run_data: _RunData,
    out: Path,
    rows: list[MetricsRow],
    say: Callable[[str], None],
    group: ProcessGroup,
) -> None:
    """Train to the end.

    Written are first the metrics, then the state, then the best weights: what a kill between them leaves, `_prepare_folder` mends.
    """
    masks = make_grammar_masks(group.device, run_data.words.max_voices)

    def evaluate(model: Transformer) -> dict[str, float]:
        return validation_nats(model.eval(), run_data.traces, masks, run_data.n_cells, group=group)

    def draw(step: int) -> Sequence[Trace]:
        return draw_batch(run_data.data, settings, step)

    bar = tqdm(
        total=settings.steps,
        initial=state.step,
        unit="batch",
        desc="training",
        disable=not group.is_first,
    )
    with stop_requests() as is_asked_to_stop, bar:
        for report in train(state, settings, draw, evaluate, masks, group):
            bar.update(report.step - bar.n)
            bar.set_postfix(
                loss=f"{report.loss:.3f}",
                notes_per_s=f"{report.n_events / max(1e-9, state.seconds / state.step):.0f}",
            )
            if report.evaluation:
                rows.append(
                    {
                        "step": report.step,
                        "seconds": round(state.seconds, 1),
                        "loss": report.loss,
                        **report.evaluation,
                    }
                )
                if group.is_first:
                    write_metrics(out, rows)
                    tqdm.write(
                        f"batch {report.step:>5}: {report.evaluation['nats_per_cell']:.4f} nats a cell on validation"
                    )
                save_training_state(state, out, group)
                if report.is_best:
                    _save_best(state, settings, out, group)
            if group.sum_over_ranks(float(is_asked_to_stop()))[0]:
                save_training_state(state, out, group)
                resume = f"seqmusic train {out / CONFIGURATION_FILE} --out {out} --resume"
                say(f"stopped after {state.step} batches and saved; go on with: {resume}")
                raise KeyboardInterrupt
    say(f"best: {state.best:.4f} nats a cell on validation; the model is in {out}")


def _save_best(
    state: TrainingState, settings: TrainingSettings, out: Path, group: ProcessGroup
) -> None:
    best = state.averaged if settings.averaging else state.model
    save_weights(best, out, vocabulary_to_dict(state.model.vocabulary), group=group)


def _baseline_nats(run_data: _RunData) -> dict[str, float]:
    """Nats a cell of the baselines, which count no more than some of the pieces."""
    counted = run_data.data.pieces.subsample(MAX_BASELINE_PIECES)
    training = trace_batch(counted.take(range(len(counted))), None, run_data.words.max_voices)
    scores = [
        [decode(own.events.tolist(), run_data.words.max_voices) for own in traces]
        for traces in (training, run_data.traces)
    ]
    return {
        "persistence": sum(persistence_nats(*scores)) / run_data.n_cells,
        "5-gram": sum(ngram_nats(training, run_data.traces)) / run_data.n_cells,
    }


def _nothing(text: str) -> None:
    """What the processes say that are not the first."""
