"""What samples are measured for: hand-worked gaps and readings, and a small dial turned with a real model."""

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from small_scores import chorale_like

from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation.samples import (
    RATES,
    draw_openings,
    find_openings,
    measure_continuation,
    original_continuations,
    sample_continuations,
)
from seqmusic.evaluation.temperature_sweep import (
    MIN_P,
    UNITS,
    Estimate,
    SamplingSetting,
    SweepPoint,
    TemperatureSweep,
    estimates,
    sampling_settings,
    sweep_temperatures,
)
from seqmusic.generation.composing import compose_candidates
from seqmusic.generation.request import Request
from seqmusic.metrics.distributions import (
    DISTRIBUTIONS,
    distance_interval,
    jensen_shannon,
    pooled_counts,
)
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
    """Short ones, so that a model that has learned nothing comes to an end."""
    return sorted(
        (work.score for work in chorales.works_in("valid")), key=lambda score: score.end_ticks
    )[:6]


def sweep_of(
    values: dict[str, list[float]],
    works: dict[str, Estimate],
    floors: dict[str, float] | None = None,
) -> TemperatureSweep:
    """A dial with so many settings as there are values, called min-p 0, min-p 1 and so on."""
    names = range(len(next(iter(values.values()))))
    points = [
        SweepPoint(
            SamplingSetting(MIN_P, i, Request()),
            1,
            {name: Estimate(own[i], own[i], own[i]) for name, own in values.items()},
            (1,),
        )
        for i in names
    ]
    return TemperatureSweep(tuple(points), works, (1,), floors or {})


def test_gaps_begin_where_the_interval_ends_and_are_one_at_the_worst() -> None:
    own = sweep_of(
        {"a": [1, 4, 6, 10], "b": [5, 5, 5, 5]}, {"a": Estimate(5, 4, 6), "b": Estimate(5, 5, 5)}
    )
    assert [own.gaps()[f"min-p {name}"]["a"] for name in range(4)] == [0.75, 0, 0, 1]
    assert [own.gaps()[f"min-p {name}"]["b"] for name in range(4)] == [0, 0, 0, 0]
    assert list(own.mean_gaps().values()) == [0.375, 0, 0, 0.5]
    assert own.recommended().level == 1
    assert own.best() == {"a": "min-p 1", "b": "min-p 0"}


def test_a_distance_is_never_too_small() -> None:
    own = sweep_of(
        {"duration": [0.0, 0.2, 0.3]}, {"duration": Estimate(0.2, 0.15, 0.25)}, {"duration": 0.1}
    )
    assert [own.gaps()[f"min-p {name}"]["duration"] for name in range(3)] == [0, 0, 1]
    assert own.best() == {"duration": "min-p 0"}


def test_a_setting_that_says_nothing_is_not_recommended() -> None:
    own = sweep_of({"a": [math.nan, 9, 8]}, {"a": Estimate(5, 4, 6)})
    assert own.gaps()["min-p 0"] == {}
    assert own.recommended().level == 2


def test_the_model_is_alone_but_where_the_rules_are_asked() -> None:
    cold, warm, ruled, cut = sampling_settings((0.5, 1.0), (0.7,), (0.1,))
    assert [own.name for own in (cold, ruled, cut)] == [
        "temperature 0.5, model alone",
        "temperature 0.7, default rules",
        "min-p 0.1",
    ]
    assert all(
        own.request.lenience == 1 and own.request.cadence is False for own in (cold, warm, cut)
    )
    assert [(own.request.temperature, own.request.min_p) for own in (cold, warm, cut)] == [
        (0.5, 0),
        (1, 0),
        (1, 0.1),
    ]
    assert ruled.request == Request(temperature=0.7)


def test_a_head_is_given_whole_and_the_rest_is_what_follows(chorales: Dataset) -> None:
    for opening in find_openings([work.score for work in chorales.works_in("valid")]):
        prompt = opening.prompt
        assert prompt.end_ticks == opening.work.end_ticks
        assert (
            opening.end_ticks
            == next(bar for bar in opening.work.bars() if bar.number == 2).end_ticks
        )
        assert (
            prompt.score.n_notes + opening.continuation(opening.work).n_notes
            == opening.work.n_notes
        )
        assert all(
            note.onset_ticks < opening.end_ticks
            for voice in prompt.score.voices
            for note in voice.notes
        )
        assert (
            opening.continuation(opening.work).end_ticks
            == opening.work.end_ticks - opening.end_ticks
        )


def test_works_without_a_meter_have_heads(works: list[Score]) -> None:
    (opening,) = find_openings([replace(works[0], time_signatures=(), pickup_ticks=0)])
    assert opening.end_ticks == 192
    assert find_openings(works, context_length=16) == []


def test_each_head_is_drawn_before_any_comes_again(works: list[Score]) -> None:
    found = find_openings(works)
    drawn = draw_openings(found, 2 * len(found) + 1, seed=3)
    assert len(drawn) == 2 * len(found) + 1
    assert {id(opening) for opening in drawn[: len(found)]} == {id(opening) for opening in found}
    assert drawn == draw_openings(found, 2 * len(found) + 1, seed=3)
    assert drawn != draw_openings(found, 2 * len(found) + 1, seed=4)


def test_what_bach_wrote_costs_what_it_costs_as_a_candidate(works: list[Score]) -> None:
    """A continuation at temperature 0, measured as if it were the work, has the candidate's own figures."""
    trained, index = load_model(model_folder(None)), CopyIndex(works)
    opening = find_openings(works)[0]
    (drawn,) = sample_continuations(
        trained, [opening], Request(n=1, temperature=0, lenience=1.0, cadence=False), index
    )
    (candidate,) = compose_candidates(
        trained, opening.prompt, Request(n=1, temperature=0, lenience=1.0, cadence=False)
    )
    (written,) = original_continuations(trained, [replace(opening, work=candidate.score)], index)
    assert (written.n_events, written.rates, written.counts, written.copied_notes) == (
        drawn.n_events,
        drawn.rates,
        drawn.counts,
        drawn.copied_notes,
    )
    assert written.nats == pytest.approx(
        drawn.nats, rel=5e-3
    )  # a candidate keeps to the compass of its voices


def test_a_small_dial_says_everything_with_intervals(
    model: Transformer, works: list[Score]
) -> None:
    told: list[int] = []
    settings = sampling_settings((0.5,), (1.0,), ())
    turned = sweep_temperatures(model, works[:3], works[3:], settings, n=8, on_progress=told.append)
    assert [point.setting for point in turned.points] == settings
    assert sum(told) == 8 * len(settings)
    assert turned.floors.keys() == DISTRIBUTIONS.keys()
    for point in turned.points:
        assert list(point.estimates) == list(UNITS)
        assert len(point.copy_lengths) == point.pieces <= 8
        for name, own in point.estimates.items():
            assert math.isnan(own.value) or own.low <= own.value <= own.high, name
    assert repr(turned) == repr(
        sweep_temperatures(model, works[:3], works[3:], settings, n=8)
    )  # nan is unlike itself


def test_a_work_known_by_heart_is_copied_whole(model: Transformer, works: list[Score]) -> None:
    found = find_openings(works)
    written = original_continuations(model, found, CopyIndex(works))
    assert [own.copied_notes for own in written] == [
        opening.continuation(opening.work).n_notes for opening in found
    ]


def test_nothing_to_continue_is_refused(model: Transformer, works: list[Score]) -> None:
    with pytest.raises(ValueError, match="at most sixteen, got none"):
        sweep_temperatures(model, [], works, sampling_settings())


def test_no_pieces_have_no_readings() -> None:
    assert all(math.isnan(own.value) for own in estimates([], {}).values())


@given(chorale_like())
def test_a_piece_is_measured_for_everything(piece: Score) -> None:
    found = measure_continuation(piece, 1.0, 1, CopyIndex([piece]))
    assert set(found.rates) == set(RATES)
    assert set(found.counts) == set(DISTRIBUTIONS)
    assert set(UNITS) == {"surprise", *RATES, *DISTRIBUTIONS, "longest copy"}


def test_the_interval_of_a_distance_holds_it_and_narrows_with_pieces(chorales: Dataset) -> None:
    counts = [DISTRIBUTIONS["duration"](work.score) for work in chorales.works_in("test")]
    others = pooled_counts(
        [DISTRIBUTIONS["duration"](work.score) for work in chorales.works_in("train")]
    )
    few, many = distance_interval(counts[:10], others), distance_interval(counts, others)
    assert many[0] == pytest.approx(jensen_shannon(pooled_counts(counts), others))
    assert few[1] <= few[0] <= few[2]
    assert many[2] - many[1] < few[2] - few[1]
    nothing = distance_interval([Counter()], others)
    assert all(math.isnan(value) for value in nothing)
