"""Motets from the plan to the checks, composed by the included model."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from seqmusic.errors import DeadEndError, RequestError
from seqmusic.formats.theme import parse_theme
from seqmusic.generation.request import Request
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Note, Score, Voice
from seqmusic.transformation.hocket import hocket_spans
from seqmusic.transformation.motet_checks import check_motet
from seqmusic.transformation.motet_plan import MotetPlan, MotetSettings
from seqmusic.transformation.planning import most_color_notes, plan_motet
from seqmusic.transformation.taleae import TALEAE
from seqmusic.transformation.transform import (
    MAX_ROUNDS,
    Transformation,
    style_folder,
    transform,
    transform_to_motet,
)

TUNE = parse_theme("D4 E4 F4 G4 A4 G4 F4 E4 F4 D4 E4 D4")
FOLDER = style_folder("trecento")


@cache
def model() -> ArrayModel:
    return load_array_model(FOLDER, compiled=False)


@cache
def motet(settings: MotetSettings, n: int = 1) -> tuple[MotetPlan, list[Transformation]]:
    plan = plan_motet(TUNE, settings)
    return plan, transform_to_motet(model(), FOLDER, plan, Request(n=n), "trecento")


def failed(plan: MotetPlan, score: Score) -> set[str]:
    return {check.name for check in check_motet(plan, score) if check.passed is False}


@pytest.mark.parametrize(
    "settings",
    [
        MotetSettings(),
        MotetSettings(voices=3, introitus=2),
        MotetSettings(hocket=True),
        MotetSettings(iso="all", sections="1,1/2"),
        MotetSettings(talea="2 1", sections="9,6,4", notes=7, voices=3),
    ],
    ids=["default", "three voices", "hocket", "panisorhythm", "unaligned"],
)
def test_a_motet_passes_all_checks(settings: MotetSettings) -> None:
    _, found = motet(settings)
    assert [check.text for check in found[0].checks if check.passed is False] == []
    assert found[0].is_sound


def test_tenor_and_contratenor_are_the_same_in_all_candidates() -> None:
    plan, found = motet(MotetSettings(), n=2)
    assert len({one.score.voices[0] for one in found}) == 2
    assert {one.score.voices[2:] for one in found} == {found[0].score.voices[2:]}
    assert found[0].score.voices[-1].notes == plan.layout.notes


def test_the_same_seed_gives_the_same_motet() -> None:
    again = transform(TUNE, "motet", MotetSettings(), Request(n=1))
    assert again[0].score == motet(MotetSettings())[1][0].score


def test_the_detector_finds_what_was_built() -> None:
    _, found = motet(MotetSettings())
    (check,) = (check for check in found[0].checks if check.name == "detector")
    assert check.passed
    assert "3 colores of 12 notes and 9 taleae" in check.text


def with_voice(score: Score, name: str, notes: tuple[Note, ...]) -> Score:
    voices = (Voice(name, notes) if voice.name == name else voice for voice in score.voices)
    return replace(score, voices=tuple(voices))


def changed(score: Score, name: str, index: int, **fields: int) -> Score:
    notes = list(next(voice for voice in score.voices if voice.name == name).notes)
    notes[index] = replace(notes[index], **fields)
    return with_voice(score, name, tuple(notes))


def test_each_check_sees_a_fault_of_its_kind() -> None:
    plan, found = motet(MotetSettings())
    score = found[0].score
    tenor, triplum = score.voices[-1].notes, score.voices[0].notes
    assert failed(plan, score) == set()
    assert "color" in failed(plan, changed(score, "Tenor", 13, pitch=tenor[13].pitch + 1))
    assert "tune" in failed(plan, changed(score, "Tenor", 0, pitch=tenor[0].pitch + 1))
    shorter = changed(score, "Tenor", 5, duration_ticks=tenor[5].duration_ticks - 12)
    assert {"taleae", "proportions"} <= failed(plan, shorter)
    assert "speed" in failed(plan, with_voice(score, "Triplum", triplum[-20:]))
    assert "final" in failed(plan, changed(score, "Triplum", -1, pitch=triplum[-1].pitch - 1))
    assert "cadences" in failed(plan, changed(score, "Triplum", -2, pitch=triplum[-2].pitch - 3))
    assert "compass" in failed(plan, changed(score, "Triplum", 4, pitch=90))
    contratenor = score.voices[2].notes
    assert "contratenor" in failed(plan, with_voice(score, "Contratenor", contratenor[1:]))


def test_parallels_with_the_tenor_and_joints_are_seen() -> None:
    plan, found = motet(MotetSettings())
    tenor = found[0].score.voices[-1].notes
    fifths = tuple(replace(note, pitch=note.pitch + 7) for note in tenor)
    assert "parallels" in failed(plan, with_voice(found[0].score, "Triplum", fifths))
    thirds = tuple(replace(note, pitch=note.pitch + 4) for note in tenor)
    assert "joints" in failed(plan, with_voice(found[0].score, "Triplum", thirds))


def test_hocket_and_panisorhythm_are_checked_where_they_are_claimed() -> None:
    plan, found = motet(MotetSettings(hocket=True))
    start, end, value = next(hocket_spans(plan))
    assert (end - start) % (2 * value) == 0
    plain = motet(MotetSettings())[1][0].score
    assert "hocket" in failed(plan, plain)
    plan, found = motet(MotetSettings(iso="all", sections="1,1/2"))
    assert "panisorhythm" not in failed(plan, found[0].score)
    notes = found[0].score.voices[0].notes
    cut = with_voice(found[0].score, "Triplum", (*notes[:-8], *notes[-7:]))
    assert "panisorhythm" in failed(plan, cut)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"voices": 6}, "3 or 4 voices, got 6; the nearest is 4"),
        ({"voices": 2}, "3 or 4 voices, got 2; the nearest is 3"),
        ({"iso": "upper"}, "iso must be tenor or all"),
        ({"introitus": 33}, "an introitus has 0..32 bars"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MotetSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (MotetSettings(talea="1 2/7 3"), "leaves the grid"),
        (MotetSettings(talea="28 28", notes=12), "longer than the model can follow"),
        (MotetSettings(notes=40), r"--notes must be in 4\.\.12"),
        (MotetSettings(iso="all", sections="1,1/9"), "--sections 1,1/2 fits"),
    ],
)
def test_what_does_not_go_together_is_refused(settings: MotetSettings, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        plan_motet(TUNE, settings)


def test_a_color_has_no_more_notes_than_the_model_can_follow() -> None:
    talea = TALEAE["o-canenda"]
    assert most_color_notes(talea, talea.sections, "all") == 24


def test_other_targets_and_styles_are_refused() -> None:
    with pytest.raises(ValueError, match="one of motet, chorale, got 'opera'"):
        transform(TUNE, "opera")
    with pytest.raises(ValueError, match="--style is one of trecento, motet, chorale"):
        transform(TUNE, "motet", style="baroque")
    with pytest.raises(RequestError, match="has learned no style motet; take --style trecento"):
        transform(TUNE, "motet", style="motet", model=Path("chorales"))


def test_each_style_is_composed_by_the_included_model_that_has_learned_it() -> None:
    folders = {style: style_folder(style).name for style in ("trecento", "motet", "chorale")}
    assert folders == {"trecento": "styles", "motet": "styles", "chorale": "chorales"}
    assert style_folder("motet", Path("chorales")).name == "chorales"
    (one,) = transform(TUNE, "motet", MotetSettings(voices=3), Request(n=1), style="motet")
    assert "in the style motet, which it has learned." in one.sentences[-1]
    assert one.is_sound


def test_a_dead_end_is_left_by_another_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    seeds = []

    def compose(*arguments: object) -> list[object]:
        seeds.append(arguments[2].seed)  # type: ignore[attr-defined]
        raise DeadEndError("no solution was found")

    monkeypatch.setattr(sys.modules[transform.__module__], "compose_motet", compose)
    with pytest.raises(DeadEndError, match="no solution"):
        transform(TUNE, "motet", MotetSettings(), Request(n=1))
    assert len(set(seeds)) == MAX_ROUNDS


def test_more_voices_than_the_model_knows_are_refused() -> None:
    from seqmusic.runs.pretrained import make_vocabulary
    from seqmusic.transformation.motet import compose_motet

    two = replace(make_vocabulary(4, has_numbered_voices=True), max_voices=2)
    small = replace(model(), vocabulary=two)
    with pytest.raises(RequestError, match="has learned 2 voices, and the motet has 4"):
        compose_motet(small, plan_motet(TUNE, MotetSettings()), Request(n=1))


def test_a_folder_without_works_has_learned_no_style(tmp_path: Path) -> None:
    from seqmusic.transformation.transform import learned_style

    number, sentence = learned_style("trecento", tmp_path)
    assert number is None
    assert "masks and preferences" in sentence
