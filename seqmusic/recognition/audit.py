"""Shortcuts and transformations: what must not decide about the class, and what must not matter.

A shortcut is a feature of the edition rather than of the music. A classifier that sees nothing else
shows how much of an accuracy it might explain.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seqmusic.errors import SeqmusicError
from seqmusic.formats import read_score, write_score
from seqmusic.recognition.calibration import class_weights
from seqmusic.recognition.linear import Floats
from seqmusic.recognition.lines import lines_of
from seqmusic.recognition.measures import Accuracy, balanced_accuracy
from seqmusic.recognition.recognizer import Recognizer
from seqmusic.recognition.works import LabeledWork, class_names, works_in
from seqmusic.score import Note, Score, Voice

_N_DURATION_BINS, _N_METERS, _MAX_VOICES = 24, 64, 16


def shortcut_accuracies(works: Sequence[LabeledWork]) -> dict[str, Accuracy]:
    """The balanced accuracy on test works of classifiers that see one shortcut alone.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    return {name: _accuracy_of(works, feature) for name, feature in SHORTCUTS.items()}


def _accuracy_of(works: Sequence[LabeledWork], feature: Callable[[Score], Floats]) -> Accuracy:
    from sklearn.linear_model import LogisticRegression

    classes, test = class_names(works), works_in(works, "test")
    train = works_in(works, "train")
    targets = np.array([classes.index(work.class_name) for work in train])
    model = LogisticRegression(C=100.0, max_iter=500)
    weights = class_weights(targets) * len(targets)
    model.fit(np.array([feature(work.score) for work in train]), targets, sample_weight=weights)
    predicted = model.predict(np.array([feature(work.score) for work in test]))
    true = np.array([classes.index(work.class_name) for work in test])
    return balanced_accuracy(predicted, true, np.array([work.group for work in test]))


def _note_values(score: Score) -> Floats:
    ticks = [note.duration_ticks for voice in score.voices for note in voice.notes]
    bins = np.clip(np.rint(2 * np.log2(ticks)), 0, _N_DURATION_BINS - 1).astype(int)
    return np.bincount(bins, minlength=_N_DURATION_BINS) / len(ticks)


def _pitches(score: Score) -> Floats:
    pitches = [note.pitch for voice in score.voices for note in voice.notes]
    return np.bincount(pitches, minlength=128) / len(pitches)


def _meter(score: Score) -> Floats:
    vector = np.zeros(2 * _N_METERS)
    if score.time_signatures:
        signature = score.time_signatures[0][1]
        vector[min(signature.numerator, _N_METERS - 1)] = 1
        vector[_N_METERS + min(signature.denominator, _N_METERS - 1)] = 1
    return vector


def _n_voices(score: Score) -> Floats:
    vector = np.zeros(_MAX_VOICES)
    vector[min(len(score.voices), _MAX_VOICES) - 1] = 1
    return vector


SHORTCUTS: Mapping[str, Callable[[Score], Floats]] = {
    "note values alone": _note_values,
    "absolute pitches alone": _pitches,
    "first meter alone": _meter,
    "number of voices alone": _n_voices,
}


def transformation_agreement(
    works: Sequence[LabeledWork], recognizer: Recognizer
) -> dict[str, tuple[int, float]]:
    """For each transformation, of how many works it could be made, and how often the class stayed.

    The class is the likeliest one, given all voices.
    """
    before = [_likeliest(recognizer, work.score) for work in works]
    found = {}
    for name, transform in TRANSFORMATIONS.items():
        same = []
        for work, likeliest in zip(works, before, strict=True):
            changed = transform(work.score)
            if changed is not None and changed.n_notes:
                same.append(_likeliest(recognizer, changed) == likeliest)
        found[name] = len(same), float(np.mean(same)) if same else float("nan")
    return found


def _likeliest(recognizer: Recognizer, score: Score) -> str:
    lines = [line for line in lines_of(score) if len(line) > 1]
    return next(iter(recognizer.recognize(lines).probabilities)) if lines else ""


def _transposed(semitones: int) -> Callable[[Score], Score | None]:
    def transform(score: Score) -> Score | None:
        try:
            return score.transposed(semitones)
        except ValueError:
            return None

    return transform


def scaled(score: Score, numerator: int, denominator: int = 1) -> Score | None:
    """The score in other note values; None where a note would leave the grid."""
    voices = []
    for voice in score.voices:
        notes = [
            (note.onset_ticks * numerator, note.duration_ticks * numerator, note)
            for note in voice.notes
        ]
        if any(onset % denominator or duration % denominator for onset, duration, _ in notes):
            return None
        rows = (
            Note(onset // denominator, duration // denominator, note.pitch)
            for onset, duration, note in notes
        )
        voices.append(Voice(voice.name, tuple(rows)))
    return Score(tuple(voices), (), key=score.key)


def _renamed(score: Score) -> Score:
    voices = (replace(voice, name=f"Track {i}") for i, voice in enumerate(score.voices, start=1))
    return replace(score, voices=tuple(voices))


def _without_first_bars(score: Score) -> Score | None:
    bars = score.bars()
    if len(bars) < 6:
        return None
    return score.sliced(bars[2].onset_ticks, score.end_ticks)


def _through_midi(score: Score) -> Score | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "score.mid"
        try:
            write_score(score, path)
            return read_score(path)
        except SeqmusicError:
            return None


TRANSFORMATIONS: Mapping[str, Callable[[Score], Score | None]] = {
    "transposed up a fourth": _transposed(5),
    "transposed down a minor third": _transposed(-3),
    "values doubled": lambda score: scaled(score, 2),
    "values halved": lambda score: scaled(score, 1, 2),
    "voices renamed": _renamed,
    "two bars cut": _without_first_bars,
    "through MIDI": _through_midi,
}
