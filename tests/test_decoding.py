"""Decoding step by step: every decoder gives the logits of the module, for any number of rows."""

import copy
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import MissingExtraError
from seqmusic.generation import output
from seqmusic.generation.completion import complete
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.prediction import log_likelihoods
from seqmusic.generation.request import Request
from seqmusic.model.decoding import array_decoder as array_decoding
from seqmusic.model.decoding import compiled_kernels, decoder, forward
from seqmusic.model.decoding.array_decoder import ArrayDecoder
from seqmusic.model.decoding.decoder import Decoder, make_decoder, to_array_model
from seqmusic.model.decoding.module_decoder import ModuleDecoder
from seqmusic.model.decoding.packed_model import BlockWeights, weight_shapes
from seqmusic.model.settings import ModelSettings
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import VOCABULARY, load_array_model, load_model, make_grammar_masks
from seqmusic.score import SATB, Key, Note, Score, Voice, melody
from seqmusic.tokens import rules
from seqmusic.tokens.grammar import GrammarState
from seqmusic.tokens.tokenizer import encode, encode_prompt, trace
from seqmusic.tokens.vocabulary import N_DURATIONS, N_SOUNDS
from seqmusic.training.batches import make_batch, nll

SETTINGS = ModelSettings(
    width=24, layers=3, heads=2, feedforward=5, dropout=0.3, context_length=128
)


def numpy_decoder(model: Transformer, n_rows: int, max_length: int) -> Decoder:
    return ArrayDecoder(to_array_model(model), n_rows, max_length, forward)


def compiled_decoder(model: Transformer, n_rows: int, max_length: int) -> Decoder:
    return ArrayDecoder(to_array_model(model), n_rows, max_length, compiled_kernels)


DecoderFactory = Callable[[Transformer, int, int], Decoder]
ARRAY_DECODERS = [numpy_decoder, compiled_decoder]
DECODERS = [*ARRAY_DECODERS, ModuleDecoder]


@pytest.fixture(scope="module")
def model() -> Transformer:
    return random_model(SETTINGS)


def random_model(settings: ModelSettings) -> Transformer:
    torch.manual_seed(5)
    model = Transformer(settings, VOCABULARY).eval()
    for parameter in model.parameters():  # gains and shifts too: none of them may be forgotten
        torch.nn.init.normal_(parameter, mean=float(parameter.dim() == 1), std=0.2)
    return model


def random_inputs(n_rows: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    shape = (n_rows, length)
    events = np.stack([rng.integers(0, n, shape) for n in (N_SOUNDS, N_DURATIONS)], axis=-1)
    context = np.stack([rng.integers(0, n, shape) for n in VOCABULARY.context_sizes], axis=-1)
    return events, context, np.sort(rng.integers(0, 5000, (n_rows, length + 1)))


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
    return [np.stack(logits, axis=1) for logits in (sounds, durations)]


@torch.inference_mode()
def uncached_logits(
    model: Transformer, events: np.ndarray, context: np.ndarray, ticks: np.ndarray, n_first: int
) -> list[np.ndarray]:
    """The same by the module, without a cache."""
    hidden = model(*map(torch.from_numpy, (events, context, ticks)))[:, n_first - 1 :]
    n_rows, length = hidden.shape[:2]
    rows = hidden.flatten(0, 1)
    columns = torch.from_numpy(context[:, n_first - 1 :]).flatten(0, 1)
    sounds = torch.from_numpy(events[:, n_first - 1 :, 0]).flatten()
    logits = (
        model.heads.sound_logits(rows, columns),
        model.heads.duration_logits(rows, columns, sounds),
    )
    return [part.view(n_rows, length, -1).numpy() for part in logits]


def assert_decodes_like_module(
    make: DecoderFactory, model: Transformer, n_rows: int, length: int, n_first: int
) -> None:
    inputs = random_inputs(n_rows, length)
    found = cached_logits(make(model, n_rows, length), *inputs, n_first)
    expected = uncached_logits(model, *inputs, n_first)
    for logits, wanted in zip(found, expected, strict=True):
        assert logits.shape == wanted.shape
        assert np.abs(logits - wanted).max() < 1e-5 * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("make", DECODERS)
@pytest.mark.parametrize(("n_rows", "n_first"), [(1, 1), (3, 7), (4, 2), (6, 7), (16, 5)])
def test_a_prompt_and_steps_equal_the_whole(
    model: Transformer, make: DecoderFactory, n_rows: int, n_first: int
) -> None:
    assert_decodes_like_module(make, model, n_rows, 17, n_first)


@pytest.mark.parametrize("make", ARRAY_DECODERS)
@pytest.mark.parametrize("n_first", [1, 6])
def test_the_cache_grows_when_it_is_full(
    make: DecoderFactory, n_first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_decoding, "_INITIAL_CAPACITY", 4)
    assert_decodes_like_module(make, random_model(replace(SETTINGS, layers=2)), 3, 19, n_first)


@pytest.mark.parametrize("make", DECODERS)
@pytest.mark.parametrize("normalization", ["rms", "none"])
def test_other_normalizations_and_a_plain_output_layer_equal_the_module(
    make: DecoderFactory, normalization: str
) -> None:
    settings = replace(SETTINGS, layers=1, normalization=normalization, relative_output=False)
    model = random_model(settings)
    assert weight_shapes(settings, VOCABULARY) == shapes(model)
    for n_rows in (1, 6):
        assert_decodes_like_module(make, model, n_rows, 11, 3)


@pytest.mark.parametrize("make", ARRAY_DECODERS)
def test_the_epsilon_of_the_normalizations_counts(make: DecoderFactory, model: Transformer) -> None:
    small = copy.deepcopy(model)
    for table in (small.sounds, small.durations, small.places):
        torch.nn.init.normal_(table.weight, std=3e-4)  # squares of about the size of epsilon
    for n_rows in (1, 3):
        assert_decodes_like_module(make, small, n_rows, 11, 2)


def test_the_shapes_of_the_weights_are_those_of_the_module(model: Transformer) -> None:
    assert weight_shapes(SETTINGS, VOCABULARY) == shapes(model)


def shapes(model: Transformer) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("make", DECODERS)
@pytest.mark.parametrize("n_rows", [3, 16])
def test_one_prompt_holds_for_all_rows(
    model: Transformer, make: DecoderFactory, n_rows: int
) -> None:
    events, context, ticks = random_inputs(n_rows, 13)
    for array in (events, context, ticks):
        array[:, :7] = array[:1, :7]
    ticks[:, 7] = ticks[0, 7]
    once, each = make(model, n_rows, 13), make(model, n_rows, 13)
    once.prefill(events[:1, :7], context[:1, :7], ticks[:1, :8])
    each.prefill(events[:, :7], context[:, :7], ticks[:, :8])
    assert np.allclose(*(one.sound_logits(context[:, 6]) for one in (once, each)), atol=1e-5)
    for one in (once, each):
        one.step(events[:, 7], context[:, 7], ticks[:, 7:9])
    assert np.allclose(*(one.sound_logits(context[:, 7]) for one in (once, each)), atol=1e-5)


@pytest.mark.parametrize("make", DECODERS)
def test_more_events_than_the_decoder_was_made_for_are_refused(
    model: Transformer, make: DecoderFactory
) -> None:
    events, context, ticks = random_inputs(2, 6)
    with pytest.raises(ValueError, match="made for 5 events, got 6"):
        make(model, 2, 5).prefill(events, context, ticks)
    full = make(model, 2, 5)
    full.prefill(events[:, :5], context[:, :5], ticks[:, :6])
    with pytest.raises(ValueError, match="made for 5 events, got 6"):
        full.step(events[:, 5], context[:, 5], ticks[:, 5:])


def test_decoding_leaves_the_weights_of_the_model_as_they_are(model: Transformer) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    make_decoder(model, 2, 5).prefill(*random_inputs(2, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("make", DECODERS)
def test_a_seed_gives_the_same_notes_alone_and_among_sixteen(
    model: Transformer, make: DecoderFactory
) -> None:
    together = sampled_events(make(model, 16, 128), list(range(16)))
    assert len(set(map(tuple, together))) == 16
    for seed in (0, 7, 15):
        assert sampled_events(make(model, 1, 128), [seed]) == [together[seed]]


def test_a_seed_gives_the_same_notes_with_every_decoder(model: Transformer) -> None:
    notes = [sampled_events(make(model, 5, 128), list(range(5))) for make in DECODERS]
    assert notes[0] == notes[1] == notes[2]


def test_threads_that_decode_at_once_do_not_disturb_each_other(model: Transformer) -> None:
    alone = sampled_events(compiled_decoder(model, 3, 128), [0, 1, 2])
    with ThreadPoolExecutor(4) as pool:
        decoders = [compiled_decoder(model, 3, 128) for _ in range(4)]
        found = list(pool.map(sampled_events, decoders, [[0, 1, 2]] * 4))
    assert found == [alone] * 4


def test_compiled_code_is_used_unless_it_is_excluded(model: Transformer) -> None:
    packed = to_array_model(model)
    uncompiled = replace(packed, compiled=False)
    for model_, compiled, backend in (
        (packed, None, compiled_kernels),
        (packed, False, forward),
        (uncompiled, None, forward),
        (uncompiled, True, compiled_kernels),
    ):
        for _ in range(6):  # however many there were before
            array_decoder = make_decoder(model_, 20, 5, compiled)
            assert isinstance(array_decoder, ArrayDecoder)
            assert array_decoder.backend is backend
            assert array_decoder.n_rows == (20 if backend is forward else 8)  # more come later


def test_a_small_request_does_not_load_compiled_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    backend = decoder.compiled_backend()
    monkeypatch.setattr(decoder, "compiled_backend", lambda: loads.append(1) or backend)
    monkeypatch.setattr(output, "MIN_COMPILED_BARS", 6)
    theme = melody([Note(0, 24, 60), Note(24, 24, 62)], key=Key(0, "major"))
    for n in (2, 3):
        output.compose_run(
            output.Task(name="continue", bars=2), theme, None, Request(n=n), tmp_path / str(n)
        )
        assert bool(loads) == (n == 3)


def test_more_candidates_than_are_decoded_at_once_are_all_composed(model: Transformer) -> None:
    prompt = encode_prompt(Score(tuple(Voice(name, ()) for name in SATB)), [[(0, 192)]] * 4)
    many, some = (complete(model, prompt, Request(n=n, seed=3), Constraints({})) for n in (20, 3))
    assert [one.score for one in many[:3]] == [one.score for one in some]
    assert all(one.score.end_ticks == 192 for one in many)
    assert len({one.log_probability for one in many}) == 20


def test_without_numba_numpy_decodes(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "compiled_backend", lambda: None)
    array_decoder = make_decoder(model, 2, 5)
    assert isinstance(array_decoder, ArrayDecoder)
    assert array_decoder.backend is forward
    with pytest.raises(MissingExtraError, match="needs numba"):
        make_decoder(model, 2, 5, compiled=True)


def test_numba_that_is_not_installed_is_not_missed() -> None:
    code = (
        "import sys; sys.modules['numba'] = None; "
        "from seqmusic.model.decoding.decoder import compiled_backend; print(compiled_backend())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "None\n", done.stderr


def sampled_events(decoder: Decoder, seeds: list[int]) -> list[list[tuple[int, int]]]:
    """Sixty events for each seed, drawn under the grammar."""
    prompt = encode_prompt(Score(tuple(Voice(name, ()) for name in SATB)), [[(0, 768)]] * 4)
    states = [GrammarState() for _ in seeds]
    rngs = [np.random.default_rng(seed) for seed in seeds]
    for state in states:
        for event in prompt[1:]:
            state.push(*event)
    given = trace(prompt)
    ticks = np.concatenate(([0], given.ticks))
    decoder.prefill(given.events[None], given.context[None], ticks[None])
    drawn: list[list[tuple[int, int]]] = [[] for _ in seeds]
    for _ in range(60):
        context = np.stack([state.context() for state in states])
        before = [state.tick for state in states]
        sound_masks = [rules.sound_masks(4)[state.sound_rule] for state in states]
        sounds = list(map(sample_id, rngs, decoder.sound_logits(context), sound_masks))
        duration_masks = [
            rules.duration_masks()[state.duration_rule(sound)]
            for state, sound in zip(states, sounds, strict=True)
        ]
        logits = decoder.duration_logits(context, np.array(sounds))
        durations = list(map(sample_id, rngs, logits, duration_masks))
        events = list(zip(sounds, durations, strict=True))
        for state, line, event in zip(states, drawn, events, strict=True):
            line.append(event)
            state.push(*event)
        after = [state.tick for state in states]
        context = np.stack([state.context() for state in states])
        decoder.step(np.array(events), context, np.array([before, after]).T)
    return drawn


def sample_id(rng: np.random.Generator, logits: np.ndarray, allowed: np.ndarray) -> int:
    logits = np.where(allowed, logits - logits[allowed].max(), -np.inf).astype(np.float64)
    cumulative = np.exp(logits).cumsum()
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def test_a_folder_read_without_torch_is_the_same_model() -> None:
    folder = Path("chorales")
    loaded, packed = load_array_model(folder), to_array_model(load_model(folder))
    assert loaded.settings == packed.settings
    for field in fields(BlockWeights):
        weights = (getattr(one.blocks, field.name) for one in (loaded, packed))
        assert np.array_equal(*weights)
    assert np.array_equal(loaded.heads.sound, packed.heads.sound)


@pytest.mark.parametrize("compiled", [False, True])
def test_likelihoods_on_arrays_are_those_of_the_module(chorales: Dataset, compiled: bool) -> None:
    scores = [work.score for work in chorales.works_in("valid")[:3]]
    trained = load_model(Path("chorales"))
    steps = [trace(encode(score)[:-1], VOCABULARY.max_voices) for score in scores]
    cpu = torch.device("cpu")
    with torch.inference_mode():
        sound, duration = nll(trained, make_batch(steps, cpu), make_grammar_masks(cpu))
    expected = -(sound + duration).sum(dim=1)
    packed = replace(to_array_model(trained), compiled=compiled)
    found = [nats for nats, _ in log_likelihoods(packed, scores)]
    assert found == pytest.approx(expected.tolist(), abs=1e-3)


def test_composing_needs_no_torch(tmp_path: Path) -> None:
    command = ["continue", "C4 D4", "--bars", "2", "-n", "1", "--out", str(tmp_path / "out")]
    code = (
        f"import sys; from seqmusic.cli import main; "
        f"print(main({command}), 'torch' in sys.modules, 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0 False False", done.stderr
