"""Names of the voices in a file, also of those that have none or the same as another."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from seqmusic.score import SATB


def default_voice_names(n_voices: int) -> tuple[str, ...]:
    """Names for unnamed voices, from high to low: Soprano to Bass for up to four, else numbers.

    >>> default_voice_names(2), default_voice_names(5)[-1]
    (('Soprano', 'Bass'), 'Voice 5')
    """
    usual: dict[int, tuple[str, ...]] = {
        1: SATB[:1],
        2: (SATB[0], SATB[3]),
        3: (SATB[0], SATB[1], SATB[3]),
        4: SATB,
    }
    return usual.get(n_voices) or tuple(f"Voice {i}" for i in range(1, n_voices + 1))


def distinct_voice_names(names: Sequence[str], defaults: Sequence[str]) -> list[str]:
    """The names, with a number where several voices have the same one.

    Args:
        names: of all voices; empty for a voice without a name.
        defaults: for the voices without a name.

    >>> distinct_voice_names(["Horn", "", "Horn", "Tuba"], default_voice_names(4))
    ['Horn 1', 'Alto', 'Horn 2', 'Tuba']
    """
    counts, taken = Counter(names), set(names)
    distinct = []
    for name, default in zip(names, defaults, strict=True):
        if name and counts[name] > 1:
            name = next(new for i in itertools.count(1) if (new := f"{name} {i}") not in taken)
            taken.add(name)
        distinct.append(name or default)
    return distinct


def satb_order(names: Sequence[str]) -> list[int] | None:
    """Indices of the names from soprano to bass; None unless each is one of these four.

    Upper and lower case mean the same.

    >>> satb_order(["bass", "SOPRANO"]), satb_order(["Soprano", "Horn"])
    ([1, 0], None)
    """
    known = [name.strip().capitalize() for name in names]
    if not set(known) <= set(SATB):
        return None
    return sorted(range(len(known)), key=lambda index: SATB.index(known[index]))
