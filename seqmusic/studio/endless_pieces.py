"""The endless pieces that pages listen to; few of them stay in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from seqmusic.generation.endless.figures import BACH, segment_figures
from seqmusic.generation.endless.plan import MAX_SEGMENT, segment_plan
from seqmusic.generation.endless.segments import EndlessPiece
from seqmusic.score_data import score_to_data
from seqmusic.studio.models import DEFAULT_NAME, Models
from seqmusic.tonality import key_name

MAX_SEED = 2**31 - 1
_MAX_PIECES = 6
_N_COMING = 3  # plans that a segment shows beside its own


class EndlessPieces:
    """Segments by seed and number, composed when they are asked for, with `effort` for each."""

    def __init__(self, models: Models, effort: int = 2) -> None:
        self.effort = effort
        self._models = models
        self._lock = threading.Lock()
        self._pieces: OrderedDict[int, EndlessPiece] = OrderedDict()

    def segment(self, seed: int, number: int) -> dict[str, Any]:
        """A segment as plain data, with its figures beside Bach's and the plans that follow.

        Raises:
            ValueError: seed or number is out of range.
            RequestError: no music meets the rules.
        """
        if not 0 <= seed <= MAX_SEED or not 0 <= number <= MAX_SEGMENT - _N_COMING:
            raise ValueError(f"seed and number must be in 0..{MAX_SEED:,} and 0..{MAX_SEGMENT:,}")
        segment = self._piece(seed).segment(number)
        return {
            "seed": seed,
            "number": number,
            "score": score_to_data(segment.score),
            "attempt": segment.attempt,
            "copied_notes": segment.copied_notes,
            "figures": {name: list(rate) for name, rate in segment_figures(segment.score).items()},
            "bach": dict(BACH),
            "plans": [_plan(seed, number + i) for i in range(_N_COMING + 1)],
        }

    def _piece(self, seed: int) -> EndlessPiece:
        with self._lock:
            if seed not in self._pieces:
                model = self._models.array_model(DEFAULT_NAME)
                piece = EndlessPiece(model, seed, self._models.copied_notes, self.effort)
                self._pieces[seed] = piece
            self._pieces.move_to_end(seed)
            while len(self._pieces) > _MAX_PIECES:
                self._pieces.popitem(last=False)
            return self._pieces[seed]


def _plan(seed: int, number: int) -> dict[str, Any]:
    plan = segment_plan(seed, number)
    return {
        "number": number,
        "theme": plan.theme,
        "returns": plan.returns,
        "key": key_name(plan.key),
        "time_signature": str(plan.time_signature),
        "position": plan.position,
    }
