"""Phrase ends and cadences: cases worked out by hand."""

from dataclasses import replace

import pytest
from small_scores import score

from seqmusic.corpus.dataset import Dataset
from seqmusic.metrics.phrases import CADENCES, cadence_rate, cadences, phrase_ends
from seqmusic.metrics.rates import Rate
from seqmusic.score import Key, Note, Score, Voice

C_MAJOR, A_MINOR = Key(0, "major"), Key(0, "minor")
TONIC, IV, V, VI = (72, 67, 64, 48), (72, 69, 65, 53), (74, 71, 67, 55), (72, 69, 64, 57)
V7, V7_3, VII6 = (74, 71, 65, 55), (74, 67, 65, 59), (71, 65, 62, 50)
E_MAJOR, D_MINOR, D7 = (71, 68, 64, 52), (74, 69, 65, 50), (72, 69, 66, 50)
I64, I6 = (72, 67, 64, 55), (72, 67, 60, 52)


def chords(*columns: tuple[int, ...], key: Key = C_MAJOR) -> Score:
    return score(*zip(*columns, strict=True), key=key)


def with_fermata(piece: Score, index: int) -> Score:
    """The piece with a fermata over one note of its highest voice."""
    first, *others = piece.voices
    notes = list(first.notes)
    notes[index] = replace(notes[index], fermata=True)
    return replace(piece, voices=(replace(first, notes=tuple(notes)), *others))


@pytest.mark.parametrize(
    ("columns", "key", "kind"),
    [
        ((IV, V, TONIC), C_MAJOR, "authentic"),
        ((IV, V7, TONIC), C_MAJOR, "authentic"),
        ((IV, V7_3, TONIC), C_MAJOR, "authentic"),  # imperfect: the leading tone in the bass
        ((IV, VII6, TONIC), C_MAJOR, "authentic"),
        ((D_MINOR, E_MAJOR, VI), A_MINOR, "authentic"),
        ((IV, D7, V), C_MAJOR, "authentic"),  # in the key of the dominant
        ((IV, TONIC, V), C_MAJOR, "half"),
        ((I6, D_MINOR, E_MAJOR), A_MINOR, "half"),
        ((TONIC, D_MINOR, E_MAJOR), C_MAJOR, "half"),  # on the dominant of the relative minor
        ((VI, IV, TONIC), C_MAJOR, "plagal"),
        ((IV, V, VI), C_MAJOR, "deceptive"),
        ((IV, V7, I6), C_MAJOR, "other"),  # no rest: the third is in the bass
        ((D_MINOR, VI, IV), C_MAJOR, "other"),
    ],
)
def test_cadences_by_hand(columns: tuple[tuple[int, ...], ...], key: Key, kind: str) -> None:
    piece = chords(*columns, key=key)
    assert cadences(piece) == [kind]
    assert cadences(piece.transposed(3)) == [kind]
    assert [cadence_rate(piece, each).hits for each in CADENCES].count(1) == 1


def test_each_fermata_ends_a_phrase_and_so_does_the_piece() -> None:
    piece = chords(IV, TONIC, V, TONIC, IV, V, TONIC)
    assert cadences(piece) == ["authentic"]
    assert cadences(with_fermata(piece, 2)) == ["half", "authentic"]
    assert cadences(with_fermata(piece, 6)) == ["authentic"]  # over the last chord: one end
    assert cadence_rate(with_fermata(piece, 2), "half") == Rate(1, 2)


def test_fermatas_are_looked_for_in_the_highest_voice_that_has_some() -> None:
    lower = Voice("Bass", (Note(0, 24, 48, fermata=True), Note(24, 48, 50)))
    upper = Voice("Soprano", (Note(0, 48, 60), Note(48, 24, 62)))
    assert [note.onset_ticks for note in phrase_ends(Score((upper, lower)))] == [0, 24]
    assert [note.onset_ticks for note in phrase_ends(Score((upper,)))] == [48]
    assert phrase_ends(Score((Voice("Soprano", ()),))) == []


def test_a_suspension_may_resolve_in_the_last_chord() -> None:
    """4-3 over the tonic: F falls to E an eighth after the others have arrived."""
    piece = chords(IV, V7, TONIC)
    *upper, tenor, bass = piece.voices
    suspended = (*tenor.notes[:2], Note(48, 12, 65), Note(60, 12, 64))
    piece = replace(piece, voices=(*upper, replace(tenor, notes=suspended), bass))
    assert cadences(piece) == ["authentic"]


def test_fewer_than_three_voices_have_no_cadence() -> None:
    assert cadences(score((71, 72), (55, 48), key=C_MAJOR)) == []
    assert cadences(Score(())) == []


def test_two_thirds_of_the_phrases_of_bach_end_authentically(chorales: Dataset) -> None:
    works = [work.score for work in chorales.works_in("test")]
    found = [kind for work in works for kind in cadences(work)]
    assert 5 < len(found) / len(works) < 8
    assert 0.65 < found.count("authentic") / len(found) < 0.78
    assert found.count("other") / len(found) < 0.15
