"""The longest copied passage: planted ones are found, and a search finds no longer one."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.corpus.dataset import Dataset
from seqmusic.metrics.originality import CopiedPassage, CopyIndex
from seqmusic.score import SATB, Note, Score, TimeSignature, Voice, melody


def tune(*events: tuple[int | None, int], start: int = 0) -> tuple[Note, ...]:
    """Notes from (pitch, ticks); None is a rest."""
    onsets = itertools.accumulate((ticks for _, ticks in events), initial=start)
    return tuple(
        Note(onset, ticks, pitch)
        for onset, (pitch, ticks) in zip(onsets, events, strict=False)
        if pitch is not None
    )


@st.composite
def random_scores(draw: st.DrawFn, n_voices: int) -> Score:
    """A few notes of few pitches and durations, with rests, so that many passages are shared."""
    events = st.lists(
        st.tuples(st.sampled_from([None, 60, 62, 64]), st.sampled_from([6, 8, 12])), max_size=9
    )
    return Score(tuple(Voice(f"Voice {number}", tune(*draw(events))) for number in range(n_voices)))


def voice_states(score: Score) -> list[list[tuple[int, bool] | None]]:
    """Of each tick, of each voice: the pitch and whether it begins there."""
    ticks: list[list[tuple[int, bool] | None]] = [
        [None] * len(score.voices) for _ in range(score.end_ticks)
    ]
    for index, voice in enumerate(score.voices):
        for note in voice.notes:
            for tick in range(note.onset_ticks, note.end_ticks):
                ticks[tick][index] = (note.pitch, tick == note.onset_ticks)
    return ticks


def boundary_ticks(score: Score) -> set[int]:
    """Where a note of any voice begins or ends, the end of the score left out."""
    ticks = {
        tick
        for voice in score.voices
        for note in voice.notes
        for tick in (note.onset_ticks, note.end_ticks)
    }
    return ticks - {score.end_ticks}


def longest_copy_by_search(score: Score, work: Score, *, from_rests: bool) -> int:
    """The most notes in a shared passage of two chords or more, from every pair of beginnings."""
    states, work_states = voice_states(score), voice_states(work)
    cuts, best = boundary_ticks(score), 0
    for a, b in itertools.product(cuts, boundary_ticks(work)):
        if not any(states[a]) and not from_rests:
            continue
        shifts: set[int] = set()
        n_notes, n_cuts = 0, -1
        pairs = zip(states[a:], work_states[b:], strict=False)
        for i, (chord, other) in enumerate(pairs):
            if [x and x[1] for x in chord] != [x and x[1] for x in other]:
                break
            shifts |= {x[0] - y[0] for x, y in zip(chord, other, strict=True) if x and y}
            if len(shifts) > 1:
                break
            n_notes += sum(bool(x and x[1]) for x in chord)
            n_cuts += a + i in cuts
            if n_cuts:
                best = max(best, n_notes)
    return best


@given(
    st.integers(1, 2).flatmap(
        lambda n: st.tuples(random_scores(n), random_scores(n), random_scores(n))
    ),
    st.integers(-12, 12),
)
def test_a_search_finds_no_longer_passage(scores: tuple[Score, ...], semitones: int) -> None:
    score, *works = scores
    found = CopyIndex([work.transposed(semitones) for work in works]).longest(score)
    n_notes = found.n_notes if found else 0
    assert n_notes >= max(longest_copy_by_search(score, work, from_rests=False) for work in works)
    assert n_notes <= max(longest_copy_by_search(score, work, from_rests=True) for work in works)


def test_a_planted_passage_is_found(chorales: Dataset) -> None:
    works = [work.score for work in chorales.works_in("train")]
    source, host = works[17], chorales.works_in("test")[3].score
    passage = source.sliced(192, 576).transposed(-3)  # from a bar line: 16 quarters
    voices = []
    for voice, planted in zip(host.voices, passage.voices, strict=True):
        moved = (replace(n, onset_ticks=n.onset_ticks + host.end_ticks) for n in planted.notes)
        voices.append(replace(voice, notes=(*voice.notes, *moved)))
    index = CopyIndex(works)
    before, found = index.longest(host), index.longest(replace(host, voices=tuple(voices)))
    assert before is not None
    assert found is not None
    assert before.duration_ticks < 192
    assert (found.work, found.title, found.semitones) == (17, source.title, -3)
    assert found.n_notes >= 0.9 * passage.n_notes
    assert found.work_onset_ticks - 192 == found.onset_ticks - host.end_ticks
    assert abs(found.duration_ticks - 384) <= 48


def test_a_work_is_copied_from_itself(chorales: Dataset) -> None:
    works = [work.score for work in chorales.works_in("train")[:40]]
    index = CopyIndex(works)
    for number in (0, 11, 39):
        work = works[number]
        found = index.longest(work.transposed(2))
        assert found is not None
        assert (found.work, found.semitones, found.n_notes) == (number, 2, work.n_notes)
        assert (found.onset_ticks, found.duration_ticks) == (0, work.end_ticks)
        assert found.bars == found.work_bars == (work.bars()[0].number, work.bars()[-1].number)


def test_bars_are_counted_as_printed() -> None:
    line = tune(*((pitch, 24) for pitch in (60, 62, 64, 65, 67, 69, 71, 72)))
    work = melody(
        line, time_signatures=((0, TimeSignature(3, 4)),), pickup_ticks=24, title="a waltz"
    )
    score = melody(tune((80, 48), *((note.pitch + 1, 24) for note in line[2:6])))
    assert CopyIndex([work]).longest(score) == CopiedPassage(
        work=0,
        title="a waltz",
        onset_ticks=48,
        work_onset_ticks=48,
        duration_ticks=96,
        n_notes=4,
        semitones=1,
        bars=(1, 2),
        work_bars=(1, 2),
    )
    found = CopyIndex([replace(work, pickup_ticks=0)]).longest(replace(score, time_signatures=()))
    assert found is not None
    assert (found.bars, found.work_bars) == (None, (1, 2))


@pytest.mark.parametrize(
    ("events", "n_notes", "n_ticks"),
    [
        ([(60, 24), (62, 12), (64, 12), (65, 24)], 4, 72),
        ([(60, 24), (62, 12), (64, 12), (65, 48)], 4, 72),  # the last note is lengthened
        ([(60, 24), (62, 12), (64, 12), (65, 6)], 4, 54),  # the last note is cut
        ([(60, 24), (62, 12), (64, 6), (65, 24)], 3, 42),  # a rhythm is changed
        ([(60, 24), (62, 12), (None, 12), (65, 24)], 2, 36),  # a rest for a note
        ([(60, 24), (62, 12), (63, 12), (65, 24)], 2, 36),  # another pitch
        ([(60, 24), (62, 12), (64, 12), (66, 24)], 3, 48),
    ],
)
def test_copies_are_exact_to_the_tick_and_the_semitone(
    events: list[tuple[int | None, int]], n_notes: int, n_ticks: int
) -> None:
    found = CopyIndex([melody(tune((60, 24), (62, 12), (64, 12), (65, 24)))]).longest(
        melody(tune(*events))
    )
    assert found is not None
    assert (found.n_notes, found.duration_ticks) == (n_notes, n_ticks)


def test_voices_are_compared_with_those_of_the_same_name(chorales: Dataset) -> None:
    work = chorales.works_in("train")[5].score
    index = CopyIndex([work])
    for position, voice in enumerate(work.voices):
        alone = index.longest(replace(work, voices=(voice,)))
        assert alone is not None
        assert alone.n_notes == len(voice.notes), position
    bass = Voice("Soprano", work.voices[3].notes)
    bass_copy = index.longest(replace(work, voices=(bass,)))
    assert bass_copy is not None
    assert bass_copy.n_notes < len(bass.notes) / 2
    unnamed = tuple(
        replace(voice, name=f"Voice {number}") for number, voice in enumerate(work.voices)
    )
    unnamed_copy = index.longest(replace(work, voices=unnamed))
    assert unnamed_copy is not None
    assert unnamed_copy.n_notes == work.n_notes
    assert index.longest(replace(work, voices=unnamed[:3])) is None


def test_all_voices_must_agree() -> None:
    upper, lower, other = (
        tune(*((pitch, 24) for pitch in line))
        for line in ((72, 74, 76, 77), (60, 59, 57, 55), (60, 55, 64, 52))
    )
    work, half = (Score((Voice(SATB[0], upper), Voice(SATB[3], bass))) for bass in (lower, other))
    assert CopyIndex([work]).longest(half) is None


def test_scores_of_no_or_one_note_share_nothing() -> None:
    index = CopyIndex([melody(tune((60, 24), (62, 24))), Score(()), melody(())])
    assert index.longest(melody(())) is None
    assert index.longest(Score(())) is None
    assert index.longest(melody(tune((60, 24)))) is None
    assert CopyIndex([]).longest(melody(tune((60, 24), (62, 24)))) is None


def test_held_out_chorales_copy_little(chorales: Dataset) -> None:
    """Half of them share three quarter notes or less with a training work, none two bars."""
    index = CopyIndex([work.score for work in chorales.works_in("train")])
    copies = [index.longest(work.score) for work in chorales.works_in("test")]
    beats = sorted(copy.beats for copy in copies if copy)
    assert len(beats) == len(copies)
    assert 2 <= beats[len(beats) // 2] <= 4
    assert beats[-1] < 8
