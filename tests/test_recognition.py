"""The recognizer: lines, n-grams, experts, decisions, own classes, and refusals."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqmusic.cli import main
from seqmusic.errors import CheckpointError, CorpusError, RequestError
from seqmusic.formats import read_score, write_score
from seqmusic.formats.notation.collections import collection_files
from seqmusic.formats.theme import parse_theme
from seqmusic.recognition.assembly import completed, train_recognizer
from seqmusic.recognition.audit import scaled
from seqmusic.recognition.calibration import class_weights, confidences_for_precision
from seqmusic.recognition.fusion import Evidence, fit_fusion
from seqmusic.recognition.likelihood import LikelihoodExpert, train_likelihood
from seqmusic.recognition.lines import N_STEPS, Line, line_of, lines_of, steps
from seqmusic.recognition.measures import balanced_accuracy
from seqmusic.recognition.ngrams import ngrams_of
from seqmusic.recognition.reasons import reasons_for
from seqmusic.recognition.recognized_score import answer_text, chosen_lines, recognize_score
from seqmusic.recognition.recognizer import SURE, UNKNOWN, UNSURE, Recognizer
from seqmusic.recognition.storage import PRETRAINED, load_recognizer, save_recognizer
from seqmusic.recognition.works import LabeledWork, read_works, split_works, works_in
from seqmusic.report.recognition_page import FOR_COLOR, write_recognition_page
from seqmusic.score import Note, Score, Voice

THEME = "C4:1/4 E4:1/8 D4 G4:1/2 F4:1/4 A4 G4:1/8 E4 C4:1/2 B3:1/4 C4:1/2"


def walk(rng: np.random.Generator, moves: list[int], values: list[int], n_notes: int) -> Voice:
    """A voice of random moves and note values."""
    onset, pitch, notes = 0, 60, []
    for _ in range(n_notes):
        duration = int(rng.choice(values))
        notes.append(Note(onset, duration, pitch))
        onset += duration
        pitch = int(np.clip(pitch + rng.choice(moves), 40, 85))
    return Voice("Soprano", tuple(notes))


STYLES = {"leaps": ([-4, -2, -1, 1, 2, 4], [24, 24, 48]), "steps": ([-2, -1, 1, 2], [24, 24, 48])}


def labeled_works(n_per_class: int = 10, seed: int = 0) -> list[LabeledWork]:
    rng = np.random.default_rng(seed)
    works: list[LabeledWork] = []
    for name, (moves, values) in STYLES.items():
        for i in range(n_per_class):
            score = Score((walk(rng, moves, values, 40), walk(rng, moves, values, 40)))
            group = len(works)
            works.append(
                LabeledWork(f"{name}/{i}.csv", name, name, group, score, tuple(lines_of(score)))
            )
    return split_works(works)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    pytest.importorskip("sklearn")
    return train_recognizer(labeled_works())


def folder_of(works: list[LabeledWork], folder: Path) -> Path:
    for work in works:
        path = folder / work.name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_score(work.score, path)
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda score: score.transposed(5),
        lambda score: scaled(score, 2),
        lambda score: scaled(score, 1, 2),
        lambda score: replace(
            score, voices=tuple(replace(v, name=f"x{i}") for i, v in enumerate(score.voices))
        ),
    ],
    ids=["transposed", "doubled", "halved", "renamed"],
)
def test_what_must_not_matter_changes_no_ngram(change: object) -> None:
    assert callable(change)
    score = parse_theme([THEME, THEME.replace("C4", "E4")])
    for line, other in zip(lines_of(score), lines_of(change(score)), strict=True):
        assert ngrams_of(line).codes.tolist() == ngrams_of(other).codes.tolist()


def test_staccato_and_legato_have_the_same_steps() -> None:
    voice = parse_theme(THEME).voices[0]
    short = tuple(replace(note, duration_ticks=note.duration_ticks // 2) for note in voice.notes)
    assert steps(line_of(Voice("", short)))[:-1].tolist() == steps(line_of(voice))[:-1].tolist()


def test_probabilities_of_all_next_steps_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    lines = [line_of(walk(rng, *style, 60)) for style in STYLES.values()]
    expert = train_likelihood([[line] for line in lines])
    context = lines[0].excerpt(0, 6)
    totals = np.zeros(2)
    for code in range(N_STEPS):
        interval, ratio = code // 13 - 13, code % 13 - 6
        pitch = int(context.pitches[-1]) + interval
        duration = float(context.durations[-1]) * 2 ** (ratio / 2)
        longer = with_note(context, pitch, duration)
        assert steps(longer)[-1] == code
        totals += np.exp(expert.step_log_likelihoods(longer)[-1])
    assert totals == pytest.approx([1, 1])


def with_note(line: Line, pitch: int, duration: float) -> Line:
    """The line with one more note, whose duration need not be whole."""
    durations: Any = np.append(line.durations.astype(float), duration)
    return Line(0, np.append(line.onsets, 0), durations, np.append(line.pitches, pitch))


def test_a_class_left_out_is_as_if_it_had_never_been_counted() -> None:
    rng = np.random.default_rng(1)
    lines = [line_of(walk(rng, *style, 60)) for style in (*STYLES.values(), ([0, 12], [24]))]
    expert, smaller = (train_likelihood([[line] for line in part]) for part in (lines, lines[:2]))
    assert expert.without(2).log_likelihoods(lines[2]) == pytest.approx(
        smaller.log_likelihoods(lines[2])
    )


def test_the_expert_survives_its_arrays() -> None:
    line = line_of(parse_theme(THEME).voices[0])
    expert = train_likelihood([[line], [line.excerpt(2, 9)]])
    again = LikelihoodExpert.from_arrays(expert.arrays())
    assert again.log_likelihoods(line).tolist() == expert.log_likelihoods(line).tolist()


def test_new_works_are_recognized(recognizer: Recognizer) -> None:
    for work in labeled_works(5, seed=9):
        found = recognizer.recognize(work.lines)
        assert next(iter(found.probabilities)) == work.class_name
        assert sum(found.probabilities.values()) == pytest.approx(1)
        assert found.outcome in (SURE, UNSURE)
        assert (found.n_notes, found.n_lines) == (80, 2)


def test_fewer_notes_make_less_certain(recognizer: Recognizer) -> None:
    lines = [work.lines[0] for work in labeled_works(8, seed=5)]
    few, many = (
        [max(recognizer.recognize([line.excerpt(0, n)]).probabilities.values()) for line in lines]
        for n in (4, 40)
    )
    assert np.mean(few) < np.mean(many)


def test_a_recognizer_that_was_saved_answers_the_same(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    save_recognizer(recognizer, tmp_path)
    again = load_recognizer(tmp_path)
    for work in labeled_works(3, seed=3):
        before, after = (r.recognize(work.lines) for r in (recognizer, again))
        assert after.answer == before.answer
        assert after.probabilities == pytest.approx(before.probabilities, abs=0.01)


def test_a_training_work_is_the_work_most_like_itself(recognizer: Recognizer) -> None:
    work = works_in(labeled_works(), "train")[0]
    number = recognizer.classes.index(work.class_name)
    vocabulary = recognizer.linear.vocabulary
    nearest = recognizer.index.nearest(work.lines, vocabulary, [number])
    assert nearest[0].name == work.name
    assert nearest[0].similarity > 0.99


def test_all_works_are_learned_in_the_end(recognizer: Recognizer) -> None:
    works = labeled_works()
    assert len(completed(recognizer, works).index.names) == len(works)


def test_reasons_are_parts_of_the_evidence_and_have_bars(recognizer: Recognizer) -> None:
    score = parse_theme([THEME])
    lines = lines_of(score)
    _, evidence = recognizer.linear.evidence(lines[0], 0)
    index, values = recognizer.linear.vocabulary.vector(ngrams_of(lines[0]))
    weights = recognizer.linear.weights[index]
    assert evidence.sum() == pytest.approx(values @ (weights[:, 0] - weights.mean(axis=1)))
    supporting, opposing = reasons_for(score, lines, recognizer.linear, 0)
    assert all(reason.weight > 0 for reason in supporting)
    assert all(reason.weight < 0 for reason in opposing)
    for reason in (*supporting, *opposing):
        for one in reason.occurrences:
            assert one.bars is not None
            assert 0 <= one.first_tick < one.end_ticks <= score.end_ticks


def test_confidence_is_the_lowest_that_is_precise_enough() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.62, 0.38], [0.1, 0.9]])
    targets = np.array([0, 0, 1, 1])
    lowest = confidences_for_precision(probabilities, targets, [(0,), (1,)])
    assert lowest == pytest.approx((0.62, 1), abs=0.006)
    joined = confidences_for_precision(probabilities, targets, [(0,), (1,), (0, 1)])
    assert joined == pytest.approx((0.3, 0.62), abs=0.006)


def test_all_classes_weigh_the_same() -> None:
    assert class_weights(np.array([0, 0, 0, 1])).tolist() == pytest.approx([1 / 6] * 3 + [0.5])
    found = balanced_accuracy(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1]), np.arange(4))
    assert found.value == 0.5


def test_groups_are_never_torn_and_each_class_is_split_alike() -> None:
    works = [replace(work, group=i // 2) for i, work in enumerate(labeled_works(20))]
    split = split_works(works)
    for work in split:
        assert {other.split for other in split if other.group == work.group} == {work.split}
    for name in STYLES:
        n_test = sum(work.class_name == name for work in works_in(split, "test"))
        assert n_test == 4


def test_a_folder_is_trained_on_and_recognizes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    data, out = folder_of(labeled_works(), tmp_path / "data"), tmp_path / "own"
    assert main(["recognize", "--train", str(data), "--out", str(out), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["classes"] == ["leaps", "steps"]
    assert "| leaps | 10 | 1 |" in (out / "card.md").read_text(encoding="utf-8")
    theme = "C4 D4 E4 F4 G4:1/2 F4:1/4 E4 D4 C4 D4 E4"
    assert main(["recognize", theme, "--model", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert next(iter(answer["probabilities"])) == "steps"
    assert {"for", "against", "nearest", "techniques"} <= set(answer)


def test_works_of_two_classes_are_left_out_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    works = labeled_works(6)
    works[7] = replace(works[7], score=works[0].score.transposed(2))
    folder_of(works, tmp_path / "data")
    with caplog.at_level(logging.WARNING):
        kept = read_works(tmp_path / "data", tmp_path / "cache")
    assert len(kept) == 10
    assert "2 works stand in two classes" in caplog.text


def test_a_repetition_within_a_class_counts_once(tmp_path: Path) -> None:
    works = labeled_works(7)
    works[1] = replace(works[1], score=works[0].score.transposed(-1))
    folder_of(works, tmp_path / "data")
    assert len(read_works(tmp_path / "data", tmp_path / "cache")) == 13


def test_too_few_works_are_refused(tmp_path: Path) -> None:
    folder = folder_of(labeled_works(2), tmp_path / "data")
    with pytest.raises(CorpusError, match=r"class 'leaps' has 2 groups \(2 works\); 5 independent"):
        read_works(folder, tmp_path / "cache")
    one = folder_of(labeled_works(6)[:6], tmp_path / "one")
    with pytest.raises(CorpusError, match="two classes or more are needed"):
        read_works(one, tmp_path / "cache1")
    with pytest.raises(CorpusError, match="no such folder"):
        read_works(tmp_path / "none", tmp_path / "cache2")


def test_scores_without_a_line_are_refused() -> None:
    with pytest.raises(RequestError, match="holds no note"):
        chosen_lines(Score((Voice("Alto", ()),)))
    with pytest.raises(RequestError, match="one note in a voice"):
        chosen_lines(parse_theme("C4"))
    with pytest.raises(RequestError, match="no voice 'Tenor'; its voices are Soprano"):
        chosen_lines(parse_theme(THEME), "Tenor")


def test_one_voice_of_several_is_read(recognizer: Recognizer) -> None:
    score = parse_theme([THEME, THEME])
    found = recognize_score(recognizer, score, "bass")
    assert found.voices == ("Bass",)
    assert found.recognition.n_lines == 1


def test_classes_that_are_one_repertory_are_named_with_the_voices_that_were_read(
    recognizer: Recognizer,
) -> None:
    short = Voice("Tenor", parse_theme(THEME).voices[0].notes[:2])
    score = Score((parse_theme(THEME).voices[0], short))
    found = recognize_score(recognizer, score)
    shown = replace(
        found.recognition,
        probabilities={"steps": 0.7, "leaps": 0.25},
        outcome=SURE,
        answer=("leaps", "steps"),
        confidence=0.95,
    )
    assert answer_text(replace(found, recognition=shown)) == (
        "steps or leaps, 95% (one repertory to this recognizer; 11 notes, 1 of 2 voices)"
    )


def test_keyboard_music_is_uncertain_where_none_was_learned(recognizer: Recognizer) -> None:
    assert not recognizer.knows_keyboards
    voice = labeled_works(1, seed=9)[1].score.voices[0]
    melody, piano = (
        recognizer.recognize([line_of(replace(voice, name=name))]) for name in ("Alto", "Piano 1")
    )
    assert (melody.outcome, piano.outcome) == (SURE, UNSURE)
    assert piano.probabilities == melody.probabilities
    assert piano.is_foreign
    assert not melody.is_foreign


def test_certainty_of_each_length_is_that_of_held_out_inputs() -> None:
    rng = np.random.default_rng(0)
    evidence, targets = [], []
    for n_steps, noise in ((7, 3.0), (255, 0.3)):
        for target in rng.integers(0, 2, 400).tolist():
            sides = np.array([1.0, -1.0]) * (1 if target == 0 else -1)
            values = np.clip(sides + noise * rng.normal(size=2), -4, 4)
            evidence.append(Evidence(n_steps, 1, values - np.logaddexp(*values), values))
            targets.append(target)
    fusion = fit_fusion(evidence, targets, np.ones(len(targets)).tolist())
    p = np.exp(fusion.log_probabilities(evidence))
    right = p.argmax(axis=1) == np.array(targets)
    for part in (slice(0, 400), slice(400, 800)):
        assert p[part].max(axis=1).mean() == pytest.approx(right[part].mean(), abs=0.02)


def test_bars_of_a_figure_are_those_of_its_first_and_last_note(recognizer: Recognizer) -> None:
    score = parse_theme([THEME])
    bars = score.bars()
    supporting, opposing = reasons_for(score, lines_of(score), recognizer.linear, 0)
    for one in (one for reason in (*supporting, *opposing) for one in reason.occurrences):
        assert one.bars is not None
        first = next(bar for bar in bars if bar.number == one.bars[0])
        last = next(bar for bar in bars if bar.number == one.bars[1])
        assert first.onset_ticks <= one.first_tick < first.end_ticks
        assert last.onset_ticks < one.end_ticks


def test_a_damaged_recognizer_is_refused(recognizer: Recognizer, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"recognizer\.json is missing"):
        load_recognizer(tmp_path)
    save_recognizer(recognizer, tmp_path)
    (tmp_path / "recognizer.npz").write_bytes(b"PK\3\4")
    with pytest.raises(CheckpointError, match="not a whole recognizer"):
        load_recognizer(tmp_path)


def test_each_bad_file_gives_one_line(
    recognizer: Recognizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import mido

    save_recognizer(recognizer, tmp_path / "model")
    files = {"drums": (9, 36, 4), "nothing": (0, 60, 0), "one": (0, 60, 1)}
    messages = {"drums": "holds no note", "nothing": "holds no note", "one": "holds one note"}
    for name, (channel, pitch, n_notes) in files.items():
        track = mido.MidiTrack()
        for _ in range(n_notes):
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=80))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=480))
        file = mido.MidiFile()
        file.tracks.append(track)
        file.save(tmp_path / f"{name}.mid")
        command = ["recognize", str(tmp_path / f"{name}.mid"), "--model", str(tmp_path / "model")]
        assert main(command) == 2
        errors = capsys.readouterr().err.splitlines()
        assert messages[name] in errors[-1]
        assert errors[-1].startswith(f"seqmusic: {tmp_path / name}.mid: ")


def test_the_page_draws_what_decided(recognizer: Recognizer, tmp_path: Path) -> None:
    pytest.importorskip("verovio")
    score = parse_theme([THEME, THEME])
    found = recognize_score(recognizer, score)
    text = write_recognition_page(found, tmp_path / "page.html", "A <theme>").read_text("utf-8")
    assert "A &lt;theme&gt;" in text
    assert "<svg" in text
    assert text.lower().count(FOR_COLOR) > 2
    assert f"{max(found.recognition.probabilities.values()):.1%}" in text


def test_what_comes_with_seqmusic_knows_eleven_repertories_and_is_small() -> None:
    recognizer = load_recognizer()
    assert len(recognizer.classes) == 11
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 6_000_000
    bach = next(path for path in collection_files("bach") if path.name == "bwv66.6.mxl")
    chorale = recognize_score(recognizer, read_score(bach))
    assert chorale.recognition.answer == ("chorale",)
    assert chorale.recognition.outcome == SURE
    noise = np.random.default_rng(0)
    voice = walk(noise, [-11, -6, 6, 13], [5, 7, 31, 50], 200)
    assert recognize_score(recognizer, Score((voice,))).recognition.outcome == UNKNOWN
