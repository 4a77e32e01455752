"""A training from end to end, into a folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tqdm import tqdm

from seqmusic.checkpoints import load_model, make_masks, tokens_of, vocabulary
from seqmusic.configuration import Configuration, configuration_text, read_configuration
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.fingerprints import write_fingerprints
from seqmusic.corpus.sources import load_corpus
from seqmusic.corpus.table import read_works, write_works
from seqmusic.drawing import TrainingData, draw_batch, training_data
from seqmusic.errors import CheckpointError
from seqmusic.evaluation.baselines import cells, persistence_nats
from seqmusic.evaluation.ngram import ngram_nats
from seqmusic.formats.files import write_atomic
from seqmusic.model.settings import ModelSettings, Vocabulary
from seqmusic.model.transformer import Transformer, n_parameters
from seqmusic.score import SATB, Score
from seqmusic.tokens.encoding import trace_tiles
from seqmusic.tokens.tiles import tiles_of
from seqmusic.tokens.tokenizer import Trace, normalized
from seqmusic.tokens.vocabulary import STYLE, VOICE
from seqmusic.training.batches import Masks, make_batch, nll
from seqmusic.training.checkpoint import load_progress, save_progress, save_weights
from seqmusic.training.device import choose_device
from seqmusic.training.loop import Report, TrainingState, new_state, train


def _sized(settings: ModelSettings, other: ModelSettings) -> ModelSettings:
    """The settings with the sizes of others."""
    return replace(other, dropout=settings.dropout, input_dropout=settings.input_dropout)


def _words(data: TrainingData, held_out: Sequence[Score], start: Transformer | None) -> Vocabulary:
    """The vocabulary of a model that learns from these works, is asked about those, and begins as another."""
    first = {sound for own in data.tiles.headers for sound, _ in own if VOICE <= sound < STYLE}
    most = max([data.max_voices, *(len(score.voices) for score in held_out)])
    if start is not None:
        known = start.vocabulary.max_voices
        if most > known:
            raise CheckpointError(f"the model to begin with knows {known} voices, and the corpus has up to {most}")
        most = known
    return vocabulary(most, has_numbered_voices=min(first, default=VOICE) >= VOICE + len(SATB))


@torch.inference_mode()
def likelihood(model: Transformer, traces: Sequence[Trace], masks: Masks, n_cells: int, batch_size: int = 16) -> dict[str, float]:
    """Nats a cell, in all and for sound and duration, of whole pieces."""
    device = next(model.parameters()).device
    sound = duration = 0.0
    ordered = sorted(traces, key=lambda own: len(own.events))
    for start in range(0, len(ordered), batch_size):
        a, b = nll(model, make_batch(ordered[start : start + batch_size], device), masks)
        sound, duration = sound + float(a.double().sum()), duration + float(b.double().sum())
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
    show: Callable[[str], None] = print,
) -> None:
    """Train into the folder `out`; Ctrl-C saves, and the run can be resumed.

    Args:
        configuration: model and training.
        out: the folder of the run; it is made.
        corpus: as in `load_corpus`; None is the chorales.
        start: a trained model to begin with, for fine-tuning; its sizes are taken from it, and its dropout from the configuration.
        device: "auto", "cpu", "cuda" or "mps".
        resume: go on with the run in `out`.
        show: takes lines for people.

    Raises:
        CheckpointError: `out` holds another run, or nothing to resume, or the corpus has changed since; or `start` is no model, or
            one of fewer voices than the corpus has.
        CorpusError: there is no such corpus.
        DeviceError: the device is not there.
    """
    place, why = choose_device(device)
    first = None if start is None else load_model(start)
    if first is not None:
        configuration = replace(configuration, model=_sized(configuration.model, first.settings))
    _check_folder(configuration, out, resume)
    show(f"device: {place} ({why})")
    dataset = load_corpus(corpus)
    if resume:
        _check_corpus(dataset, out)
    settings = configuration.training
    data = training_data(dataset.part("train"))
    held_out = [normalized(work.score) for work in dataset.part("valid")]
    words = _words(data, held_out, first)
    data = replace(data, max_voices=words.max_voices)
    traces, n_cells = trace_tiles(tiles_of(held_out), None, words.max_voices), sum(map(cells, held_out))
    masks = make_masks(place, words.max_voices)
    torch.manual_seed(settings.seed)
    model = Transformer(configuration.model, words)
    if first is not None:
        model.load_state_dict(first.state_dict())
        show(f"begins with the weights of {start}")
    state = new_state(model.to(place), settings)
    if resume:
        load_progress(state, out)
    show(f"{n_parameters(state.model):,} parameters; {len(data.shifts)} works to train on, {len(held_out)} to validate")
    write_atomic(out / "config.toml", configuration_text(configuration))
    write_works(dataset, out / "works.csv")
    write_fingerprints([work.score for work in dataset.part("train")], out)
    rows = _read_metrics(out) if resume else []
    save_progress(state, out)
    try:
        _follow(state, configuration, data, traces, n_cells, masks, out, rows, show)
    except KeyboardInterrupt:
        save_progress(state, out)
        show(f"stopped after {state.step} batches and saved; go on with: seqmusic train {out / 'config.toml'} --out {out} --resume")
        raise
    training = [normalized(work.score) for work in dataset.part("train")]
    rivals = {
        "persistence": sum(persistence_nats(training, held_out)) / n_cells,
        "5-gram": sum(ngram_nats(trace_tiles(data.tiles, None, words.max_voices), traces)) / n_cells,
    }
    show("beside it, on the same works: " + ", ".join(f"{name} {nats:.4f}" for name, nats in rivals.items()))
    write_atomic(out / "card.md", _card(configuration, state, dataset, rivals))


def _follow(
    state: TrainingState,
    configuration: Configuration,
    data: TrainingData,
    traces: Sequence[Trace],
    n_cells: int,
    masks: Masks,
    out: Path,
    rows: list[dict[str, float]],
    show: Callable[[str], None],
) -> None:
    settings = configuration.training

    def evaluate(model: Transformer) -> dict[str, float]:
        return likelihood(model.eval(), traces, masks, n_cells)

    with tqdm(total=settings.steps, initial=state.step, unit="batch", desc="training") as bar:
        for report in train(state, settings, lambda step: draw_batch(data, settings, step), evaluate, masks):
            bar.update(report.step - bar.n)
            bar.set_postfix(loss=f"{report.loss:.3f}", notes_per_s=f"{report.n_events / max(1e-9, state.seconds / state.step):.0f}")
            if report.evaluation:
                rows.append(_row(report, state))
                _write_metrics(out, rows)
                tqdm.write(f"batch {report.step:>5}: {report.evaluation['nats_per_cell']:.4f} nats a cell on validation")
                if report.is_best:
                    save_weights(state.averaged if settings.averaging else state.model, out, tokens_of(state.model.vocabulary))
                save_progress(state, out)
    show(f"best: {state.best:.4f} nats a cell on validation; the model is in {out}")


def _check_folder(configuration: Configuration, out: Path, resume: bool) -> None:
    if (out / "config.toml").is_file() and not resume:
        raise CheckpointError(f"{out}: holds a run already; add --resume to go on with it, or choose another --out")
    if resume and (out / "config.toml").is_file():
        before = read_configuration(out / "config.toml", {})
        for part in ("model", "training"):
            for name, value in asdict(getattr(configuration, part)).items():
                old = getattr(getattr(before, part), name)
                if old != value and (part, name) not in (("training", "steps"), ("training", "minutes")):
                    raise CheckpointError(f"{out}: [{part}] {name} was {old}, now {value}; resume with the same configuration")
    if out.exists() and not out.is_dir():
        raise CheckpointError(f"{out}: is a file; --out names a folder")


def _check_corpus(dataset: Dataset, out: Path) -> None:
    before = {name: entry.split for name, entry in read_works(out / "works.csv").items()}
    changed = [work.name for work in dataset.works if before.pop(work.name, None) != work.split] + list(before)
    if changed:
        raise CheckpointError(
            f"{out}: the corpus has changed since ({len(changed)} works, first {changed[0]!r}); train into another folder"
        )


def _row(report: Report, state: TrainingState) -> dict[str, float]:
    return {"step": report.step, "seconds": round(state.seconds, 1), "loss": report.loss, **report.evaluation}


def _write_metrics(out: Path, rows: Sequence[dict[str, float]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(out / "metrics.csv", text.getvalue())


def _read_metrics(out: Path) -> list[dict[str, float]]:
    path = out / "metrics.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _card(configuration: Configuration, state: TrainingState, dataset: Dataset, rivals: dict[str, float]) -> str:
    sizes = ", ".join(f"{len(dataset.part(name))} {name}" for name in ("train", "valid", "test"))
    lines = [
        "# Model card",
        "",
        "Trained on the training works listed in works.csv.",
        "",
        f"- works: {sizes} (works.csv); the test part was not looked at",
        f"- parameters: {n_parameters(state.model):,}",
        f"- batches: {state.step}, {state.seconds:.0f} s",
        f"- best on validation: {state.best:.4f} nats a cell",
        *(f"- {name}, on the same works: {nats:.4f} nats a cell" for name, nats in rivals.items()),
        "",
        "```toml",
        configuration_text(configuration).strip(),
        "```",
        "",
    ]
    return "\n".join(lines)
