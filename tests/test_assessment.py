"""What a model predicts: figures worked out by hand, and a tiny run asked from end to end."""

import json
import math
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqmusic.baselines.ngram import NGram
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.training_corpus import training_corpus_of
from seqmusic.errors import CorpusError
from seqmusic.evaluation import subject as subjects
from seqmusic.evaluation.assessment import (
    MODEL,
    NGRAM,
    Assessment,
    assess,
    baseline_predictions,
    groupings,
    prediction_accuracy,
    prediction_mask,
)
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.evaluation.subject import Subject, load_subject
from seqmusic.evaluation.surprising_passages import (
    explain_passage,
    extreme_passages,
    two_bar_passages,
)
from seqmusic.metrics.likelihood import EventScores
from seqmusic.model.transformer import ModelSettings
from seqmusic.report.confidence import calibration_charts
from seqmusic.report.model_report import metrics_report, metrics_text
from seqmusic.report.predictions import passage_sections, prediction_charts
from seqmusic.report.report_folder import report_values
from seqmusic.runs import pretrained as checkpoints
from seqmusic.runs import train as run
from seqmusic.runs.configuration import Configuration
from seqmusic.score import Note, Score, TimeSignature, Voice
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.0, context_length=512),
    training=TrainingSettings(steps=4, batch_size=2, evaluate_every=2),
)
# A pickup of a quarter, then bars of 3/4: soprano in quarters and eighths, bass in dotted halves; three bars.
SOPRANO = ((0, 24), (24, 24), (48, 12), (60, 12), (72, 24), (96, 72), (168, 72))
BASS = ((0, 24), (24, 72), (96, 72), (168, 72))
DUET = Score(
    tuple(
        Voice(
            name,
            tuple(
                Note(onset, length, pitch + place % 3) for place, (onset, length) in enumerate(line)
            ),
        )
        for name, line, pitch in (("Soprano", SOPRANO, 70), ("Bass", BASS, 50))
    ),
    ((0, TimeSignature(3, 4)),),
    pickup_ticks=24,
)


def scores_with_nats(rows: np.ndarray, nats: np.ndarray) -> EventScores:
    """Events whose sounds cost `nats` and whose lengths cost nothing."""
    zeros, many = np.zeros(len(rows), int), np.full(len(rows), 9)
    return EventScores(rows, nats, np.zeros(len(rows)), zeros, zeros, many, many)


@pytest.fixture(scope="module")
def small_dataset(chorales: Dataset) -> Dataset:
    works = [*chorales.works_in("train")[:5], *chorales.works_in("valid")[:2], *chorales.works_in("test")[:3]]
    return Dataset(tuple(works))


@pytest.fixture(scope="module")
def trained_run(small_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_training_corpus", lambda corpus: training_corpus_of(small_dataset))
        run.train_run(TINY, out, device="cpu", resume=False, show=lambda text: None)
    return out


DATA = Path("works")  # where load_corpus finds what a test gives it


def asked(run: Path, split: str, dataset: Dataset) -> Subject:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subjects, "load_corpus", lambda data: dataset)
        return load_subject(run, split, DATA)


@pytest.fixture(scope="module")
def assessment(small_dataset: Dataset) -> Assessment:
    return assess(asked(Path("chorales"), "test", small_dataset))


def test_guesses_are_means_over_what_was_chosen() -> None:
    first = EventScores(
        rows=np.arange(4),
        sound_nats=np.array([1.0, 2.0, 3.0, 50.0]),
        duration_nats=np.array([0.5, 0.5, 2.0, 50.0]),
        sound_ranks=np.array([0, 2, 4, 0]),
        duration_ranks=np.array([0, 0, 7, 0]),
        sound_choices=np.array([9, 9, 9, 9]),
        duration_choices=np.array([1, 9, 9, 9]),
    )
    own = prediction_accuracy(
        [first, first], [np.array([True, True, True, False]), np.zeros(4, bool)]
    )
    assert (own.n, own.sound_nats, own.duration_nats, own.nats) == (3, 2.0, 1.0, 3.0)
    assert own.sound_top_k == pytest.approx((1 / 3, 2 / 3, 1))
    assert own.duration_top_k == pytest.approx((1 / 2, 1 / 2, 1 / 2)), (
        "where there is no choice nothing is right or wrong"
    )
    assert own.interval == (3.0, 3.0), "only one work has any"
    assert own.sound_perplexity == pytest.approx(math.e**2)


def test_predictions_are_grouped_by_voice_by_beat_and_by_place() -> None:
    pieces = encode_pieces([DUET])
    (trace,) = pieces.traces
    rows = np.flatnonzero(trace.is_scored)
    scores = [scores_with_nats(rows, np.zeros(len(rows)))]
    assert prediction_mask(trace, scores[0]).sum() == 11, "the header's marks and the end are none"
    counts = {
        name: {g: int(m[0].sum()) for g, m in groups.items()}
        for name, groups in groupings(pieces, scores).items()
    }
    assert counts == {
        "voice": {"Soprano": 7, "Bass": 4},
        # The pickup is beat 3. Beat 1 has both voices, thrice; the eighths of the first bar are 2 and 2½.
        "beat in 3/4": {"1": 6, "2": 1, "2½": 1, "3": 3},
        # Of 240 ticks: 0; 24, 24; 48, 60; 72; 96, 96 (40 %); 168, 168 (70 %).
        "part of the piece": {
            "0–10 %": 2,
            "10–20 %": 2,
            "20–30 %": 2,
            "30–40 %": 1,
            "40–50 %": 2,
            "70–80 %": 2,
        },
    }


def test_passages_are_two_whole_bars_each_without_the_pickup() -> None:
    pieces = encode_pieces([DUET])
    (trace,) = pieces.traces
    rows = np.flatnonzero(trace.is_scored)
    nats = np.where(
        trace.ticks[rows] >= 96, 2 * math.log(2), math.log(2)
    )  # a bit each, and two from bar 2 on
    (first,) = two_bar_passages(7, DUET, trace, scores_with_nats(rows, nats))
    assert (first.work, first.bars, first.onset_ticks, first.end_ticks) == (7, (1, 2), 24, 168)
    assert first.n_notes == 7
    assert first.bits == pytest.approx(5 + 4), (
        "four eighths and quarters and a dotted half; two dotted halves. Bars 2-3 have too few"
    )


def test_what_sounds_on_into_a_passage_begins_with_it_as_given(assessment: Assessment) -> None:
    model = assessment.subject.model
    held = Score(
        (
            Voice(
                "Soprano",
                (
                    Note(0, 48, 69),
                    Note(48, 96, 67),
                    *(Note(at, 24, 65) for at in range(144, 288, 24)),
                ),
            ),
        )
    )
    (own,) = (
        each
        for each in two_bar_passages(0, held, *_scores_of(assessment, held))
        if each.bars == (2, 3)
    )
    score, explanation = explain_passage(model, held, own)
    assert score.voices[0].notes[:2] == (Note(0, 48, 67), Note(48, 24, 65))
    assert score.end_ticks == 192
    assert [event.is_given for event in explanation.events] == [True] + [False] * 6
    assert sum(event.bits for event in explanation.events) == pytest.approx(own.bits, rel=1e-4)


def _scores_of(assessment: Assessment, score: Score) -> tuple:
    from seqmusic.metrics.likelihood import score_events

    pieces = encode_pieces([score])
    masks = checkpoints.make_grammar_masks(next(assessment.subject.model.parameters()).device)
    return pieces.traces[0], score_events(assessment.subject.model, pieces.traces, masks)[0]


def test_the_most_and_least_surprising_come_from_different_works_in_order(
    assessment: Assessment,
) -> None:
    most, least = extreme_passages(assessment, n=2)
    assert len({own.work for own in most}) == len({own.work for own in least}) == 2
    assert (
        most[0].bits_per_note
        >= most[1].bits_per_note
        > least[1].bits_per_note
        >= least[0].bits_per_note
    )
    rows = zip(assessment.pieces.scores, assessment.pieces.traces, assessment.event_scores, strict=True)
    every = [
        own.bits_per_note for work, row in enumerate(rows) for own in two_bar_passages(work, *row)
    ]
    assert (most[0].bits_per_note, least[0].bits_per_note) == (max(every), min(every))


def test_an_n_gram_is_judged_like_a_model(small_dataset: Dataset) -> None:
    training, (asked,) = (
        encode_pieces([work.score for work in small_dataset.works_in("train")]),
        encode_pieces([small_dataset.works_in("test")[0].score]).traces,
    )
    counted = NGram(training.traces)
    own = baseline_predictions(counted, asked).event_scores()
    assert own.nats.sum() == pytest.approx(counted.nats(asked))
    assert (own.sound_nats >= 0).all()
    sound = counted.sound_probabilities(asked)
    said = sound[np.arange(len(own.rows)), asked.events[own.rows + 1, 0]]
    assert own.sound_ranks.tolist() == (sound > said[:, None]).sum(axis=1).tolist()


def test_all_figures_agree_with_each_other(assessment: Assessment) -> None:
    model, ngram, persistence = assessment.totals
    assert (model.predictor, ngram.predictor, persistence.predictor) == (
        "model",
        "n-gram",
        "persistence",
    )
    assert model.nats_per_cell == pytest.approx(
        sum(own.nats.sum() for own in assessment.event_scores) / sum(assessment.pieces.cells)
    )
    assert model.nats_per_note == pytest.approx(sum(model.work_nats) / sum(assessment.pieces.notes))
    assert model.interval[0] < model.nats_per_cell < model.interval[1]
    assert persistence.prediction_accuracy is None
    assert model.prediction_accuracy
    for own in assessment.breakdowns:
        assert set(own.prediction_accuracy) == {MODEL, NGRAM}
        if not own.name.startswith("beat"):  # of works in other meters too
            assert (
                sum(each.n for each in own.prediction_accuracy[MODEL])
                == model.prediction_accuracy.n
            )
            means = (
                sum(each.n * each.nats for each in own.prediction_accuracy[MODEL])
                / model.prediction_accuracy.n
            )
            assert means == pytest.approx(model.prediction_accuracy.nats)
    for kind in assessment.calibrations:
        assert kind.after
        for made in (kind.before, kind.after):
            assert sum(
                own.n * abs(own.confidence - own.accuracy) for own in made.bins if own.n
            ) / sum(own.n for own in made.bins) == pytest.approx(made.error)


def test_what_is_printed_drawn_and_written_says_the_same(assessment: Assessment) -> None:
    pytest.importorskip("matplotlib")
    text, told = (
        metrics_text(assessment),
        json.loads(json.dumps(report_values(metrics_report(assessment)))),
    )
    (row,) = (
        own for own in told["sections"]["prediction"]["totals"] if own["predictor"] == "model"
    )
    assert re.search(
        rf"model +{row['nats_per_cell']:.4f}  {row['nats_per_cell_low']:.4f}\.\.", text
    )
    assert f"{row['sound_top_1']:.1%}" in text
    charts = [*prediction_charts(assessment), *calibration_charts(assessment)]
    assert charts[0].figure.axes[0].patches[0].get_width() == row["nats_per_cell"]
    assert all(chart.figure.axes[0].get_xlabel() for chart in charts), "each axis says its unit"
    diagram = charts[-1].figure.axes[0]
    bins = [
        own
        for own in told["sections"]["calibration"]["reliability"]
        if own["kind"] == "length" and own["temperature"] == 1
    ]
    shown = [
        [100 * own["confidence"], 100 * own["accuracy"]] for own in bins if own["choices"] >= 20
    ]
    assert diagram.lines[0].get_xydata().tolist() == shown


def test_a_passage_is_told_in_words(assessment: Assessment) -> None:
    pytest.importorskip("matplotlib")
    most, least = passage_sections(assessment, n=1)
    assert (most.name, least.name) == ("most_surprising", "least_surprising")
    (record,) = most.tables[0].records()
    (excerpt,) = most.excerpts
    assert excerpt.title == (
        f"1. {record['work']}, bars {record['first_bar']}–{record['last_bar']}: {record['bits_per_note']:.1f} bits a note"
    )
    assert excerpt.caption.startswith(f"{record['notes']} notes, as if each had been chosen among ")
    assert re.search(
        r"Least expected: .* in the (soprano|alto|tenor|bass), bar \d+, beat \S+ \([\d.]+ bits\)",
        excerpt.caption,
    )
    worst = max(event.bits for event in excerpt.explanation.events if event.pitch is not None)
    assert f"({worst:.1f} bits)" in excerpt.caption


def test_works_that_were_trained_on_are_told(trained_run: Path, small_dataset: Dataset) -> None:
    held, seen = (
        asked(trained_run, "test", small_dataset),
        asked(trained_run, "train", small_dataset),
    )
    assert (held.label, held.trained_on) == ("", frozenset())
    assert seen.label == "All 5 works were trained on"


def test_some_works_that_were_trained_on_are_told(
    trained_run: Path, small_dataset: Dataset
) -> None:
    moved = [
        replace(work, score=work.score.transposed(1), split="test")
        for work in small_dataset.works_in("train")[:2]
    ]
    rest = [work for work in small_dataset.works if work.name not in {own.name for own in moved}]
    leaky = asked(trained_run, "test", Dataset((*rest, *moved)))
    assert leaky.label == "2 of these 5 works were trained on", "in another key, too"
    assert leaky.trained_on == {work.name for work in moved}


def test_a_run_that_is_not_finished_says_so(
    trained_run: Path, small_dataset: Dataset, tmp_path: Path
) -> None:
    shutil.copytree(trained_run, tmp_path / "half")
    (tmp_path / "half" / "card.md").unlink()
    (tmp_path / "half" / "fingerprints.npy").unlink()
    assert asked(tmp_path / "half", "test", small_dataset).label == (
        "It is not known which of these works the model was trained on; this run is not finished: its best model so far is asked"
    )


def test_a_run_is_asked_about_its_own_split(
    trained_run: Path, small_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Dataset(tuple(replace(work, split="train") for work in small_dataset.works))
    monkeypatch.setattr(subjects, "load_corpus", lambda: elsewhere)
    assert [work.name for work in load_subject(trained_run, "test").works] == [
        work.name for work in small_dataset.works_in("test")
    ]
    monkeypatch.setattr(subjects, "load_corpus", lambda: Dataset(small_dataset.works[1:]))
    with pytest.raises(
        CorpusError,
        match=r"was not trained on the chorales \(its works.csv has 'bwv.*name its corpus with --data",
    ):
        load_subject(trained_run, "test")


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def line(*arguments: str) -> str:
        assert main(["evaluate", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return err

    return line


def test_what_cannot_be_asked_is_refused_in_one_line(
    refusal: Callable[..., str],
    trained_run: Path,
    small_dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 'Choose from: "train", "valid", "test".' in refusal(str(trained_run), "--split", "dev")
    assert "no trained model there" in refusal(str(tmp_path / "nothing"))
    no_test = Dataset(tuple(work for work in small_dataset.works if work.split != "test"))
    with monkeypatch.context() as patch:
        patch.setattr(subjects, "load_corpus", lambda data: no_test)
        assert "works: the corpus has no test works (<Dataset 7 works" in refusal(
            str(trained_run), "--data", str(DATA)
        )
    crowd = replace(
        small_dataset.works[0],
        score=replace(small_dataset.works[0].score, voices=small_dataset.works[0].score.voices * 2),
    )
    with monkeypatch.context() as patch:
        patch.setattr(
            subjects, "load_corpus", lambda data: Dataset((crowd, *small_dataset.works[1:]))
        )
        assert f"tiny: knows up to 4 voices, and '{crowd.name}' has 8" in refusal(
            str(trained_run), "--data", str(DATA)
        )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    assert "exists and is not empty" in refusal(
        str(trained_run), "--report", str(tmp_path / "full")
    )
    monkeypatch.setitem(sys.modules, "verovio", None)
    assert "pip install 'seqmusic[score]'" in refusal(
        str(trained_run), "--report", str(tmp_path / "new")
    )
    assert not (tmp_path / "new").exists()


def test_without_validation_works_nothing_is_fitted(
    trained_run: Path, small_dataset: Dataset
) -> None:
    own = assess(
        asked(
            trained_run,
            "test",
            Dataset(tuple(small_dataset.works_in("train")[:2] + small_dataset.works_in("test")[:1])),
        )
    )
    assert [kind.after for kind in own.calibrations] == [None, None]
    assert "no validation works to fit a temperature to" in metrics_text(own)


def test_the_command_prints_a_table_and_one_json_object(
    trained_run: Path,
    small_dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(subjects, "load_corpus", lambda data: small_dataset)
    assert (
        main(["evaluate", str(trained_run), "--data", str(DATA), "--split", "valid", "--json"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("tiny on 2 valid works: ")
    told = json.loads(lines[-1])
    assert told["sections"]["prediction"]["subject"][0]["works"] == 2
    assert len(told["sections"]["prediction"]["works"]) == 2
