"""A score recast as another kind of piece, with what was done and what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seqmusic.corpus.works_table import WORKS_FILE, kept_styles, read_works
from seqmusic.errors import CorpusError, DeadEndError, RequestError
from seqmusic.formats.notebook import mime_bundle
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.generation.completion import Candidate
from seqmusic.generation.output import style_number
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.runs.pretrained import load_array_model, model_folder
from seqmusic.score import Score
from seqmusic.transformation.chorale import ChoraleSettings, check_chorale, compose_chorale
from seqmusic.transformation.detection import detector_check
from seqmusic.transformation.motet import compose_motet
from seqmusic.transformation.motet_checks import check_motet
from seqmusic.transformation.motet_description import motet_sentences
from seqmusic.transformation.motet_marks import motet_marks
from seqmusic.transformation.motet_plan import MotetPlan, MotetSettings
from seqmusic.transformation.planning import plan_motet
from seqmusic.transformation.tenor_checks import Check

TARGETS = ("motet", "chorale")
STYLES = ("trecento", "motet", "chorale")
"""Whose counterpoint the voices of a motet have."""
STYLE_MODELS = {"trecento": "styles", "motet": "styles", "chorale": "chorales"}
"""The included model that composes in each style."""
PERFECT_SHARE = 0.62
"""Perfect sonorities to aim at in the style of the trecento: with neither fourths nor dissonances,
it is as near to 55 % perfect and 31 % imperfect as can be."""

MAX_ROUNDS = 4
_SEEDS_PER_ROUND = 1_000_003


@dataclass(frozen=True, slots=True)
class Transformation:
    """A piece that was made from another.

    Attributes:
        score: the piece.
        sentences: what was done.
        checks: whether it is what it should be.
        marks: what is printed with it.
        candidate: of the engine, with its log-probability.
    """

    score: Score
    sentences: tuple[str, ...]
    checks: tuple[Check, ...]
    marks: ScoreMarks
    candidate: Candidate

    @property
    def n_failed(self) -> int:
        """How many checks failed."""
        return sum(check.passed is False for check in self.checks)

    @property
    def is_sound(self) -> bool:
        """Whether no check failed."""
        return self.n_failed == 0

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """The score with its marks as a notebook shows it, and which checks failed."""
        failed = [check.name for check in self.checks if check.passed is False]
        outcome = f"failed: {', '.join(failed)}" if failed else "all hold"
        caption = f"{len(self.checks)} checks; {outcome}"
        return mime_bundle(self.score, f"<Transformation {caption}>", caption, self.marks)


def transform(
    source: Score,
    target: str = "motet",
    settings: MotetSettings | ChoraleSettings | None = None,
    request: Request | None = None,
    *,
    style: str = "trecento",
    model: Path | None = None,
) -> list[Transformation]:
    """A piece recast as a motet or a chorale: candidates, those that pass all checks first.

    Args:
        source: any piece with a melody.
        target: "motet" or "chorale".
        settings: how, of the kind that belongs to the target.
        request: how many candidates, and how they are drawn.
        style: of a motet: trecento, motet (of the Renaissance) or chorale.
        model: the folder of a trained model, or the name of one that comes with seqmusic; by
            default the included one for the style, or that of chorales for a chorale.

    Raises:
        RequestError: the source, the settings and the model do not go together; nothing has been
            composed then.
        ValueError: there is no such target or style, or the settings belong to another target.
    """
    request = request or Request()
    if target == "motet" and isinstance(settings, MotetSettings | None):
        plan, folder = plan_motet(source, settings or MotetSettings()), style_folder(style, model)
        return transform_to_motet(load_array_model(folder), folder, plan, request, style)
    if target == "chorale" and isinstance(settings, ChoraleSettings | None):
        array_model = load_array_model(style_folder("chorale", model))
        return _chorale(array_model, source, settings or ChoraleSettings(), request)
    raise ValueError(f"a piece becomes one of {', '.join(TARGETS)}, got {target!r}, {settings!r}")


def style_folder(style: str, model: Path | None = None) -> Path:
    """The folder of a named model, or else of the included one that composes in a style.

    Raises:
        ValueError: there is no such style.
    """
    _require_style(style)
    return model_folder(model or Path(STYLE_MODELS[style]))


def _require_style(style: str) -> None:
    if style not in STYLES:
        raise ValueError(f"--style is one of {', '.join(STYLES)}, got {style!r}")


def transform_to_motet(
    model: DecodableModel, folder: Path, plan: MotetPlan, request: Request, style: str
) -> list[Transformation]:
    """Candidates of a planned motet, those that pass the most checks first.

    If none passes them all, or the form leads into a dead end, others are drawn, three times at
    most; the seeds follow from the first.

    Args:
        model: a trained model.
        folder: of the model.
        plan: of the motet.
        request: how candidates are drawn.
        style: whose counterpoint they have.

    Raises:
        RequestError: as for `compose_motet`.
        ValueError: there is no such style.
    """
    _require_style(style)
    number, remark = learned_style(style, folder)
    is_trecento = style == "trecento"
    if is_trecento:  # the style has 91 parallels in 1000 motions of two voices
        request = replace(request, lenience=1.0)
    share = PERFECT_SHARE if is_trecento else None
    sentences = (*motet_sentences(plan), remark)
    found: list[Transformation] = []
    for number_of_round in range(MAX_ROUNDS):
        drawn = replace(request, seed=request.seed + number_of_round * _SEEDS_PER_ROUND)
        try:
            candidates = compose_motet(model, plan, drawn, number, share)
        except DeadEndError:
            if not found and number_of_round == MAX_ROUNDS - 1:
                raise
            continue
        found += [_checked(plan, one, sentences, is_trecento) for one in candidates]
        if any(one.is_sound for one in found):
            break
    return sorted(found, key=lambda one: one.n_failed)[: request.n]


def _checked(
    plan: MotetPlan, candidate: Candidate, sentences: tuple[str, ...], is_trecento: bool
) -> Transformation:
    """A candidate of a motet with its checks and marks."""
    score = candidate.score
    checks = check_motet(plan, score, is_trecento=is_trecento)
    checks.append(detector_check(plan, score))
    return Transformation(score, sentences, tuple(checks), motet_marks(plan, score), candidate)


def learned_style(style: str, folder: Path) -> tuple[int | None, str]:
    """The number of a style in a model, and a sentence about it."""
    try:
        learned: Sequence[str] = kept_styles(read_works(folder / WORKS_FILE).values())
    except CorpusError:
        learned = ()
    if style in learned:
        number = style_number(style, folder)
        remark = f"The model composed in the style {style}, which it has learned"
        if style == "trecento":
            remark += "; preferences lead it to the sonorities of ten motets of that time"
        return number, f"{remark}."
    if style == "chorale":
        return None, "The counterpoint is that of Bach's chorales, from which the model learned."
    if style == "motet":
        raise RequestError(
            f"the model in {folder.name} has learned no style motet; take --style trecento, which "
            "masks and preferences make, or --style chorale, or --model styles, which knows it"
        )
    return None, (
        "The manner is that of the trecento; the model learned from Bach's chorales, and masks "
        "and preferences lead it to the sonorities of ten motets of that time."
    )


def _chorale(
    model: DecodableModel, source: Score, settings: ChoraleSettings, request: Request
) -> list[Transformation]:
    candidates, melody, sentences = compose_chorale(model, source, settings, request)
    return [
        Transformation(one.score, sentences, tuple(check_chorale(melody, one.score)), NO_MARKS, one)
        for one in candidates
    ]
