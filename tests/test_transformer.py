"""The model: cached steps equal the whole, causality, likelihoods that sum to one."""

import numpy as np
import pytest
import torch

from seqmusic.model.transformer import KVCache, ModelSettings, Packing, Transformer
from seqmusic.runs import pretrained as checkpoints
from seqmusic.score import Key, Note, melody
from seqmusic.tokens import rules
from seqmusic.tokens.augmentation import transposed
from seqmusic.tokens.tokenizer import encode, trace
from seqmusic.tokens.vocabulary import KEY, N_DURATIONS, N_SOUNDS, PITCH, key_to_id
from seqmusic.training.batches import GrammarMasks, make_batch, nll

SETTINGS = ModelSettings(width=24, layers=3, heads=2, dropout=0.0, context_length=64)
VOCABULARY = checkpoints.VOCABULARY


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(5)
    model = Transformer(SETTINGS, VOCABULARY).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def random_inputs(n_rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng, shape = np.random.default_rng(11), (n_rows, length)
    events = np.stack([rng.integers(0, n, shape) for n in (N_SOUNDS, N_DURATIONS)], axis=-1)
    context = np.stack([rng.integers(0, n, shape) for n in VOCABULARY.context_sizes], axis=-1)
    ticks = np.sort(rng.integers(0, 500, (n_rows, length + 1)))
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
def test_hidden_states_do_not_depend_on_the_future(model: Transformer) -> None:
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


def test_packed_sequences_give_the_hidden_states_of_each_alone(model: Transformer) -> None:
    events, context, ticks = random_inputs(3, 11)
    lengths = (11, 7, 2)
    is_needed = torch.rand(3, 11, generator=torch.Generator().manual_seed(0)) < 0.6
    is_needed &= torch.arange(11) < torch.tensor(lengths)[:, None]
    alone = [
        model(events[i : i + 1, :n], context[i : i + 1, :n], ticks[i : i + 1, : n + 1])[0]
        for i, n in enumerate(lengths)
    ]
    expected = torch.cat([hidden[is_needed[i, : len(hidden)]] for i, hidden in enumerate(alone)])
    packed = model(events, context, ticks, packing=Packing(lengths, is_needed))
    assert torch.allclose(packed, expected, atol=1e-5)


@torch.inference_mode()
def test_allowed_events_after_a_prefix_have_probability_one_together(model: Transformer) -> None:
    """Sums over all allowed sounds, and over all durations allowed for one of them."""
    steps = trace(encode(melody([Note(0, 24, 60), Note(24, 12, 62), Note(36, 96, 64)])))
    batch = make_batch([steps], torch.device("cpu"))
    hidden = model(batch.events[:, :-1], batch.context, batch.ticks)[0]
    for row in range(4, len(steps.events) - 1):
        inputs = hidden[row : row + 1], batch.context[0, row : row + 1]
        sound, duration = batch.events[0, row + 1]
        sound_logits = model.heads.sound_logits(*inputs)[0]
        duration_logits = model.heads.duration_logits(*inputs, sound[None])[0]
        for logits, masks, rule, target in (
            (sound_logits, rules.sound_masks(4), steps.rules[row, 0], sound),
            (duration_logits, rules.duration_masks(), steps.rules[row, 1], duration),
        ):
            is_allowed = torch.tensor(masks[rule])
            probabilities = logits.masked_fill(~is_allowed, -torch.inf).softmax(-1)
            assert probabilities.sum().item() == pytest.approx(1.0, abs=1e-5)
            assert probabilities[target] > 0


def test_a_transposed_trace_is_the_trace_of_the_transposed_score() -> None:
    score = melody([Note(0, 24, 60), Note(30, 12, 62), Note(42, 120, 64)])
    holes = [[(30, 42)]]
    for semitones in (-5, 0, 3):
        found = transposed(trace(encode(score, holes)), semitones)
        expected = trace(encode(score.transposed(semitones), holes))
        assert np.array_equal(found.events, expected.events)
        assert np.array_equal(found.context, expected.context)


@torch.inference_mode()
def test_the_tonic_is_one_anchor_in_major_and_another_in_minor(model: Transformer) -> None:
    keys = [Key(0, "major"), Key(2, "major"), Key(0, "minor"), Key(2, "minor"), Key(2), None]
    context = torch.zeros((len(keys), len(VOCABULARY.context_sizes)), dtype=torch.long)
    context[:, VOCABULARY.key_column] = torch.tensor([key_to_id(key) - KEY for key in keys])
    hidden = torch.randn(1, SETTINGS.width).expand(len(keys), -1)
    added = model.heads.sound_logits(hidden, context) - model.heads.sound(hidden)
    c_major, d_major, a_minor, b_minor, *others = added[:, PITCH:KEY]
    assert torch.allclose(c_major[36:85], d_major[38:87], atol=1e-5)  # two octaves around
    assert torch.allclose(a_minor[45:94], b_minor[47:96], atol=1e-5)
    assert (c_major[:36] == 0).all()
    assert not torch.allclose(c_major[36:85], a_minor[45:94])
    assert all((row == 0).all() for row in others)
