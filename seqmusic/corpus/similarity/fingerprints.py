"""What a model was trained on, told without the music: digests of its passages, kept beside the weights.

So anyone who holds a model can ask whether a piece was among its training works, also transposed, without having those works.
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
from seqmusic.errors import CheckpointError
from seqmusic.score import Score

MIN_KNOWN_SHARE = 0.75  # of the passages of a piece, to call it known
FINGERPRINTS_FILE = "fingerprints.npy"

Fingerprints = NDArray[np.uint64]


def fingerprints(scores: Sequence[Score]) -> Fingerprints:
    """(F, 2) piece number and digest of each passage of six beats."""
    return digests_to_fingerprints(shingles(score).digests for score in scores)


def digests_to_fingerprints(pieces: Iterable[Digests]) -> Fingerprints:
    """(F, 2) piece number and digest of pieces whose digests are known."""
    columns = [
        np.stack([np.full(len(own), number, np.uint64), own], axis=1)
        for number, own in enumerate(pieces)
    ]
    return np.concatenate([np.zeros((0, 2), np.uint64), *columns])


def known_pieces(known_fingerprints: NDArray[np.uint64], scores: Sequence[Score]) -> list[int]:
    """Positions of the scores that repeat one of the fingerprinted pieces: most of their passages stand in it.

    >>> from seqmusic.score import Note, melody
    >>> one, other = (melody([Note(24 * i, 24, 60 + i * step % 7) for i in range(12)]) for step in (2, 3))
    >>> known_pieces(fingerprints([one]), [other, one.transposed(5)])
    [1]
    """
    holders: dict[int, set[int]] = {}
    for piece, digest in known_fingerprints.tolist():
        holders.setdefault(digest, set()).add(piece)
    found = []
    for position, score in enumerate(scores):
        own = _shingle_digests(score)
        shared = Counter(piece for digest in own for piece in holders.get(digest, ()))
        if shared and max(shared.values()) >= MIN_KNOWN_SHARE * len(own):
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
    try:
        known_fingerprints = np.load(folder / FINGERPRINTS_FILE, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(
            f"{folder / FINGERPRINTS_FILE}: missing or damaged; what the model was trained on cannot be told"
        ) from error
    if (
        known_fingerprints.dtype != np.uint64
        or known_fingerprints.ndim != 2
        or known_fingerprints.shape[1] != 2
    ):
        raise CheckpointError(
            f"{folder / FINGERPRINTS_FILE}: holds no fingerprints, but an array {known_fingerprints.dtype} {known_fingerprints.shape}"
        )
    return np.asarray(known_fingerprints)


def _shingle_digests(score: Score) -> list[int]:
    return list(shingles(score).digests.tolist())
