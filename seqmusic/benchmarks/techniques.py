"""How many works of each class are called isorhythmic, canonic and so on, and which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from seqmusic.corpus.cache import cache_folder
from seqmusic.progress import track
from seqmusic.recognition.techniques.sentences import technique_rows
from seqmusic.recognition.techniques.techniques import find_techniques
from seqmusic.recognition.works import LabeledWork, read_works

COUNTED = ("isorhythm", "mensural transformation", "canon", "ground bass", "cantus firmus")
_NAMED = ("isorhythm", "mensural transformation")


def benchmark_techniques(folder: Path) -> list[str]:
    """A table of the works of each class in which a technique is called, and names, as lines.

    Args:
        folder: CLASS/[SOURCE/[GROUP/]]FILE, or one made from such a folder by `data prepare`.

    Raises:
        CorpusError: the folder holds too little.
    """
    return techniques_table(
        read_works(folder, cache_folder() / "recognition" / folder.resolve().name)
    )


def techniques_table(works: Sequence[LabeledWork]) -> list[str]:
    """The same of works that were read."""
    n_works = Counter(work.class_name for work in works)
    counts: Counter[tuple[str, str]] = Counter()
    named: dict[str, list[str]] = defaultdict(list)
    for work in track(works, "Techniques", " works", len(works)):
        rows = technique_rows(work.score, find_techniques(work.score))
        for technique in {row.technique for row in rows}:
            counts[work.class_name, technique] += 1
            if technique in _NAMED:
                named[technique].append(work.name)
    header = "  ".join([f"{'class':<12}", "works", *COUNTED])
    lines = [header]
    for name, n in sorted(n_works.items()):
        cells = (f"{counts[name, technique]:>{len(technique)}}" for technique in COUNTED)
        lines.append("  ".join([f"{name:<12}", f"{n:>5}", *cells]))
    return lines + [f"{technique}: {name}" for technique in _NAMED for name in named[technique]]
