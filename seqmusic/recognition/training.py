"""Training of a recognizer: counts for one expert, a regression for the other, then the fusion."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqmusic.errors import MissingExtraError
from seqmusic.recognition.inputs import learned_lines, training_lines
from seqmusic.recognition.likelihood import LikelihoodExpert, train_likelihood
from seqmusic.recognition.linear import Floats, LinearExpert, Vocabulary, vocabulary_of
from seqmusic.recognition.lines import Line
from seqmusic.recognition.ngrams import ngrams_of
from seqmusic.recognition.works import LabeledWork

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

INVERSE_REGULARIZATION = 1.0
logger = logging.getLogger(__name__)


def train_experts(
    works: Sequence[LabeledWork], classes: Sequence[str], *, seed: int = 0
) -> tuple[LinearExpert, LikelihoodExpert]:
    """Both experts, trained on some works; each class weighs the same, and each work of a class.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    lines = [
        [line for work in works if work.class_name == name for line in learned_lines(work)]
        for name in classes
    ]
    likelihood = train_likelihood(lines)
    return train_linear(works, classes, seed=seed), likelihood


def train_linear(
    works: Sequence[LabeledWork], classes: Sequence[str], *, seed: int = 0
) -> LinearExpert:
    """The linear expert, trained on whole lines and on stretches of them.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    documents = list(training_lines(works, np.random.default_rng(seed)))
    vocabulary = vocabulary_of([line for work in works for line in learned_lines(work)])
    matrix = _matrix(vocabulary, [line for _, line in documents])
    owners = [i for i, _ in documents]
    targets = np.array([classes.index(works[i].class_name) for i in owners])
    weights = _document_weights(owners, [work.class_name for work in works])
    return _fit(vocabulary, matrix, targets, weights, len(classes))


def _document_weights(owners: Sequence[int], class_of_work: Sequence[str]) -> Floats:
    """(D,) so that all classes weigh the same, and so do all works of a class; 1 on average."""
    n_documents, n_works = Counter(owners), Counter(class_of_work)
    weights = np.array([1 / n_documents[i] / n_works[class_of_work[i]] for i in owners])
    return np.asarray(weights * len(owners) / weights.sum())


def _matrix(vocabulary: Vocabulary, lines: Sequence[Line]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    vectors = [vocabulary.vector(ngrams_of(line)) for line in lines]
    ends = np.cumsum([0, *(len(index) for index, _ in vectors)])
    index, values = (np.concatenate(parts) for parts in zip(*vectors, strict=True))
    return csr_matrix((values, index, ends), shape=(len(lines), len(vocabulary.codes)))


def _fit(
    vocabulary: Vocabulary, matrix: Any, targets: Any, weights: Floats, n_classes: int
) -> LinearExpert:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError(
            "training a recognizer needs scikit-learn; install it with pip install seqmusic[report]"
        ) from error
    model = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=300, tol=1e-3)
    model.fit(matrix, targets, sample_weight=weights)
    coefficients, bias = model.coef_, model.intercept_
    if n_classes == 2:  # scikit-learn fits one row for two classes
        coefficients, bias = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.array([-1, 1]) * bias / 2,
        )
    return LinearExpert(vocabulary, np.ascontiguousarray(coefficients.T), bias)
