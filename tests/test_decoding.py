"""Decoding step by step: whichever way, however many rows, the logits are those of the module over the whole."""

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seqmusic.corpus.dataset import Dataset
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.prediction import log_likelihoods
from seqmusic.generation.request import Request
from seqmusic.model.decoding import array_decoder as array_decoding
from seqmusic.model.decoding.array_decoder import ArrayDecoder
from seqmusic.model.decoding.packed_model import Blocks, weight_shapes
from seqmusic.model.decoding.compiled_decoder import CompiledDecoder
from seqmusic.model.decoding.decoder import (
    MAX_UNCOMPILED_DECODERS,
    Decoder,
    make_decoder,
    to_array_model,
)
from seqmusic.model.decoding.module_decoder import ModuleDecoder
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY, load_array_model, load_model, make_grammar_masks
from seqmusic.score import SATB, Score, Voice
from seqmusic.tokens import rules
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import encode, encode_prompt, trace
from seqmusic.tokens.vocabulary import N_DURATIONS, N_SOUNDS
from seqmusic.training.batches import make_batch, nll

SETTINGS = ModelSettings(
    width=24, layers=3, heads=2, feedforward=5, dropout=0.3, context_length=128
)


def array_decoder(model: Transformer, n_rows: int, length: int) -> Decoder:
    return ArrayDecoder(to_array_model(model), n_rows, length)


def compiled_decoder(model: Transformer, n_rows: int, length: int) -> Decoder:
    return CompiledDecoder(to_array_model(model), n_rows, length)


DecoderFactory = Callable[[Transformer, int, int], Decoder]
DECODERS = [array_decoder, compiled_decoder, ModuleDecoder]


@pytest.fixture(scope="module")
def model() -> Transformer:
    return random_model(SETTINGS)


def random_model(settings: ModelSettings) -> Transformer:
    torch.manual_seed(5)
    made = Transformer(settings, VOCABULARY).eval()
    for (
        parameter
    ) in made.parameters():  # gains and shifts too, so that none of them can be forgotten
        torch.nn.init.normal_(parameter, mean=float(parameter.dim() == 1), std=0.2)
    return made


def random_inputs(n_rows: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    return events, context, np.sort(chance.integers(0, 5000, (n_rows, length + 1)))


def cached_logits(
    decoder: Decoder, events: np.ndarray, context: np.ndarray, ticks: np.ndarray, n_first: int
) -> list[np.ndarray]:
    """Logits of sounds and of durations, (N, T, ...) each, from the last event of the prompt on."""
    decoder.prefill(events[:, :n_first], context[:, :n_first], ticks[:, : n_first + 1])
    sounds, durations = [], []
    for t in range(n_first, events.shape[1] + 1):
        sounds.append(decoder.sound_logits(context[:, t - 1]))
        durations.append(decoder.duration_logits(context[:, t - 1], events[:, t - 1, 0]))
        if t < events.shape[1]:
            decoder.step(events[:, t], context[:, t], ticks[:, t : t + 2])
    assert decoder.length == events.shape[1]
    return [np.stack(own, axis=1) for own in (sounds, durations)]


@torch.inference_mode()
def uncached_logits(
    model: Transformer, events: np.ndarray, context: np.ndarray, ticks: np.ndarray, n_first: int
) -> list[np.ndarray]:
    """The same without a cache."""
    heard, places, moments = map(torch.from_numpy, (events, context, ticks))
    hidden, places, sounds = (
        model(heard, places, moments)[:, n_first - 1 :],
        places[:, n_first - 1 :],
        heard[:, n_first - 1 :, 0],
    )
    n_rows, length = sounds.shape
    flat, where = hidden.flatten(0, 1), places.flatten(0, 1)
    logits = (
        model.heads.sound_logits(flat, where),
        model.heads.duration_logits(flat, where, sounds.flatten()),
    )
    return [own.view(n_rows, length, -1).numpy() for own in logits]


@pytest.mark.parametrize("way", DECODERS)
@pytest.mark.parametrize(("n_rows", "n_first"), [(1, 1), (3, 7), (4, 2), (6, 7), (16, 5)])
def test_a_prompt_and_steps_equal_the_whole(
    model: Transformer, way: DecoderFactory, n_rows: int, n_first: int
) -> None:
    given = random_inputs(n_rows, 17)
    for own, wanted in zip(
        cached_logits(way(model, n_rows, 17), *given, n_first),
        uncached_logits(model, *given, n_first),
        strict=True,
    ):
        assert own.shape == wanted.shape
        assert np.abs(own - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("way", [array_decoder, compiled_decoder])
def test_room_for_the_past_is_made_when_it_is_needed(
    way: DecoderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_decoding, "_INITIAL_CAPACITY", 4)
    small = random_model(replace(SETTINGS, layers=2))
    for n_first in (1, 6):
        given = random_inputs(3, 19)
        for own, wanted in zip(
            cached_logits(way(small, 3, 19), *given, n_first),
            uncached_logits(small, *given, n_first),
            strict=True,
        ):
            assert np.abs(own - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("way", DECODERS)
@pytest.mark.parametrize("normalization", ["rms", "none"])
def test_so_it_is_with_other_normalizations_and_a_plain_output_layer(
    way: DecoderFactory, normalization: str
) -> None:
    other = replace(SETTINGS, layers=1, normalization=normalization, relative_output=False)
    model = random_model(other)
    assert weight_shapes(other, VOCABULARY) == {
        name: tuple(tensor.shape) for name, tensor in model.state_dict().items()
    }
    for n_rows in (1, 6):
        given = random_inputs(n_rows, 11)
        for own, wanted in zip(
            cached_logits(way(model, n_rows, 11), *given, 3),
            uncached_logits(model, *given, 3),
            strict=True,
        ):
            assert np.abs(own - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


def test_the_epsilon_of_the_normalizations_counts(model: Transformer) -> None:
    other = copy.deepcopy(model)
    for part in (other.sounds, other.durations, other.places):
        torch.nn.init.normal_(part.weight, std=3e-4)  # a stream of about the epsilon's size
    given = random_inputs(3, 11)
    for own, wanted in zip(
        cached_logits(array_decoder(other, 3, 11), *given, 2),
        uncached_logits(other, *given, 2),
        strict=True,
    ):
        assert np.abs(own - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


def test_the_shapes_of_the_weights_are_the_modules(model: Transformer) -> None:
    assert weight_shapes(SETTINGS, VOCABULARY) == {
        name: tuple(tensor.shape) for name, tensor in model.state_dict().items()
    }


@pytest.mark.parametrize("way", DECODERS)
@pytest.mark.parametrize("n_rows", [3, 16])
def test_a_prompt_may_be_given_once_for_all(
    model: Transformer, way: DecoderFactory, n_rows: int
) -> None:
    events, context, ticks = random_inputs(n_rows, 13)
    for own in (events, context, ticks):
        own[:, :7] = own[:1, :7]
    ticks[:, 7] = ticks[0, 7]
    once, each = way(model, n_rows, 13), way(model, n_rows, 13)
    once.prefill(events[:1, :7], context[:1, :7], ticks[:1, :8])
    each.prefill(events[:, :7], context[:, :7], ticks[:, :8])
    assert np.allclose(*(own.sound_logits(context[:, 6]) for own in (once, each)), atol=1e-5)
    for own in (once, each):
        own.step(events[:, 7], context[:, 7], ticks[:, 7:9])
    assert np.allclose(*(own.sound_logits(context[:, 7]) for own in (once, each)), atol=1e-5)


@pytest.mark.parametrize("way", DECODERS)
def test_more_events_than_there_is_room_for_are_refused(
    model: Transformer, way: DecoderFactory
) -> None:
    events, context, ticks = random_inputs(2, 6)
    with pytest.raises(ValueError, match="made for 5 events, got 6"):
        way(model, 2, 5).prefill(events, context, ticks)
    full = way(model, 2, 5)
    full.prefill(events[:, :5], context[:, :5], ticks[:, :6])
    with pytest.raises(ValueError, match="made for 5 events, got 6"):
        full.step(events[:, 5], context[:, 5], ticks[:, 5:])


def test_the_weights_of_the_model_stay_as_they_are(model: Transformer) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    make_decoder(model, 2, 5).prefill(*random_inputs(2, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("way", DECODERS)
def test_the_same_chance_gives_the_same_notes_alone_and_among_sixteen(
    model: Transformer, way: DecoderFactory
) -> None:
    together = sampled_events(way(model, 16, 128), list(range(16)))
    assert len(set(map(tuple, together))) == 16
    for seed in (0, 7, 15):
        assert sampled_events(way(model, 1, 128), [seed]) == [together[seed]]


def test_the_same_chance_gives_the_same_notes_whichever_way(model: Transformer) -> None:
    notes = [sampled_events(way(model, 5, 128), list(range(5))) for way in DECODERS]
    assert notes[0] == notes[1] == notes[2]


def test_a_program_that_composes_much_does_it_with_compiled_code(model: Transformer) -> None:
    decoders = [make_decoder(model, 20, 5) for _ in range(6)]
    assert {type(decoder) for decoder in decoders} <= {ArrayDecoder, CompiledDecoder}
    assert isinstance(decoders[-1], CompiledDecoder)
    assert decoders[-1].n_rows == 8  # the others come after them


def test_more_pieces_than_are_decoded_at_once_are_all_composed(model: Transformer) -> None:
    for _ in range(MAX_UNCOMPILED_DECODERS):
        make_decoder(model, 1, 5)
    prompt = encode_prompt(Score(tuple(Voice(name, ()) for name in SATB)), [[(0, 192)]] * 4)
    many, few = (complete(model, prompt, Request(n=n, seed=3), Constraints({})) for n in (20, 3))
    assert [own.score for own in many[:3]] == [own.score for own in few]
    assert all(own.score.end_ticks == 192 for own in many)
    assert len({own.log_probability for own in many}) == 20


def test_without_numba_it_is_done_in_numpy() -> None:
    code = "import sys; sys.modules['numba'] = None; from seqmusic.model.decoding.decoder import fastest_decoder_class as f; print(f().__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "ArrayDecoder\n", done.stderr


def sampled_events(decoder: Decoder, seeds: list[int]) -> list[list[tuple[int, int]]]:
    """Sixty events for each seed, drawn under the grammar."""
    prompt = encode_prompt(Score(tuple(Voice(name, ()) for name in SATB)), [[(0, 768)]] * 4)
    states, chances = (
        [GrammarState() for _ in seeds],
        [np.random.default_rng(seed) for seed in seeds],
    )
    for state in states:
        for event in prompt[1:]:
            state.push(*event)
    heard = trace(prompt)
    decoder.prefill(
        heard.events[None], heard.context[None], np.concatenate(([0], heard.ticks))[None]
    )
    said: list[list[tuple[int, int]]] = [[] for _ in seeds]
    for _ in range(60):
        context, before = (
            np.stack([state.context() for state in states]),
            [state.tick for state in states],
        )
        allowed = [rules.sound_masks(4)[state.sound_rule] for state in states]
        sounds = [
            sample_id(*own)
            for own in zip(chances, decoder.sound_logits(context), allowed, strict=True)
        ]
        lasting = [
            rules.duration_masks()[state.duration_rule(sound)]
            for state, sound in zip(states, sounds, strict=True)
        ]
        durations = [
            sample_id(*own)
            for own in zip(
                chances, decoder.duration_logits(context, np.array(sounds)), lasting, strict=True
            )
        ]
        for state, own, *event in zip(states, said, sounds, durations, strict=True):
            own.append((event[0], event[1]))
            state.push(*own[-1])
        ticks = np.array([before, [state.tick for state in states]]).T
        decoder.step(
            np.array([own[-1] for own in said]),
            np.stack([state.context() for state in states]),
            ticks,
        )
    return said


def sample_id(chance: np.random.Generator, logits: np.ndarray, allowed: np.ndarray) -> int:
    shares = np.exp(
        np.where(allowed, logits - logits[allowed].max(), -np.inf).astype(np.float64)
    ).cumsum()
    return int(np.searchsorted(shares, chance.random() * shares[-1], side="right"))


def test_a_folder_read_without_torch_is_the_same_model() -> None:
    folder = Path("chorales")
    ready, packed = load_array_model(folder), to_array_model(load_model(folder))
    assert ready.settings == packed.settings
    assert all(
        np.array_equal(getattr(ready.blocks, name), getattr(packed.blocks, name))
        for name in Blocks.__slots__
    )
    assert np.array_equal(ready.heads.project_hidden, packed.heads.project_hidden)


def test_likelihoods_in_numpy_are_the_modules(chorales: Dataset) -> None:
    scores = [work.score for work in chorales.works_in("valid")[:3]]
    trained = load_model(Path("chorales"))
    steps = [trace(encode(score)[:-1], VOCABULARY.max_voices) for score in scores]
    with torch.inference_mode():
        sound, duration = nll(
            trained, make_batch(steps, torch.device("cpu")), make_grammar_masks(torch.device("cpu"))
        )
    wanted = -(sound + duration).sum(dim=1)
    assert [nats for nats, _ in log_likelihoods(trained, scores)] == pytest.approx(
        wanted.tolist(), abs=1e-3
    )


def test_composing_needs_no_torch(tmp_path: Path) -> None:
    command = ["continue", "C4 D4", "--bars", "2", "-n", "1", "--out", str(tmp_path / "out")]
    code = (
        f"import sys; from seqmusic.cli import main; print(main({command}), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0 False", done.stderr
