"""Cleaning: which works are dropped, and why. Nothing is repaired or dropped in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from seqmusic.corpus.dataset import Work, natural_sort_key
from seqmusic.corpus.similarity.digests import sketch
from seqmusic.corpus.similarity.duplicates import Match, find_duplicates, outline, pairs_among
from seqmusic.score import Score, Voice
from seqmusic.tonality import spell

SATB_COMPASS = ((57, 81), (50, 76), (45, 71), (36, 66))
_GRIDS = (3, 4)  # ticks: thirty-second notes, and triplets of sixteenths


@dataclass(frozen=True, kw_only=True)
class CleaningRules:
    """What a work must be to be kept; None switches a rule off.

    Attributes:
        n_voices: the fewest and the most voices.
        compass: (lowest, highest) pitch of each voice, from high to low.
        max_early_bars: bars that a voice may end before the last one does.
        max_silent_bars: bars that all voices may rest together.
        min_notes: how many notes there must be.
        is_on_grid: whether notes must keep to thirty-seconds or triplets of sixteenths, and a meter must be known.
        drops_empty_voices: whether a voice without notes is left out; else it makes a work incomplete.
        min_duplicate_share: share of its chords from which on a work is the duplicate of another, 0..1.
    """

    n_voices: tuple[int, int] | None = (4, 4)
    compass: tuple[tuple[int, int], ...] | None = SATB_COMPASS
    max_early_bars: float | None = 1.0
    max_silent_bars: float | None = 1.0
    min_notes: int = 1
    is_on_grid: bool = True
    drops_empty_voices: bool = False
    min_duplicate_share: float | None = 0.75


CHORALE_RULES = CleaningRules()
GENERAL_RULES = CleaningRules(
    n_voices=(1, 16),
    compass=None,
    max_early_bars=None,
    max_silent_bars=None,
    min_notes=8,
    is_on_grid=False,
    drops_empty_voices=True,
)


def clean(works: Iterable[Work], rules: CleaningRules = CHORALE_RULES) -> list[Work]:
    """The works, in order of name, with a reason in each that must be dropped; a reason that is there already stays."""
    marked = [
        work if work.reason else replace(work, reason=drop_reason(work.score, rules))
        for work in works
    ]
    marked = [replace(work, split="") if work.reason else work for work in marked]
    marked.sort(key=lambda work: natural_sort_key(work.name))
    if rules.min_duplicate_share is None:
        return marked
    reasons = _duplicate_reasons(
        [work for work in marked if not work.reason], rules.min_duplicate_share
    )
    return [
        replace(work, reason=reasons[work.name], split="") if work.name in reasons else work
        for work in marked
    ]


def drop_reason(score: Score, rules: CleaningRules = CHORALE_RULES) -> str:
    """The first rule that the score breaks, in words; "" if it breaks none. Duplicates are not looked for."""
    return next(_drop_reasons(score, rules), "")


def _drop_reasons(score: Score, rules: CleaningRules) -> Iterator[str]:
    yield from _wrong_voices(score, rules.n_voices)
    if rules.is_on_grid and not score.time_signatures:
        yield "no meter"
    yield from _missing_notes(score, rules.max_early_bars)
    if score.n_notes < rules.min_notes:
        yield f"too short ({score.n_notes} notes)"
    yield from _interludes(score, rules.max_silent_bars)
    if rules.is_on_grid:
        yield from _off_grid(score)
    yield from _out_of_compass(score, rules.compass)


def _wrong_voices(score: Score, allowed: tuple[int, int] | None) -> Iterator[str]:
    n = len(score.voices)
    if allowed is None or allowed[0] <= n <= allowed[1]:
        return
    names = ", ".join(voice.name for voice in score.voices)
    if allowed[0] == allowed[1]:
        yield f"not {_NUMBER_WORDS.get(allowed[0], allowed[0])} voices ({n}: {names})"
    elif n:
        yield f"not {allowed[0]} to {allowed[1]} voices ({n})"


_NUMBER_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def _missing_notes(score: Score, max_bars: float | None) -> Iterator[str]:
    for voice in score.voices:
        if not voice.notes:
            yield f"incomplete (voice {voice.name} is empty)"
    if not score.n_notes:
        yield "incomplete (no notes)"
    if max_bars is None or not score.time_signatures:
        return
    bar_ticks = score.time_signatures[-1][1].bar_ticks
    for voice in score.voices:
        missing = (score.end_ticks - voice.end_ticks) / bar_ticks
        if missing > max_bars:
            yield f"incomplete ({voice.name} stops {_n_bars_text(missing)} early)"


def _interludes(score: Score, max_bars: float | None) -> Iterator[str]:
    if max_bars is None:
        return
    for start, end in silences(score):
        bar = next((bar for bar in score.bars(end) if start < bar.end_ticks), None)
        if bar and end - start > max_bars * bar.time_signature.bar_ticks:
            yield f"interludes (all voices rest for {_n_bars_text((end - start) / bar.time_signature.bar_ticks)} from bar {bar.number})"


def silences(score: Score) -> list[tuple[int, int]]:
    """(start, end) in ticks of every stretch before the end in which no voice sounds."""
    reached, found = 0, []
    for note in sorted(
        (note for voice in score.voices for note in voice.notes), key=lambda note: note.onset_ticks
    ):
        if note.onset_ticks > reached:
            found.append((reached, note.onset_ticks))
        reached = max(reached, note.end_ticks)
    return found


def _n_bars_text(n: float) -> str:
    return f"{n:.3g} bar{'s' * (n != 1)}"


def _off_grid(score: Score) -> Iterator[str]:
    grids = " or ".join(map(str, _GRIDS))
    for voice in score.voices:
        for note in voice.notes:
            for what, ticks in (("starts at", note.onset_ticks), ("lasts", note.duration_ticks)):
                if all(ticks % grid for grid in _GRIDS):
                    yield f"off the grid ({voice.name}: a note {what} {ticks} ticks, no multiple of {grids})"


def _out_of_compass(score: Score, compass: tuple[tuple[int, int], ...] | None) -> Iterator[str]:
    if compass is None or len(compass) != len(score.voices):
        return
    for voice, limits in zip(score.voices, compass, strict=True):
        reached = _pitch_out_of_range(voice, limits)
        if reached is not None:
            yield f"out of compass ({voice.name} reaches {spell(reached, score.key)})"


def _pitch_out_of_range(voice: Voice, limits: tuple[int, int]) -> int | None:
    low, high = voice.compass or limits
    return low if low < limits[0] else high if high > limits[1] else None


def _duplicate_reasons(works: list[Work], min_share: float) -> dict[str, str]:
    """Reason by name of each work that repeats another."""
    ordered = sorted(works, key=lambda work: preference_key(work.name, work.score.end_ticks))
    sketches = [sketch(work.score) for work in ordered]
    found = find_duplicates([outline(own) for own in sketches], pairs_among(sketches), min_share)
    return {
        ordered[number].name: duplicate_reason(match, ordered[match.original].name)
        for number, match in found.items()
    }


def preference_key(name: str, end_ticks: int) -> tuple[object, ...]:
    """Sorting key: of works that repeat each other the longest is kept, and of equally long ones the first by name."""
    return -end_ticks, natural_sort_key(name)


def duplicate_reason(match: Match, original: str) -> str:
    """The reason for which a work is dropped that repeats the work `original`."""
    moved = f" transposed by {match.semitones:+d}" if match.semitones else ""
    if match.is_exact:
        return f"duplicate of {original}{moved}"
    return f"near duplicate of {original}{moved} ({100 * match.share:.0f} % of its chords)"


def reason_kind(reason: str) -> str:
    """The reason without what is particular to the work.

    >>> reason_kind("near duplicate of bwv62.6 transposed by +2 (92 % of its chords)"), reason_kind("no meter")
    ('near duplicate', 'no meter')
    """
    return reason.split(" of ")[0].split(" (")[0]
