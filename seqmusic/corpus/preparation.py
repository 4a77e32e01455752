"""From works as they were read to a data set: cleaned, grouped by tune, split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from seqmusic.corpus.cleaning import CHORALE_RULES, CleaningRules, clean
from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.similarity.families import tune_families
from seqmusic.corpus.split import DEFAULT_SHARES, Shares, split_works


def prepare(
    works: Iterable[Work],
    *,
    rules: CleaningRules = CHORALE_RULES,
    shares: Shares = DEFAULT_SHARES,
    seed: int = 0,
) -> Dataset:
    """The works as a data set: cleaned, grouped by tune family, and split.

    A work that comes with a reason stays dropped for it; splits and families that works come with are not looked at.
    """
    cleaned = clean(works, rules)
    kept = [work for work in cleaned if not work.reason]
    families = dict(
        zip((work.name for work in kept), tune_families([work.score for work in kept]), strict=True)
    )
    grouped = [replace(work, family=families.get(work.name, -1)) for work in cleaned]
    return Dataset(tuple(split_works(grouped, shares, seed)))
