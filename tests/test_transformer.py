"""The model: cached steps equal the whole, causality, likelihoods that sum to one."""

import numpy as np
import pytest
import torch

from seqmusic.model.transformer import KVCache, ModelSettings, Packing, Transformer
from seqmusic.runs import pretrained as checkpoints
from seqmusic.score import Note, melody
from seqmusic.tokens import rules
from seqmusic.tokens.augmentation import transposed
from seqmusic.tokens.tokenizer import encode, trace
from seqmusic.tokens.vocabulary import N_DURATIONS, N_SOUNDS
from seqmusic.training.batches import GrammarMasks, make_batch, nll

SETTINGS = ModelSettings(width=24, layers=3, heads=2, dropout=0.0, context_length=64)
VOCABULARY = checkpoints.VOCABULARY


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(5)
    made = Transformer(SETTINGS, VOCABULARY).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def random_inputs(n_rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = np.random.default_rng(11)
    events = np.stack(
        [
            chance.integers(0, N_SOUNDS, (n_rows, length)),
            chance.integers(0, N_DURATIONS, (n_rows, length)),
        ],
        axis=-1,
    )
    context = np.stack(
        [chance.integers(0, size, (n_rows, length)) for size in VOCABULARY.context_sizes], axis=-1
    )
    ticks = np.sort(chance.integers(0, 500, (n_rows, length + 1)))
    return torch.from_numpy(events), torch.from_numpy(context), torch.from_numpy(ticks)


@torch.inference_mode()
def test_steps_with_a_cache_equal_the_whole(model: Transformer) -> None:
    events, context, ticks = random_inputs(3, 13)
    whole = model(events, context, ticks)
    cache = KVCache(SETTINGS, 3, 13, torch.device("cpu"))
    parts = [model(events[:, :5], context[:, :5], ticks[:, :6], cache)]
    parts += [
        model(events[:, t : t + 1], context[:, t : t + 1], ticks[:, t : t + 2], cache)
        for t in range(5, 13)
    ]
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)


@torch.inference_mode()
def test_the_past_does_not_hear_the_future(model: Transformer) -> None:
    events, context, ticks = random_inputs(2, 11)
    before = model(events, context, ticks)
    events[:, 7:], context[:, 7:] = 1, 0
    after = model(events, context, ticks)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


@torch.inference_mode()
def test_padding_changes_no_likelihood(model: Transformer) -> None:
    short, long = (
        trace(encode(melody([Note(12 * i, 12, 60 + i % 5) for i in range(n)]))) for n in (3, 17)
    )
    masks = GrammarMasks(torch.tensor(rules.sound_masks(4)), torch.tensor(rules.duration_masks()))
    alone = sum(part.sum() for part in nll(model, make_batch([short], torch.device("cpu")), masks))
    sound, duration = nll(model, make_batch([short, long], torch.device("cpu")), masks)
    assert torch.allclose(sound[0].sum() + duration[0].sum(), alone, atol=1e-4)
    assert int((sound[0] != 0).sum()) <= short.is_scored.sum()


def test_wanted_rows_are_those_of_each_sequence_alone(model: Transformer) -> None:
    events, context, ticks = random_inputs(3, 11)
    lengths, wanted = (
        (11, 7, 2),
        torch.rand(3, 11, generator=torch.Generator().manual_seed(0)) < 0.6,
    )
    wanted &= torch.arange(11) < torch.tensor(lengths)[:, None]
    alone = [
        model(events[i : i + 1, :n], context[i : i + 1, :n], ticks[i : i + 1, : n + 1])[0]
        for i, n in enumerate(lengths)
    ]
    expected = torch.cat([own[wanted[i, : len(own)]] for i, own in enumerate(alone)])
    assert torch.allclose(
        model(events, context, ticks, packing=Packing(lengths, wanted)), expected, atol=1e-5
    )


@torch.inference_mode()
def test_what_may_follow_a_prefix_has_probability_one(model: Transformer) -> None:
    """Sums the model's probabilities over every allowed (sound, duration) after short prefixes."""
    own = trace(encode(melody([Note(0, 24, 60), Note(24, 12, 62), Note(36, 96, 64)])))
    batch = make_batch([own], torch.device("cpu"))
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks)[0]
    for row in range(4, len(own.events) - 1):
        allowed = torch.tensor(rules.sound_masks(4)[own.rules[row, 0]])
        place = batch.context[0, row : row + 1]
        sounds = (
            model.heads.sound_logits(hidden[row : row + 1], place)[0]
            .masked_fill(~allowed, -torch.inf)
            .softmax(-1)
        )
        target = batch.events[0, row + 1, 0]
        lasting = torch.tensor(rules.duration_masks()[own.rules[row, 1]])
        durations = (
            model.heads.duration_logits(hidden[row : row + 1], place, target[None])[0]
            .masked_fill(~lasting, -torch.inf)
            .softmax(-1)
        )
        assert sounds.sum().item() == pytest.approx(1.0, abs=1e-5)
        assert durations.sum().item() == pytest.approx(1.0, abs=1e-5)
        assert sounds[target] > 0
        assert durations[batch.events[0, row + 1, 1]] > 0


def test_a_moved_trace_is_the_trace_of_the_moved_score() -> None:
    score = melody([Note(0, 24, 60), Note(30, 12, 62), Note(42, 120, 64)])
    holes = [[(30, 42)]]
    for semitones in (-5, 0, 3):
        moved, again = (
            transposed(trace(encode(score, holes)), semitones),
            trace(encode(score.transposed(semitones), holes)),
        )
        assert np.array_equal(moved.events, again.events)
        assert np.array_equal(moved.context, again.context)
