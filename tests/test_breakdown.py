"""Groups of predictions, counted by hand."""

import numpy as np
from assessments import DUET, scores_with_nats

from seqmusic.evaluation.accuracy import prediction_mask
from seqmusic.evaluation.breakdown import groupings
from seqmusic.evaluation.held_out import encode_pieces


def test_predictions_are_grouped_by_voice_by_beat_and_by_tenth() -> None:
    pieces = encode_pieces([DUET])
    (trace,) = pieces.traces
    rows = np.flatnonzero(trace.is_scored)
    event_scores = [scores_with_nats(rows, np.zeros(len(rows)))]
    assert prediction_mask(trace, event_scores[0]).sum() == 11, "neither header nor end"
    counts = {
        name: {group: int(mask.sum()) for group, (mask,) in groups.items()}
        for name, groups in groupings(pieces, event_scores).items()
    }
    assert counts == {
        "voice": {"Soprano": 7, "Bass": 4},
        # The pickup is beat 3. Beat 1 has both voices, three times; the first bar has 2 and 2½.
        "beat in 3/4": {"1": 6, "2": 1, "2½": 1, "3": 3},
        # Of 240 ticks: 0, 0; 24, 24; 48, 60; 72; 96, 96 (40 %); 168, 168 (70 %).
        "part of the piece": {
            **{"0–10 %": 2, "10–20 %": 2, "20–30 %": 2, "30–40 %": 1},
            **{"40–50 %": 2, "70–80 %": 2},
        },
    }
