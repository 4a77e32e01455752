"""Music that others must not share: works of a held-out set, found again in whatever setting.

A work is related to a held-out one when one of its voices sings the tune of that work or a stretch
of it, in whatever key, or when the two share many chords.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from seqmusic.corpus.dataset import Work
from seqmusic.corpus.similarity.digests import shingles, tune_digests
from seqmusic.corpus.similarity.families import MIN_SHINGLE_SHARE
from seqmusic.score import Score


@dataclass(frozen=True, slots=True)
class HeldOutMusic:
    """Held-out works by their digests.

    Attributes:
        tunes: the name of a work with each tune digest.
        chords: the names of the works with each shingle.
        n_shingles: number of different shingles of each work.
    """

    tunes: dict[int, str] = field(default_factory=dict)
    chords: dict[int, list[str]] = field(default_factory=dict)
    n_shingles: dict[str, int] = field(default_factory=dict)

    def relation(self, score: Score) -> str:
        """How a score is related to one of the works, for people; "" if it is not.

        >>> from seqmusic.score import Note, melody
        >>> tune = melody([Note(24 * i, 24, 60 + i * i % 7) for i in range(12)])
        >>> held_out = held_out_music([Work("bwv1", tune)])
        >>> setting = Score((*melody([Note(0, 24, 80)]).voices, *tune.transposed(-3).voices))
        >>> held_out.relation(setting), held_out.relation(melody([Note(0, 24, 60)]))
        ('shares the tune of bwv1', '')
        """
        for voice in score.voices:
            for digest in tune_digests(Score((voice,), score.time_signatures, score.pickup_ticks)):
                if name := self.tunes.get(int(digest)):
                    return f"shares the tune of {name}"
        digests = shingles(score).digests.tolist()
        shared = Counter(name for digest in digests for name in self.chords.get(digest, ()))
        for name, n_shared in shared.most_common():
            if n_shared >= MIN_SHINGLE_SHARE * min(len(digests), self.n_shingles[name]):
                return f"shares chords of {name}"
        return ""


def held_out_music(works: Iterable[Work]) -> HeldOutMusic:
    """The works by their digests."""
    found = HeldOutMusic()
    for work in works:
        for digest in tune_digests(work.score).tolist():
            found.tunes.setdefault(digest, work.name)
        digests = shingles(work.score).digests.tolist()
        found.n_shingles[work.name] = len(digests)
        for digest in digests:
            found.chords.setdefault(digest, []).append(work.name)
    return found
