"""A recognizer from the works of a folder: trained, calibrated on validation works, completed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from seqmusic.recognition.calibration import decide_on, fit_on, trial_inputs
from seqmusic.recognition.nearest import make_index
from seqmusic.recognition.recognizer import Recognizer
from seqmusic.recognition.training import train_experts
from seqmusic.recognition.works import LabeledWork, class_names, works_in

_MIN_SHARE_OF_KEYBOARDS = 0.01
logger = logging.getLogger(__name__)


def train_recognizer(works: Sequence[LabeledWork]) -> Recognizer:
    """A recognizer trained on the training works, and calibrated on the validation works.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    classes = class_names(works)
    train = works_in(works, "train")
    logger.info("training on %d works of %d classes", len(train), len(classes))
    experts = train_experts(train, classes)
    inputs = trial_inputs(works_in(works, "valid"), classes, experts)
    fusion = fit_on(inputs)
    decision = decide_on(inputs, fusion)
    rows = [(work.name, classes.index(work.class_name), work.lines) for work in train]
    index = make_index(rows, experts[0].vocabulary)
    return Recognizer(
        tuple(classes), *experts, fusion, decision, index, _hold_keyboard_music(works)
    )


def completed(recognizer: Recognizer, works: Sequence[LabeledWork]) -> Recognizer:
    """The recognizer with experts and index of all works; the calibration stays as it is.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    classes = list(recognizer.classes)
    logger.info("training on all %d works", len(works))
    linear, likelihood = train_experts(works, classes)
    rows = [(work.name, classes.index(work.class_name), work.lines) for work in works]
    index = make_index(rows, linear.vocabulary)
    return replace(recognizer, linear=linear, likelihood=likelihood, index=index)


def _hold_keyboard_music(works: Sequence[LabeledWork]) -> bool:
    """Whether one work of a hundred or more is of keyboard parts alone."""
    n_keyboard = sum(all(line.is_keyboard for line in work.lines) for work in works)
    return n_keyboard >= _MIN_SHARE_OF_KEYBOARDS * len(works)
