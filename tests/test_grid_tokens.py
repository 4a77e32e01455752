"""The grid baseline: the order of cells, a likelihood that sums to one, causality, and training."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from seqmusic.baselines.grid_tokens import (
    GRID_VOCABULARY,
    HIGHEST_PITCH,
    LOWEST_PITCH,
    draw_grid_batch,
    grid_data,
    grid_masks,
    grid_trace,
    grid_traces,
)
from seqmusic.errors import UnencodableError
from seqmusic.evaluation.loss_curve import CurvePoint, first_below, measure_loss_curve
from seqmusic.metrics.likelihood import score_events, score_pieces
from seqmusic.model.grid_transformer import GridTransformer
from seqmusic.model.transformer import ModelSettings
from seqmusic.pitch_grid import count_cells, pitch_grid
from seqmusic.score import Note, Score, Voice, melody
from seqmusic.training.loop import new_training_state
from seqmusic.training.settings import TrainingSettings

SETTINGS = ModelSettings(width=24, layers=2, heads=2, dropout=0.0)
MASKS = grid_masks(torch.device("cpu"))


@pytest.fixture
def model() -> GridTransformer:
    torch.manual_seed(5)
    built = GridTransformer(SETTINGS, GRID_VOCABULARY).eval()
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return built


def duet(n_steps: int, seed: int = 2) -> Score:
    rng = np.random.default_rng(seed)
    voices = []
    for name, low in (("Soprano", 60), ("Alto", 55)):
        pitches = rng.integers(low, low + 5, n_steps)
        voices.append(
            Voice(name, tuple(Note(6 * i, 6, int(pitch)) for i, pitch in enumerate(pitches)))
        )
    return Score(tuple(voices), ())


def test_cells_are_in_order_with_their_context() -> None:
    """Soprano 60 60 62, bass 36, rest, 81: the start, then 60 36 | 60 rest | 62 81."""
    soprano = Voice("Soprano", (Note(0, 12, 60), Note(12, 6, 62)))
    score = Score((soprano, Voice("Bass", (Note(0, 6, 36), Note(12, 6, 81)))), ())
    trace = grid_trace(pitch_grid(score))
    start, rest = HIGHEST_PITCH - LOWEST_PITCH + 2, HIGHEST_PITCH - LOWEST_PITCH + 1
    assert trace.events[:, 0].tolist() == [start, 24, 0, 24, rest, 26, 45]
    assert not trace.events[:, 1].any()
    voice_bar_beat = [[voice, step, step] for step in range(3) for voice in range(2)]
    assert trace.context[:-1, :3].tolist() == voice_bar_beat
    # Two, three and four cells ago; the event itself is one cell ago.
    assert trace.context[4, 3:].tolist() == [24, 0, 24]
    assert trace.context[1, 3:].tolist() == [start] * 3
    assert trace.ticks[:-1].tolist() == [0, 0, 6, 6, 12, 12]
    assert trace.is_scored.tolist() == [True] * 6 + [False]
    assert int(trace.is_scored.sum()) == count_cells(score)


def test_steps_are_counted_by_bar_and_beat() -> None:
    trace = grid_trace(pitch_grid(melody([Note(0, 6 * 35, 60)])))
    assert trace.context[:-1, 1].tolist() == [step % 16 for step in range(35)]
    assert trace.context[:-1, 2].tolist() == [step % 4 for step in range(35)]


@pytest.mark.parametrize("prefix", [[], [[60, -1]]])
def test_all_continuations_by_one_step_have_probability_one(
    model: GridTransformer, prefix: list[list[int]]
) -> None:
    ends = [
        [*prefix, [a, b]]
        for a, b in itertools.product([*range(LOWEST_PITCH, HIGHEST_PITCH + 1), -1], repeat=2)
    ]
    assert len(ends) == 47**2
    traces = [grid_trace(np.array(steps, np.int16).T) for steps in ends]
    many = score_pieces(
        model, traces, MASKS, cells=[1] * len(ends), notes=[1] * len(ends), batch_size=512
    )
    before = 0.0
    if prefix:
        before = score_pieces(
            model, [grid_trace(np.array(prefix, np.int16).T)], MASKS, cells=[2], notes=[1]
        ).nats[0]
    assert sum(math.exp(before - nats) for nats in many.nats) == pytest.approx(1, abs=1e-4)
    assert sum(many.duration_nats) == 0
    assert math.isnan(many.duration_accuracy)


@torch.inference_mode()
def test_the_past_does_not_depend_on_the_future(model: GridTransformer) -> None:
    def nats(grid: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return score_events(model, [grid_trace(grid)], MASKS)[0].nats

    grid = pitch_grid(duet(11))
    changed = grid.copy()
    changed[1, 7:] = 40
    before, after = nats(grid), nats(changed)
    assert np.array_equal(before[: 2 * 7 + 1], after[: 2 * 7 + 1])
    assert not np.isclose(before[2 * 7 + 1 :], after[2 * 7 + 1 :]).any()


def test_music_beyond_the_grid_is_refused() -> None:
    with pytest.raises(
        UnencodableError,
        match=r"sixteenths only, got a note from tick 0 to 4 \('x', voice 'Soprano', note 0\)",
    ):
        grid_traces([melody([Note(0, 4, 60)], title="x")])
    with pytest.raises(UnencodableError, match=r"pitches 36\.\.81, got 82 \(voice 0, step 1\)"):
        grid_traces([melody([Note(6, 6, 82)])])
    with pytest.raises(UnencodableError, match=r"1\.\.4 voices, got 5"):
        grid_traces([Score(tuple(Voice(name, (Note(0, 6, 60),)) for name in "abcde"))])


def test_an_epoch_draws_each_piece_once_and_transposed() -> None:
    scores = [duet(n, seed=n) for n in (3, 5, 7, 11, 13, 2)]
    data = grid_data(scores)
    settings = TrainingSettings(batch_size=2, seed=3)
    for epoch in range(3):
        batches = [draw_grid_batch(data, settings, 3 * epoch + number) for number in range(3)]
        lengths = [len(trace.events) // 2 for batch in batches for trace in batch]
        assert sorted(lengths) == [2, 3, 5, 7, 11, 13]
    again = draw_grid_batch(data, settings, 4)
    assert all(
        np.array_equal(a.events, b.events)
        for a, b in zip(again, draw_grid_batch(data, settings, 4), strict=True)
    )
    moved = {int(draw_grid_batch(data, settings, 3 * epoch)[0].events[1, 0]) for epoch in range(20)}
    assert len(moved) > 4
    rest_between = Score((Voice("Soprano", (Note(0, 6, 60), Note(12, 6, 60))),), ())
    (drawn,) = draw_grid_batch(grid_data([rest_between]), settings, 0)
    assert drawn.events[2, 0] == HIGHEST_PITCH - LOWEST_PITCH + 1


def test_a_loss_curve_falls_and_ends_with_the_processor_time() -> None:
    scores = [melody([Note(0, 6 * 16, 60)])]
    settings = TrainingSettings(
        steps=10_000, batch_size=1, schedule="constant", warmup=0.0, evaluate_every=5
    )
    torch.manual_seed(0)
    state = new_training_state(GridTransformer(SETTINGS, GRID_VOCABULARY), settings)
    data = grid_data(scores)

    def evaluate(model: torch.nn.Module) -> float:
        assert isinstance(model, GridTransformer)
        return score_pieces(
            model, grid_traces(scores), MASKS, cells=[count_cells(scores[0])], notes=[1]
        ).nats_per_cell

    curve = list(
        measure_loss_curve(
            state,
            settings,
            lambda step: draw_grid_batch(data, settings, step),
            evaluate,
            MASKS,
            cpu_seconds=2.0,
        )
    )
    assert curve[-1].nats_per_cell < 0.8 * curve[0].nats_per_cell
    assert [point.cpu_seconds < 2 for point in curve[:-1]] == [True] * (len(curve) - 1)
    assert 2 <= curve[-1].cpu_seconds < 3


def test_first_below_a_figure() -> None:
    curve = [
        CurvePoint(*point, 0)
        for point in ((1, 2.0, 0.8), (2, 4.0, 0.6), (3, 8.0, 0.4), (4, 9.0, 0.5))
    ]
    assert first_below(curve, 0.9) == 2.0
    assert first_below(curve, 0.5) == pytest.approx(6.0)
    assert first_below(curve, 0.3) is None
