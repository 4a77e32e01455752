"""How many notes of the chorales are spelled as in their edition: by the key alone, by context.

The prepared corpus keeps no spelling, so the files of music21 are read again. A note of a file and
a note of the corpus are the same where voice, onset and pitch are. "Without a key" the key is
hidden and inferred; all notes an enharmonic key away then count as right.

    python scripts/measure_spelling.py train valid
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from music21 import converter

from seqmusic.corpus.chorales import load_chorales
from seqmusic.formats.notation.file import chorale_paths
from seqmusic.score import SATB, TICKS_PER_QUARTER, Key, Score
from seqmusic.spelling import VoiceSpelling, spell_notes
from seqmusic.tonality import Spelling, infer_key, spell

EditionSpelling = Mapping[tuple[int, int], Spelling]
"""The written pitches of a part, by onset in ticks and MIDI number."""


def edition_spellings(path: Path) -> list[EditionSpelling]:
    """The spellings of the four parts, or of the four with names of voices, of a chorale file."""
    parts = list(converter.parse(path, forceSource=True, storePickle=False).parts)
    if len(parts) != len(SATB):
        parts = [part for part in parts if (part.partName or "").split()[:1][0] in SATB]
    return [dict(_part_spellings(part)) for part in parts]


def _part_spellings(part: Any) -> Iterator[tuple[tuple[int, int], Spelling]]:
    for note in part.recurse().notes:
        onset_ticks = TICKS_PER_QUARTER * Fraction(note.getOffsetInHierarchy(part))
        for pitch in note.pitches:
            spelling = Spelling(pitch.step, int(pitch.alter), pitch.implicitOctave)
            yield (round(onset_ticks), pitch.midi), spelling


def key_spellings(score: Score) -> list[VoiceSpelling]:
    """The spelling of all notes by the key alone."""
    key = score.key or infer_key(score)
    return [{n.onset_ticks: spell(n.pitch, key) for n in voice.notes} for voice in score.voices]


def distances(
    score: Score, spellings: Sequence[VoiceSpelling], edition: Sequence[EditionSpelling]
) -> Iterator[tuple[int, int]]:
    """Fifths from the edition's to our spelling of each note, and those of the edition from C."""
    for voice, ours, theirs in zip(score.voices, spellings, edition, strict=True):
        for note in voice.notes:
            if (note.onset_ticks, note.pitch) in theirs:
                fifth = theirs[note.onset_ticks, note.pitch].fifth
                yield ours[note.onset_ticks].fifth - fifth, fifth


def count_errors(score: Score, edition: Sequence[EditionSpelling]) -> Counter[str]:
    """Notes, those outside the signature, and the errors of each way of spelling among both."""
    counts: Counter[str] = Counter()
    hidden = replace(score, key=None)
    sharps = (score.key or Key(0)).sharps
    for name, known, spelled in (
        ("key alone", True, key_spellings(score)),
        ("context", True, spell_notes(score)),
        ("key alone, without a key", False, key_spellings(hidden)),
        ("context, without a key", False, spell_notes(hidden)),
    ):
        found = list(distances(score, spelled, edition))
        shifts = (0,) if known else (0, 12, -12)
        counts[name] = min(sum(moved != shift for moved, _ in found) for shift in shifts)
        if known:
            is_chromatic = [not -1 <= fifth - sharps <= 5 for _, fifth in found]
            wrong = [moved != 0 for moved, _ in found]
            counts[f"{name}, chromatic"] = sum(map(min, is_chromatic, wrong))
    counts["notes"], counts["chromatic"] = len(found), sum(is_chromatic)
    counts["unmatched"] = score.n_notes - len(found)
    return counts


def main() -> None:
    """Print the counts and shares of some parts of the split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("splits", nargs="+", choices=("train", "valid", "test"))
    paths = {path.stem: path for path in chorale_paths()}
    for split in parser.parse_args().splits:
        counts: Counter[str] = Counter()
        for work in load_chorales().works_in(split):
            counts.update(count_errors(work.score, edition_spellings(paths[work.name])))
        n_notes, n_chromatic = counts.pop("notes"), counts.pop("chromatic")
        print(f"{split}: {n_notes} notes, {n_chromatic} of them chromatic", end="")
        print(f"; {counts.pop('unmatched')} not found in the files")
        for name, n_errors in counts.items():
            total = n_chromatic if name.endswith("chromatic") else n_notes
            print(f"  {name}: {n_errors} errors, {1 - n_errors / total:.3%} right")


if __name__ == "__main__":
    main()
