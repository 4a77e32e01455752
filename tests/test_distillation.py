"""Learning from teachers: the loss, the pieces that they compose, and whole runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_runs import TINY
from torch import Tensor

from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CheckpointError
from seqmusic.model.transformer import Transformer
from seqmusic.runs import train as run
from seqmusic.runs.checkpoint import save_weights
from seqmusic.runs.data import draw_batch, training_data
from seqmusic.runs.distillation import compose_pieces, load_teachers, with_composed_pieces
from seqmusic.runs.fine_tuning import name_voices
from seqmusic.runs.pretrained import (
    VOCABULARY,
    make_grammar_masks,
    make_vocabulary,
    vocabulary_to_dict,
)
from seqmusic.score import SATB, Score
from seqmusic.tokens.batched.columns import note_columns
from seqmusic.tokens.batched.encoding import trace_batch
from seqmusic.tokens.pieces import Pieces, pack_scores
from seqmusic.tokens.vocabulary import EOS
from seqmusic.training.batches import Batch, make_batch, masked_logits, nll
from seqmusic.training.loss import BatchLoss, Teachers
from seqmusic.training.settings import DistillationSettings

CPU = torch.device("cpu")
MASKS = make_grammar_masks(CPU)
PHRASES = make_vocabulary(marks_phrases=True)


def random_model(seed: int, *, marks_phrases: bool = True) -> Transformer:
    torch.manual_seed(seed)
    model = Transformer(TINY.model, PHRASES if marks_phrases else VOCABULARY).eval()
    model.heads.duration.bias.data[24] += 12  # quarters, so that all voices end together soon
    model.heads.sound.bias.data[EOS] += 4
    return model


def saved(model: Transformer, folder: Path) -> str:
    folder.mkdir()
    save_weights(model, folder, vocabulary_to_dict(model.vocabulary))
    return str(folder)


def small_batch(dataset: Dataset) -> Batch:
    data = training_data(dataset.works_in("train"))
    return make_batch(draw_batch(data, TINY.training, 0), CPU)


def loss(student: Transformer, batch: Batch, teachers: Teachers | None) -> Tensor:
    value: Tensor = BatchLoss(student, MASKS, torch.float32, teachers)(batch)
    return value


def test_the_loss_goes_from_the_nats_of_the_music_to_those_that_teachers_expect(
    small_dataset: Dataset,
) -> None:
    batch, student, teacher = small_batch(small_dataset), random_model(1), random_model(2)
    music = torch.stack(nll(student, batch, MASKS)).sum()
    taught = [loss(student, batch, Teachers([teacher], w, 1.0)) for w in (0.0, 0.25, 1.0)]
    assert torch.allclose(loss(student, batch, None), music)
    assert torch.allclose(taught[0], music)
    assert torch.allclose(taught[1], 0.75 * taught[0] + 0.25 * taught[2])
    assert torch.isfinite(taught[2])


def test_who_expects_what_the_teacher_expects_has_the_smallest_loss_and_no_gradient(
    small_dataset: Dataset,
) -> None:
    batch, teacher = small_batch(small_dataset), random_model(2)
    teachers = Teachers([teacher], 1.0, 1.0)
    each = [logits.softmax(-1) for logits in masked_logits(teacher, batch, MASKS)]
    entropy = -torch.stack([torch.xlogy(p, p).sum() for p in each]).sum()
    smallest = loss(teacher, batch, teachers)
    assert torch.allclose(smallest, entropy, rtol=1e-4)
    assert smallest < loss(random_model(1), batch, teachers)
    gradients = torch.autograd.grad(smallest, list(teacher.parameters()), allow_unused=True)
    assert max(float(g.abs().max()) for g in gradients if g is not None) < 1e-2


def test_several_teachers_predict_their_mean(small_dataset: Dataset) -> None:
    batch, models = small_batch(small_dataset), [random_model(1), random_model(2)]
    both = Teachers(models, 1.0, 1.3).predict(batch, MASKS)
    alone = [Teachers([model], 1.0, 1.3).predict(batch, MASKS) for model in models]
    for mean, first, second in zip(both, *alone, strict=True):
        assert torch.allclose(mean, (first + second) / 2, atol=1e-6)
        assert torch.allclose(mean.sum(-1), torch.ones(len(mean)), atol=1e-5)


def short_pieces(dataset: Dataset) -> Pieces:
    return pack_scores([work.score.sliced(0, 96) for work in dataset.works_in("train")[:3]])


def test_teachers_compose_pieces_once_under_the_headers_of_the_training_pieces(
    small_dataset: Dataset, tmp_path: Path
) -> None:
    teachers = ",".join(saved(random_model(n), tmp_path / f"{n}") for n in (1, 2))
    settings = DistillationSettings(teachers=teachers, composed=2, composed_share=0.25)
    pieces, folder = short_pieces(small_dataset), tmp_path / "composed"
    compose_pieces(pieces, settings, folder, seed=0)
    drawn = with_composed_pieces(pieces, settings, folder)
    headers = drawn.take(range(len(drawn))).headers
    assert set(headers) <= set(pieces.take(range(len(pieces))).headers)
    n_composed = len(with_composed_pieces(pieces, replace(settings, composed_share=0.99), folder))
    n_composed -= len(pieces)
    assert 0 < n_composed <= 6
    assert len(drawn) == n_composed + len(pieces) * max(1, round(n_composed * 3 / len(pieces)))
    before = drawn.checksum()
    compose_pieces(pieces, settings, folder, seed=1)  # they are there
    assert with_composed_pieces(pieces, settings, folder).checksum() == before
    compose_pieces(pieces, settings, tmp_path / "other", seed=1)
    assert with_composed_pieces(pieces, settings, tmp_path / "other").checksum() != before


def test_a_run_with_teachers_resumes_and_keeps_what_they_composed(
    small_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = training_corpus_of(small_dataset)
    monkeypatch.setattr(run, "load_training_corpus", lambda path: corpus)
    teacher = saved(random_model(1), tmp_path / "teacher")
    taught = replace(TINY, distillation=DistillationSettings(teachers=teacher, composed=1))
    run.train_run(taught, tmp_path / "run", device="cpu")
    more = replace(taught, training=replace(taught.training, steps=6))
    run.train_run(more, tmp_path / "run", device="cpu", resume=True)
    assert (tmp_path / "run" / "composed" / "pitch.npy").is_file()
    other = replace(more, distillation=replace(taught.distillation, weight=0.5))
    with pytest.raises(CheckpointError, match=r"\[distillation\] weight was 0.9, now 0.5"):
        run.train_run(other, tmp_path / "run", device="cpu", resume=True)


def test_a_teacher_of_other_tokens_is_refused(tmp_path: Path) -> None:
    teacher = saved(random_model(1, marks_phrases=False), tmp_path / "teacher")
    settings = DistillationSettings(teachers=teacher)
    with pytest.raises(CheckpointError, match="cannot teach this model"):
        load_teachers(settings, PHRASES, CPU)
    assert load_teachers(DistillationSettings(), PHRASES, CPU) is None


def test_named_voices_begin_with_what_numbered_ones_have_learned(small_dataset: Dataset) -> None:
    score = small_dataset.works_in("valid")[0].score
    voices = [replace(v, name=f"Voice {n}") for n, v in enumerate(score.voices, start=1)]
    model = random_model(3)

    def nats(named: Score) -> Tensor:
        return nll(model, make_batch(trace_batch(note_columns([named])), CPU), MASKS)[0]

    numbered, before = nats(replace(score, voices=tuple(voices))), nats(score)
    name_voices(model)
    assert [voice.name for voice in score.voices] == list(SATB)
    assert not torch.allclose(before, numbered)
    assert torch.allclose(nats(score), numbered, atol=1e-5)
