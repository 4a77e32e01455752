"""The assessment of a model: figures that agree with each other, in tables, charts and files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from assessments import DATA, small_corpus, subject_of

from seqmusic.baselines.ngram import NGram
from seqmusic.baselines.predictions import baseline_predictions
from seqmusic.cli import main
from seqmusic.corpus.dataset import Dataset
from seqmusic.evaluation import subject as subjects
from seqmusic.evaluation.assessment import MODEL, NGRAM, Assessment, assess
from seqmusic.evaluation.held_out import encode_pieces
from seqmusic.report.confidence import calibration_charts
from seqmusic.report.model_report import metrics_report, metrics_text
from seqmusic.report.predictions import prediction_charts
from seqmusic.report.report_folder import report_values

CHORALES = Path("chorales")


@pytest.fixture(scope="module")
def dataset(chorales: Dataset) -> Dataset:
    return small_corpus(chorales)


@pytest.fixture(scope="module")
def assessment(dataset: Dataset) -> Assessment:
    return assess(subject_of(CHORALES, "test", dataset))


def test_an_ngram_is_scored_like_a_model(dataset: Dataset) -> None:
    training = encode_pieces([work.score for work in dataset.works_in("train")])
    (trace,) = encode_pieces([dataset.works_in("test")[0].score]).traces
    ngram = NGram(training.traces)
    scores = baseline_predictions(ngram, trace).event_scores()
    assert scores.nats.sum() == pytest.approx(ngram.nats(trace))
    assert (scores.sound_nats >= 0).all()
    sounds, _ = ngram.distributions(trace)
    targets = sounds[np.arange(len(scores.rows)), trace.events[scores.rows + 1, 0]]
    assert scores.sound_ranks.tolist() == (sounds > targets[:, None]).sum(axis=1).tolist()


def test_totals_agree_with_event_scores_and_breakdowns(assessment: Assessment) -> None:
    model, ngram, persistence = assessment.totals
    predictors = [total.predictor for total in assessment.totals]
    assert predictors == ["model", "n-gram", "persistence"]
    nats = sum(scores.nats.sum() for scores in assessment.event_scores)
    assert model.nats_per_cell == pytest.approx(nats / sum(assessment.pieces.cells))
    assert model.nats_per_note == pytest.approx(sum(model.work_nats) / sum(assessment.pieces.notes))
    assert model.interval[0] < model.nats_per_cell < model.interval[1]
    assert persistence.prediction_accuracy is None
    assert model.prediction_accuracy
    assert ngram.prediction_accuracy
    for breakdown in assessment.breakdowns:
        assert set(breakdown.prediction_accuracy) == {MODEL, NGRAM}
        if not breakdown.name.startswith("beat"):  # works in other meters have no beats here
            groups = breakdown.prediction_accuracy[MODEL]
            n = sum(group.n for group in groups)
            assert n == model.prediction_accuracy.n
            mean = sum(group.n * group.nats for group in groups) / n
            assert mean == pytest.approx(model.prediction_accuracy.nats)


def test_calibration_errors_agree_with_their_bins(assessment: Assessment) -> None:
    for calibration in assessment.calibrations:
        assert calibration.after
        for confidence in (calibration.before, calibration.after):
            bins = [b for b in confidence.bins if b.n]
            gaps = sum(b.n * abs(b.confidence - b.accuracy) for b in bins)
            assert gaps / sum(b.n for b in bins) == pytest.approx(confidence.error)


def test_text_charts_and_files_have_the_same_figures(assessment: Assessment) -> None:
    pytest.importorskip("matplotlib")
    sections = json.loads(json.dumps(report_values(metrics_report(assessment))))["sections"]
    text = metrics_text(assessment)
    totals = {row["predictor"]: row for row in sections["prediction"]["totals"]}
    total = totals["model"]
    figures = rf"{total['nats_per_cell']:.4f}  {total['nats_per_cell_low']:.4f}\.\."
    assert re.search(rf"model +{figures}", text)
    assert f"{total['sound_top_1']:.1%}" in text
    charts = [*prediction_charts(assessment), *calibration_charts(assessment)]
    assert charts[0].figure.axes[0].patches[0].get_width() == total["nats_per_cell"]
    assert all(chart.figure.axes[0].get_xlabel() for chart in charts), "axes without a unit"
    drawn = [
        [100 * row["confidence"], 100 * row["accuracy"]]
        for row in sections["calibration"]["reliability"]
        if row["kind"] == "length" and row["temperature"] == 1 and row["choices"] >= 20
    ]
    assert charts[-1].figure.axes[0].lines[0].get_xydata().tolist() == drawn


def test_without_validation_works_no_temperature_is_fitted(dataset: Dataset) -> None:
    works = (*dataset.works_in("train")[:2], *dataset.works_in("test")[:1])
    assessment = assess(subject_of(CHORALES, "test", Dataset(works)))
    assert [calibration.after for calibration in assessment.calibrations] == [None, None]
    assert "no validation works to fit a temperature to" in metrics_text(assessment)


def test_the_command_prints_a_table_and_one_json_object(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(subjects, "load_corpus", lambda data: dataset)
    arguments = ["evaluate", "chorales", "--data", str(DATA), "--split", "valid", "--json"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("chorales on 2 valid works: ")
    prediction = json.loads(lines[-1])["sections"]["prediction"]
    assert prediction["subject"][0]["works"] == 2
    assert len(prediction["works"]) == 2
