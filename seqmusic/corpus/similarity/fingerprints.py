"""What a model was trained on, without the music: digests of its passages, kept beside the weights.

Anyone who holds a model can check whether a piece was among its training works, also transposed,
without having those works.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.similarity.digests import Digests, shingles
from seqmusic.corpus.similarity.duplicates import MIN_DUPLICATE_SHARE
from seqmusic.errors import CheckpointError
from seqmusic.score import Score

FINGERPRINTS_FILE = "fingerprints.npy"

Fingerprints = NDArray[np.uint64]


def fingerprints(scores: Sequence[Score]) -> Fingerprints:
    """(F, 2) piece number and digest of each passage of six beats."""
    return digests_to_fingerprints(shingles(score).digests for score in scores)


def digests_to_fingerprints(pieces: Iterable[Digests]) -> Fingerprints:
    """(F, 2) piece number and digest of pieces whose digests are known."""
    columns = [
        np.stack([np.full(len(digests), number, np.uint64), digests], axis=1)
        for number, digests in enumerate(pieces)
    ]
    return np.concatenate([np.zeros((0, 2), np.uint64), *columns])


def known_pieces(known_fingerprints: NDArray[np.uint64], scores: Sequence[Score]) -> list[int]:
    """Positions of the scores most of whose passages occur in one of the fingerprinted pieces.

    >>> from seqmusic.score import Note, melody
    >>> one, other = (
    ...     melody([Note(24 * i, 24, 60 + i * step % 7) for i in range(12)]) for step in (2, 3)
    ... )
    >>> known_pieces(fingerprints([one]), [other, one.transposed(5)])
    [1]
    """
    holders: dict[int, set[int]] = {}
    for piece, digest in known_fingerprints.tolist():
        holders.setdefault(digest, set()).add(piece)
    found = []
    for position, score in enumerate(scores):
        digests = shingles(score).digests.tolist()
        shared = Counter(piece for digest in digests for piece in holders.get(digest, ()))
        if shared and max(shared.values()) >= MIN_DUPLICATE_SHARE * len(digests):
            found.append(position)
    return found


def write_fingerprints(known_fingerprints: Fingerprints, folder: Path) -> Path:
    """Write fingerprints into a model's folder.

    Raises:
        FormatError: the file cannot be written.
    """
    buffer = io.BytesIO()
    np.save(buffer, known_fingerprints, allow_pickle=False)
    return write_atomic(folder / FINGERPRINTS_FILE, buffer.getvalue())


def read_fingerprints(folder: Path) -> NDArray[np.uint64]:
    """The fingerprints in a model's folder.

    Raises:
        CheckpointError: there are none, or they are damaged.
    """
    path = folder / FINGERPRINTS_FILE
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(
            f"{path}: missing or damaged; what the model was trained on is unknown"
        ) from error
    if array.dtype != np.uint64 or array.ndim != 2 or array.shape[1] != 2:
        raise CheckpointError(
            f"{path}: holds no fingerprints, but an array {array.dtype} {array.shape}"
        )
    return np.asarray(array)
