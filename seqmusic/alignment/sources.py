"""Where preferences come from: rules, a judge, or people. Each scores the candidates of a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from seqmusic.alignment.faults import (
    count_faults,
    scores_per_opportunity,
    scores_per_time,
)
from seqmusic.alignment.measures import measure_values
from seqmusic.alignment.optimization import PreferencePair
from seqmusic.alignment.passages import Continued
from seqmusic.alignment.taste import Taste
from seqmusic.array_types import Floats
from seqmusic.generation.search.judge import Judge
from seqmusic.progress import track

Groups = Sequence[Sequence[Continued]]
"""The candidates of each passage."""
_BEATS_OF_RULES = 8  # the shorter, the more of a candidate has to do with its faults
RULES_SOURCE, JUDGE_SOURCE = "rules", "judge"


@dataclass(frozen=True, slots=True)
class PreferenceSource:
    """Where preferences come from.

    Attributes:
        name: rules, judge, or the files of people.
        score_candidates: from the candidates of each passage to the (N,) scores of all of them in
            order; higher is better.
        beats: that the candidates have, in quarters.
        matches_notes: whether the two candidates of a pair have about as many notes.
        answered: pairs that people compared, from which the first round learns, too.
    """

    name: str
    score_candidates: Callable[[Groups], Floats]
    beats: int = 16
    matches_notes: bool = True
    answered: Sequence[PreferencePair] = ()


def rules_source(*, per_time: bool = False) -> PreferenceSource:
    """The rules of `faults`, counted per opportunity.

    Args:
        per_time: count faults in a quarter instead, which rewards writing fewer notes.
    """
    if per_time:
        return PreferenceSource(
            "rules per time", _score_by_faults_in_time, beats=_BEATS_OF_RULES, matches_notes=False
        )
    return PreferenceSource(RULES_SOURCE, _score_by_faults, beats=_BEATS_OF_RULES)


def judge_source(judge: Judge) -> PreferenceSource:
    """The judge that comes with a model: how much likelier each candidate is to be Bach's."""

    def score_by_judge(groups: Groups) -> Floats:
        # The beginning is needed for the windows that reach into it, and is the same for all.
        found = [one.score for group in groups for one in group]
        return np.array(
            [judge.mean_log_odds(score) for score in track(found, "judging", "candidate")]
        )

    return PreferenceSource(JUDGE_SOURCE, score_by_judge)


def taste_source(
    name: str, taste: Taste, answered: Sequence[PreferencePair] = ()
) -> PreferenceSource:
    """The taste that was fitted to the answers of people.

    Args:
        name: of the files.
        taste: that scores the candidates.
        answered: the pairs that were compared.
    """

    def score_by_taste(groups: Groups) -> Floats:
        values = measure_values([found.passage for group in groups for found in group])
        return taste.scores(values)

    return PreferenceSource(name, score_by_taste, answered=answered)


def _score_by_faults(groups: Groups) -> Floats:
    # The beginning counts, too: it is the same for all candidates of a passage, and what follows
    # may resolve or repeat something in it.
    found = [one.score for group in groups for one in group]
    return scores_per_opportunity([count_faults(p) for p in track(found, "judging", "candidate")])


def _score_by_faults_in_time(groups: Groups) -> Floats:
    found = [one.passage for group in groups for one in group]
    counts = [count_faults(p) for p in track(found, "judging", "candidate")]
    return scores_per_time(counts, found)
