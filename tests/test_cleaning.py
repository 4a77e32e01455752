"""Cleaning, duplicates and tune families, on small works made for the tests and on the corpus."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.selection.cleaning import (
    CHORALE_RULES,
    CleaningRules,
    drop_reason,
    reason_kind,
    silences,
)
from seqmusic.corpus.selection.preparation import prepare
from seqmusic.corpus.similarity.digests import Sketch, incipit, signature, sketch, tune_ngrams
from seqmusic.corpus.similarity.duplicates import MIN_DUPLICATE_SHARE, find_duplicates, outline
from seqmusic.corpus.similarity.families import shared_tune_share, similar_pairs
from seqmusic.corpus.similarity.pairs import Pairs, digest_table, shared_pairs
from seqmusic.score import SATB, Note, Score, TimeSignature, Voice, melody

CENTER_PITCHES = (67, 60, 55, 45)


def four_voices(seed: int, n_quarters: int = 32, **settings: object) -> Score:
    """Random quarters inside the compass of each voice."""
    draw = random.Random(seed)
    return Score(
        tuple(
            quarters(name, [center + draw.randint(-4, 4) for _ in range(n_quarters)])
            for name, center in zip(SATB, CENTER_PITCHES, strict=True)
        ),
        **settings,
    )  # type: ignore[arg-type]


def quarters(name: str, pitches: list[int]) -> Voice:
    return Voice(name, tuple(Note(24 * i, 24, pitch) for i, pitch in enumerate(pitches)))


def with_notes(score: Score, voice: int, notes: tuple[Note, ...]) -> Score:
    return replace(
        score,
        voices=tuple(
            replace(v, notes=notes) if i == voice else v for i, v in enumerate(score.voices)
        ),
    )


def with_delay(score: Score, from_ticks: int, by_ticks: int) -> Score:
    """The score with everything from a tick on played later."""

    def delayed(note: Note) -> Note:
        late = note.onset_ticks >= from_ticks
        return replace(note, onset_ticks=note.onset_ticks + (by_ticks if late else 0))

    voices = (replace(voice, notes=tuple(map(delayed, voice.notes))) for voice in score.voices)
    return replace(score, voices=tuple(voices))


def clean(works: Sequence[Work], rules: CleaningRules = CHORALE_RULES) -> list[Work]:
    return list(prepare(works, rules=rules).works)


def tune_families(scores: Sequence[Score]) -> list[int]:
    """The family of each score, with no rule to drop one."""
    works = [Work(f"{number}", score) for number, score in enumerate(scores)]
    return [work.family for work in clean(works, NO_RULES)]


def pairs_among(sketches: Sequence[Sketch]) -> Pairs:
    shingles = [piece.shingles for piece in sketches]
    table = digest_table([of.digests for of in shingles], [of.lowest for of in shingles])
    return shared_pairs(lambda: [table], len(table.work), len(sketches))


NO_RULES = CleaningRules(
    n_voices=None,
    compass=None,
    max_early_bars=None,
    max_silent_bars=None,
    is_on_grid=False,
    min_duplicate_share=None,
)
CLEAN_SCORE = four_voices(0)


def with_first(voice: int, *notes: Note) -> Score:
    """The clean score with other notes in place of the first quarters of a voice."""
    n_quarters = max(1, notes[-1].end_ticks // 24)
    return with_notes(CLEAN_SCORE, voice, (*notes, *CLEAN_SCORE.voices[voice].notes[n_quarters:]))


def without_last(voice: int, n: int) -> Score:
    return with_notes(CLEAN_SCORE, voice, CLEAN_SCORE.voices[voice].notes[:-n])


@pytest.mark.parametrize(("score", "reason"), [
    (CLEAN_SCORE, ""),
    (replace(CLEAN_SCORE, voices=CLEAN_SCORE.voices[:3]),
     "not four voices (3: Soprano, Alto, Tenor)"),
    (replace(CLEAN_SCORE, time_signatures=()), "no meter"),
    (with_notes(CLEAN_SCORE, 2, ()), "incomplete (voice Tenor is empty)"),
    (without_last(3, 4), ""),  # one bar of 4/4 less is allowed
    (without_last(3, 5), "incomplete (Bass stops 1.25 bars early)"),
    (with_first(1, Note(5, 24, 60), Note(29, 19, 60)),
     "off the grid (Alto: a note starts at 5 ticks, no multiple of 3 or 4)"),
    (with_first(1, Note(0, 7, 60)),
     "off the grid (Alto: a note lasts 7 ticks, no multiple of 3 or 4)"),
    (with_first(1, Note(0, 8, 60), Note(8, 8, 60), Note(16, 8, 60)), ""),  # a triplet
    (with_first(1, Note(0, 24, 77)), "out of compass (Alto reaches F5)"),
    (with_first(3, Note(0, 24, 35)), "out of compass (Bass reaches B1)"),
    (with_delay(CLEAN_SCORE, 96, 96), ""),  # one bar of silence is allowed
    (with_delay(CLEAN_SCORE, 96, 144), "interludes (all voices rest for 1.5 bars from bar 2)"),
    (with_delay(replace(CLEAN_SCORE, pickup_ticks=24), 0, 144),
     "interludes (all voices rest for 1.5 bars from bar 0)"),
])  # fmt: skip
def test_the_reason_names_the_rule_that_is_broken(score: Score, reason: str) -> None:
    assert drop_reason(score) == reason


def test_rules_that_are_off_drop_nothing() -> None:
    rules = replace(NO_RULES, is_on_grid=True)
    short_bass = with_notes(with_delay(four_voices(1), 96, 960), 3, (Note(0, 24, 20),))
    cleaned = clean([Work("a", short_bass), Work("b", short_bass)], rules)
    assert [work.reason for work in cleaned] == ["", ""]
    assert drop_reason(melody([Note(0, 24, 100)]), rules) == ""


def test_a_work_dropped_before_keeps_its_reason_and_makes_no_other_a_duplicate() -> None:
    cleaned = clean([Work("a", CLEAN_SCORE, reason="unreadable (late)"), Work("b", CLEAN_SCORE)])
    assert [work.reason for work in cleaned] == ["unreadable (late)", ""]


@pytest.mark.parametrize("semitones", [-5, 0, 3])
def test_an_exact_duplicate_is_found_in_every_key(semitones: int) -> None:
    cleaned = clean(
        [Work("bwv10", CLEAN_SCORE.transposed(semitones)), Work("bwv9", CLEAN_SCORE)],
        replace(CHORALE_RULES, compass=None),
    )
    transposition = f" transposed by {semitones:+d}" if semitones else ""
    assert [(work.name, work.reason) for work in cleaned] == [
        ("bwv9", ""),
        ("bwv10", f"duplicate of bwv9{transposition}"),
    ]


def test_a_near_duplicate_is_dropped_and_the_longer_work_kept() -> None:
    long = four_voices(5, 40)
    changed = long.sliced(0, 30 * 24).transposed(2)
    # One of 25 shingles differs.
    changed = with_notes(changed, 0, (Note(0, 24, 60), *changed.voices[0].notes[1:]))
    cleaned = clean([Work("a", changed), Work("b", long)])
    assert cleaned[0].reason == "near duplicate of b transposed by +2 (96 % of its chords)"
    assert cleaned[1].reason == ""


def test_of_three_that_are_alike_one_is_kept_whatever_their_order() -> None:
    works = [
        Work(name, CLEAN_SCORE.transposed(move)) for name, move in (("c", 1), ("a", 2), ("b", 0))
    ]
    for seed in range(6):
        shuffled = random.Random(seed).sample(works, 3)
        kinds = {work.name: reason_kind(work.reason) for work in clean(shuffled)}
        assert kinds == {"a": "", "b": "duplicate", "c": "duplicate"}


def test_a_rhythm_makes_another_signature_and_so_does_another_voice() -> None:
    a = melody([Note(0, 24, 60), Note(24, 24, 64)])
    assert signature(a) == signature(a.transposed(7))
    assert signature(a) != signature(melody([Note(0, 12, 60), Note(24, 24, 64)]))
    assert signature(a) != signature(melody([Note(0, 24, 60), Note(24, 24, 65)]))
    assert signature(a) != signature(replace(a, voices=(*a.voices, Voice("Alto", ()))))


def test_different_works_are_no_duplicates() -> None:
    scores = four_voices(1), four_voices(2), four_voices(1).transposed(1)
    sketches = [sketch(score) for score in scores]
    pairs = pairs_among(sketches)
    assert [column.tolist() for column in (pairs.earlier, pairs.later, pairs.semitones)] == [
        [0],
        [2],
        [1],
    ]
    n_shingles = [len(piece.shingles.digests) for piece in sketches]
    assert similar_pairs(pairs, n_shingles).tolist() == [[0, 2]]


def test_works_that_share_a_tune_in_any_key_are_of_one_family_with_their_relatives() -> None:
    tune = [60, 62, 64, 65, 67, 69, 71, 72, 70, 68, 66, 64, 63, 61, 60, 62]
    other = [60, 64, 67, 66, 70, 61, 65, 68, 71, 62, 69, 63, 60, 67, 65, 66]
    first = melody(quarters("", tune).notes)
    # The whole tune after another beginning, and a tune that begins in the same way.
    later = melody(quarters("", [*other, *(pitch + 3 for pitch in tune)]).notes)
    again = melody(quarters("", [pitch - 2 for pitch in [*other[:10], 48, 50]]).notes)
    alone = melody(quarters("", [72, 60, 71, 61, 70, 62, 69, 63, 68, 64, 67, 65]).notes)
    assert tune_families([alone, first, later, again]) == [0, 1, 1, 1]
    assert tune_families([first, alone, again]) == [0, 1, 2]


def test_a_stretch_of_twelve_notes_makes_relatives_whatever_the_bass() -> None:
    draw = random.Random(2)
    tune = [draw.randint(60, 76) for _ in range(12)]
    first = with_random_bass([70, 71, *tune], draw)
    second = with_random_bass([64, 61, *(pitch + 2 for pitch in tune)], draw)
    assert tune_families([first, second]) == [0, 0]
    assert tune_families([first, with_random_bass([64, 61, *tune[:11], 80], draw)]) == [0, 1]


def test_passing_notes_do_not_hide_a_tune_whatever_the_bass() -> None:
    draw = random.Random(3)
    tune = [draw.randint(60, 76) for _ in range(20)]
    eighths = [note for pitch in (64, 61, *tune) for note in (pitch, pitch + draw.choice((-1, 1)))]
    soprano = tuple(Note(12 * i, 12, pitch) for i, pitch in enumerate(eighths))
    bass = with_random_bass(tune, draw).voices[1]
    ornamented = Score((Voice("Soprano", soprano), bass))
    assert tune_families([with_random_bass([70, 71, *tune], draw), ornamented]) == [0, 0]


def with_random_bass(pitches: list[int], draw: random.Random) -> Score:
    """A tune in quarters over a random bass, so that no chords are shared."""
    return Score(
        (quarters("Soprano", pitches), quarters("Bass", [draw.randint(36, 55) for _ in pitches]))
    )


def test_incipit_leaves_repeated_notes_out_and_stretches_ignore_the_key() -> None:
    score = melody(quarters("", [60, 60, 62, 62, 59, 67]).notes)
    assert incipit(score) == (2, -3, 8)
    assert tune_ngrams(score, 5).tolist() == tune_ngrams(score.transposed(5), 5).tolist()
    assert len(set(tune_ngrams(score, 5).tolist())) == 2
    assert list(tune_ngrams(score, 7)) == []
    assert incipit(Score(())) == ()


def test_the_leak_counts_works_that_share_sixteen_notes() -> None:
    draw = random.Random(8)
    pitches = [draw.randint(60, 80) for _ in range(16)]
    tune = melody(quarters("", pitches).notes)
    almost = melody(quarters("", [*pitches[:15], pitches[15] + 1]).notes)
    assert shared_tune_share([tune.transposed(3), almost], [tune]) == 0.5
    assert shared_tune_share([], [tune]) == 0.0


def test_a_voice_that_holds_a_note_breaks_the_silence() -> None:
    soprano = Voice("Soprano", (Note(24, 12, 70), Note(240, 24, 70)))
    held = Score((soprano, Voice("Bass", (Note(12, 200, 50),))))
    assert silences(held) == [(0, 12), (212, 240)]


def test_the_rules_count_bars_by_their_time_signature() -> None:
    three = replace(CLEAN_SCORE, time_signatures=((0, TimeSignature(3, 4)),))
    reason = "interludes (all voices rest for 1.33 bars from bar 2)"
    assert drop_reason(with_delay(three, 72, 96)) == reason


# The whole corpus. Counts are bounds, as versions of music21 differ by a few files.


def test_the_chorales_lose_what_a_person_would_drop(chorales: Dataset) -> None:
    reasons = {work.name: work.reason for work in chorales.dropped_works}
    kinds = Counter(map(reason_kind, reasons.values()))
    assert reasons["bwv190.7-inst"] == "duplicate of bwv190.7"
    assert reasons["bwv244.15"].startswith("near duplicate of bwv244.17 transposed by -1")
    assert reasons["bwv277.krn"].startswith("near duplicate of bwv277 ")
    assert reasons["bwv227.3"].startswith("not four voices (5: Soprano 1, Soprano 2")
    assert reasons["bwv846"].startswith("not four voices (")
    assert 380 <= len(chorales.kept_works) <= 400
    assert kinds["duplicate"] + kinds["near duplicate"] >= 15
    rare = {"interludes", "not four voices", "unreadable"}
    assert set(kinds) <= {"duplicate", "near duplicate"} | rare


def test_kept_works_are_clean_and_repeat_no_other(chorales: Dataset) -> None:
    assert all(drop_reason(work.score) == "" for work in chorales.kept_works)
    sketches = [sketch(work.score) for work in chorales.kept_works]
    outlines = [outline(piece) for piece in sketches]
    assert find_duplicates(outlines, pairs_among(sketches), MIN_DUPLICATE_SHARE) == {}
