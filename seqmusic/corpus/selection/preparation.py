"""From works as they were read to a data set: cleaned, grouped by tune, split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.selection.candidates import Candidates, select_works
from seqmusic.corpus.selection.cleaning import CHORALE_RULES, CleaningRules, drop_reason
from seqmusic.corpus.selection.split import DEFAULT_SHARES, Shares
from seqmusic.corpus.similarity.digests import sketch
from seqmusic.corpus.similarity.duplicates import outline
from seqmusic.corpus.similarity.pairs import digest_table


def prepare(
    works: Iterable[Work],
    *,
    rules: CleaningRules = CHORALE_RULES,
    shares: Shares = DEFAULT_SHARES,
    seed: int = 0,
) -> Dataset:
    """The works as a data set: cleaned, grouped by tune family, and split.

    A work that has a reason already stays dropped for it; splits and families are ignored.
    """
    checked = [
        replace(work, split="", family=-1, reason=work.reason or drop_reason(work.score, rules))
        for work in works
    ]
    dropped = [work for work in checked if work.reason]
    candidates = _candidates([work for work in checked if not work.reason])
    selected = select_works(candidates, rules.min_duplicate_share, shares, seed)
    return Dataset((*dropped, *selected))


def _candidates(works: Sequence[Work]) -> Candidates:
    sketches = [sketch(work.score) for work in works]
    shingles = digest_table(
        [of_work.shingles.digests for of_work in sketches],
        [of_work.shingles.lowest for of_work in sketches],
    )
    tunes = digest_table([of_work.tune for of_work in sketches])
    return Candidates(
        works,
        [work.score.end_ticks for work in works],
        [outline(of_work) for of_work in sketches],
        lambda: [shingles],
        lambda: [tunes],
        len(tunes.work),
    )
