"""Populations: who goes on, and what the judge says of music that grows."""

from pathlib import Path

import numpy as np
import pytest

from seqmusic.formats.theme import parse_theme
from seqmusic.generation.candidate_batch import CandidateBatch, state_after
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.partial_candidate import PartialCandidate
from seqmusic.generation.prompts import Prompt, harmonization_prompt
from seqmusic.generation.request import Request
from seqmusic.generation.search.effort import SearchSettings
from seqmusic.generation.search.frames import N_FRAME_VALUES, Layout, layout_of, score_frames
from seqmusic.generation.search.judge import Judge
from seqmusic.generation.search.population import PartialJudgments, evolve, systematic_rows
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Key
from seqmusic.setting_checks import SettingError
from seqmusic.tokens.tokenizer import encode_prompt

MELODY = parse_theme(
    "E5:1/8 D5:1/8 C5:1/4 D5:1/4 B4:1/4 | C5:1/4 E5:1/8 F5:1/8 G5:1/2", key=Key(0, "major")
)
N_MEMBERS = 6


@pytest.fixture(scope="module")
def model() -> ArrayModel:
    return load_array_model(Path("chorales"), compiled=False)


def random_judge(scale: float) -> Judge:
    rng = np.random.default_rng(5)
    shapes = ((N_FRAME_VALUES, 4), (4,), (4, 21), (5,))
    return Judge(*(scale * rng.normal(size=shape).astype(np.float32) for shape in shapes))


def population(model: ArrayModel) -> tuple[CandidateBatch, Layout, Prompt]:
    prompt = harmonization_prompt(MELODY)
    events = encode_prompt(prompt.score, prompt.holes, marks_phrases=model.vocabulary.marks_phrases)
    state = state_after(events, 4)
    members = [
        PartialCandidate(state.copy(), np.random.default_rng([1, number]), Constraints({}))
        for number in range(N_MEMBERS)
    ]
    layout = layout_of(prompt.score)
    assert layout is not None
    return CandidateBatch(model, events, members, Request(), compiled=False), layout, prompt


@pytest.mark.parametrize("scale", [1e-3, 0.5])
def test_judgments_of_growing_music_add_up_to_that_of_the_whole(
    model: ArrayModel, scale: float
) -> None:
    """With selections on the way, which happen at the larger scale, and without."""
    batch, layout, _ = population(model)
    judge, rng = random_judge(scale), np.random.default_rng(0)
    judgments = PartialJudgments(judge, layout, N_MEMBERS, 0)
    for _ in evolve(batch, judgments, rng, SearchSettings(n_particles=N_MEMBERS, interval=5)):
        pass
    totals = judgments.update(batch.candidates)
    scores = [one.state.score() for one in batch.candidates]
    expected = [judge.log_odds(score_frames(score, layout)[None]).sum() for score in scores]
    np.testing.assert_allclose(totals, expected, rtol=1e-3, atol=1e-4)
    assert (len(set(scores)) < N_MEMBERS) == (scale > 0.1)


def test_music_before_the_start_does_not_count(model: ArrayModel) -> None:
    batch, layout, _ = population(model)
    judge = random_judge(0.1)
    judgments = PartialJudgments(judge, layout, N_MEMBERS, 100)  # inside the ninth frame
    while not batch.is_done:
        batch.grow()
    odds = judge.log_odds(score_frames(batch.candidates[2].state.score(), layout)[None])[0]
    assert judgments.update(batch.candidates)[2] == pytest.approx(odds[9:].sum(), rel=1e-3)


def test_a_selected_row_goes_on_like_the_one_it_copies(model: ArrayModel) -> None:
    batch, _, _ = population(model)
    for _ in range(9):
        batch.grow()
    lines = [one.state.score() for one in batch.candidates]
    batch.select([2, 2, 2, 3, 3, 5])
    assert [one.state.score() for one in batch.candidates] == [lines[i] for i in (2, 2, 2, 3, 3, 5)]
    for candidate in batch.candidates[:3]:
        candidate.rng = np.random.default_rng(7)
    for _ in range(9):
        batch.grow()
    one, two, three = (candidate.state.score() for candidate in batch.candidates[:3])
    assert one == two == three
    assert one != batch.candidates[3].state.score()


def test_a_judge_steers_the_population(model: ArrayModel) -> None:
    """A judge that knows only the bass: as a pitch class above the tonic, G is best."""
    embedding = np.zeros((N_FRAME_VALUES, 1), np.float32)
    embedding[39 + 1 + 7] = 1  # the fourth column, after three of 13 values
    window = np.zeros((1, 6), np.float32)
    window[0, 4] = 1
    judge = Judge(embedding, np.zeros(1, np.float32), window, np.array([3, 0], np.float32))
    shares = []
    for weight in (1e-6, 1.0):
        batch, layout, _ = population(model)
        settings = SearchSettings(n_particles=N_MEMBERS, interval=4, judge_weight=weight)
        judgments = PartialJudgments(judge, layout, N_MEMBERS, 0)
        for _ in evolve(batch, judgments, np.random.default_rng(0), settings):
            pass
        shares.append(judgments.update(batch.candidates).mean())
    assert shares[1] > shares[0]


def test_rows_are_drawn_in_proportion_to_their_weights() -> None:
    rng = np.random.default_rng(0)
    weights = rng.random(7)
    weights /= weights.sum()
    counts = np.zeros(7)
    for uniform in rng.random(4000):
        rows = systematic_rows(weights, uniform)
        drawn = np.bincount(rows, minlength=7)
        assert (abs(drawn - 7 * weights) < 1).all()
        counts += drawn
    np.testing.assert_allclose(counts / counts.sum(), weights, atol=0.01)


@pytest.mark.parametrize("values", [{"n_particles": 1}, {"n_particles": 4, "interval": 0}])
def test_settings_out_of_range_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        SearchSettings(**values)
