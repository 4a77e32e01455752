"""Samples and temperature sweeps: gaps worked out by hand, openings, and a small sweep."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from small_scores import chorale_like

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.estimates import UNITS, Estimate, estimates
from seqmusic.evaluation.samples import (
    RATES,
    draw_openings,
    find_openings,
    measure_continuation,
    original_continuations,
    sample_continuations,
)
from seqmusic.evaluation.sampling_settings import MIN_P, SamplingSetting, sampling_settings
from seqmusic.evaluation.temperature_sweep import (
    SweepPoint,
    TemperatureSweep,
    sweep_temperatures,
)
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.request import Request
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.metrics.originality import CopyIndex
from seqmusic.model.transformer import ModelSettings, Transformer
from seqmusic.runs.pretrained import VOCABULARY, load_model, model_folder
from seqmusic.score import Score

SMALL_SETTINGS = ModelSettings(width=32, layers=1, heads=2, context_length=1024)


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    return Transformer(SMALL_SETTINGS, VOCABULARY).eval()


@pytest.fixture(scope="module")
def works(chorales: Dataset) -> list[Score]:
    """Short ones, so that an untrained model comes to an end."""
    return sorted(
        (work.score for work in chorales.works_in("valid")), key=lambda score: score.end_ticks
    )[:6]


def sweep_of(
    values: dict[str, list[float]],
    works: dict[str, Estimate],
    floors: dict[str, float] | None = None,
) -> TemperatureSweep:
    """A sweep with a setting for each value: min-p 0, min-p 1 and so on."""
    points = []
    for level, row in enumerate(zip(*values.values(), strict=True)):
        found = {name: Estimate(v, v, v) for name, v in zip(values, row, strict=True)}
        points.append(SweepPoint(SamplingSetting(MIN_P, level, Request()), 1, found, (1,)))
    return TemperatureSweep(tuple(points), works, (1,), floors or {})


def test_gaps_are_zero_in_the_interval_and_one_at_the_worst() -> None:
    sweep = sweep_of(
        {"a": [1, 4, 6, 10], "b": [5, 5, 5, 5]}, {"a": Estimate(5, 4, 6), "b": Estimate(5, 5, 5)}
    )
    assert [sweep.gaps()[f"min-p {name}"]["a"] for name in range(4)] == [0.75, 0, 0, 1]
    assert [sweep.gaps()[f"min-p {name}"]["b"] for name in range(4)] == [0, 0, 0, 0]
    assert list(sweep.mean_gaps().values()) == [0.375, 0, 0, 0.5]
    assert sweep.recommended().level == 1
    assert sweep.best() == {"a": "min-p 1", "b": "min-p 0"}


def test_smaller_distances_are_better() -> None:
    sweep = sweep_of(
        {"duration": [0.0, 0.2, 0.3]}, {"duration": Estimate(0.2, 0.15, 0.25)}, {"duration": 0.1}
    )
    assert [sweep.gaps()[f"min-p {name}"]["duration"] for name in range(3)] == [0, 0, 1]
    assert sweep.best() == {"duration": "min-p 0"}


def test_a_setting_without_values_is_not_recommended() -> None:
    sweep = sweep_of({"a": [math.nan, 9, 8]}, {"a": Estimate(5, 4, 6)})
    assert sweep.gaps()["min-p 0"] == {}
    assert sweep.recommended().level == 2


def test_rules_are_off_except_on_their_ladder() -> None:
    cold, warm, ruled, cut = sampling_settings((0.5, 1.0), (0.7,), (0.1,))
    names = [setting.name for setting in (cold, ruled, cut)]
    assert names == ["temperature 0.5, model alone", "temperature 0.7, default rules", "min-p 0.1"]
    requests = [setting.request for setting in (cold, warm, cut)]
    assert all(request.lenience == 1 and request.cadence is False for request in requests)
    assert [(r.temperature, r.min_p) for r in requests] == [(0.5, 0), (1, 0), (1, 0.1)]
    assert ruled.request == Request(temperature=0.7, effort=0)


def test_opening_and_continuation_make_up_the_work(chorales: Dataset) -> None:
    for opening in find_openings([work.score for work in chorales.works_in("valid")]):
        work, prompt = opening.work, opening.prompt
        continuation = opening.continuation(work)
        assert prompt.end_ticks == work.end_ticks
        assert opening.end_ticks == next(b for b in work.bars() if b.number == 2).end_ticks
        assert prompt.score.n_notes + continuation.n_notes == work.n_notes
        given = [note for voice in prompt.score.voices for note in voice.notes]
        assert all(note.onset_ticks < opening.end_ticks for note in given)
        assert continuation.end_ticks == work.end_ticks - opening.end_ticks


def test_works_without_a_meter_have_openings(works: list[Score]) -> None:
    (opening,) = find_openings([replace(works[0], time_signatures=(), pickup_ticks=0)])
    assert opening.end_ticks == 192
    assert find_openings(works, context_length=16) == []


def test_each_opening_is_drawn_once_before_any_is_drawn_again(works: list[Score]) -> None:
    found = find_openings(works)
    drawn = draw_openings(found, 2 * len(found) + 1, seed=3)
    assert len(drawn) == 2 * len(found) + 1
    assert {id(opening) for opening in drawn[: len(found)]} == {id(opening) for opening in found}
    assert drawn == draw_openings(found, 2 * len(found) + 1, seed=3)
    assert drawn != draw_openings(found, 2 * len(found) + 1, seed=4)


def test_originals_are_measured_like_candidates(works: list[Score]) -> None:
    """A continuation at temperature 0, measured as if it were the work, has the same measures."""
    trained, index = load_model(model_folder(None)), CopyIndex(works)
    opening = find_openings(works)[0]
    request = Request(n=1, temperature=0, lenience=1.0, cadence=False)
    ((drawn,),) = sample_continuations(trained, [opening], request, index)
    (candidate,) = compose_candidates(trained, opening.prompt, request)
    (written,) = original_continuations(trained, [replace(opening, work=candidate.score)], index)
    assert replace(written, nats=drawn.nats) == drawn
    # A candidate keeps to the compass of its voices.
    assert written.nats == pytest.approx(drawn.nats, rel=5e-3)


def test_a_small_sweep_has_every_measure_with_intervals(
    model: Transformer, works: list[Score]
) -> None:
    settings, openings = sampling_settings((0.5,), (1.0,), ()), find_openings(works[:3])
    sweep = sweep_temperatures(model, openings, works[3:], settings, n=8)
    assert [point.setting for point in sweep.points] == settings
    assert sweep.floors.keys() == DISTRIBUTIONS.keys()
    for point in sweep.points:
        assert list(point.estimates) == list(UNITS)
        assert len(point.copy_lengths) == point.pieces <= 8
        for name, found in point.estimates.items():
            assert math.isnan(found.value) or found.low <= found.value <= found.high, name
    again = sweep_temperatures(model, openings, works[3:], settings, n=8)
    assert repr(sweep) == repr(again)  # nan differs from itself


def test_training_works_are_copied_whole(model: Transformer, works: list[Score]) -> None:
    found = find_openings(works)
    written = original_continuations(model, found, CopyIndex(works))
    assert [continuation.copied_notes for continuation in written] == [
        opening.continuation(opening.work).n_notes for opening in found
    ]


def test_a_sweep_needs_openings(model: Transformer, works: list[Score]) -> None:
    with pytest.raises(ValueError, match="needs openings of held-out works, got none"):
        sweep_temperatures(model, [], works, sampling_settings())


def test_no_pieces_have_no_estimates() -> None:
    assert all(math.isnan(found.value) for found in estimates([], {}).values())


@given(chorale_like())
def test_a_continuation_has_every_measure(piece: Score) -> None:
    found = measure_continuation(piece, 1.0, 1, CopyIndex([piece]))
    assert set(found.rates) == set(RATES)
    assert set(found.counts) == set(DISTRIBUTIONS)
    assert set(UNITS) == {"surprise", *RATES, *DISTRIBUTIONS, "longest copy"}
