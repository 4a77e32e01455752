"""What a model is asked for: to continue, to harmonize, to compose anew in the middle. Three prompts, one engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from seqmusic.generation.completion import Candidate, OnNote, complete, stream_notes
from seqmusic.generation.feasibility import constraints_of
from seqmusic.generation.partial_candidate import Rule
from seqmusic.generation.prediction import log_likelihoods
from seqmusic.generation.prompts import (
    Prompt,
    continuation_prompt,
    fitting_shift,
    harmonization_prompt,
    regeneration_prompt,
    with_random_holes,
    with_voices,
)
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel, prepare_for_decoding
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import Note, Score, Voice
from seqmusic.tokens.tokenizer import encode_prompt

MAX_ROUNDS = 100
_REVISIONS_PER_ROUND = 4  # tried in a round


def continuation(
    model: DecodableModel,
    theme: Score,
    request: Request | None = None,
    *,
    bars: int = 8,
    voices: str = "satb",
    rule: Rule | None = None,
) -> list[Candidate]:
    """Candidates that begin with `theme`, likeliest first (by log-probability a note).

    Args:
        model: a trained model.
        theme: the beginning, which is kept.
        request: how candidates are drawn, and what they must obey.
        bars: in all, the head's own included and a pickup not counted; the last is short by the pickup.
        voices: "melody", "satb" (four), or how many, such as "3", of a model that has learned numbered voices.
        rule: a rule of your own, applied before each draw; its shapes are those of `stream.Rule`.

    Raises:
        RequestError: the head has no notes, too many voices, or fills the bars asked for; or the constraints cannot be met.
    """
    return compose_candidates(
        model,
        continuation_prompt(theme, bars, voices, learned_voice_names(model.vocabulary)),
        request or Request(),
        rule,
    )


def stream(
    model: DecodableModel,
    theme: Score,
    request: Request | None = None,
    *,
    bars: int = 8,
    voices: str = "satb",
    rule: Rule | None = None,
) -> Iterator[tuple[str, Note]]:
    """Notes that continue `theme`, each with the name of its voice, as they are made; arguments as for `continuation`.

    They are those that `continuation` composes for the same request with n = 1, each when it is certain how long it lasts: in each
    voice in order, and between voices in the order of composing. With `strict` or a rule, a way may lead into a dead end; there
    they come together, once a way through is found.

    Raises:
        RequestError: as for `continuation`.
    """
    asked, prompt = (
        request or Request(),
        continuation_prompt(theme, bars, voices, learned_voice_names(model.vocabulary)),
    )
    shift = fitting_shift(prompt.score)
    constraints = constraints_of(prompt, asked, shift)
    events = encode_prompt(prompt.score.transposed(shift), prompt.holes, prompt.style)
    names = [voice.name for voice in prompt.score.voices]
    made = stream_notes(model, events, asked, constraints, rule)
    return ((names[place], replace(note, pitch=note.pitch - shift)) for place, note in made)


def harmonization(
    model: DecodableModel,
    given: Score,
    request: Request | None = None,
    *,
    names: Sequence[str] = (),
    rule: Rule | None = None,
) -> list[Candidate]:
    """Candidates in four voices that hold the given ones exactly, likeliest first; the others know what comes later, too.

    Args:
        model: a trained model.
        given: one voice to three.
        request: how candidates are drawn, and what they must obey.
        names: which of soprano, alto, tenor, bass are given; when not said, one is the soprano, and more have their own names.
        rule: a rule of your own, as for `continuation`.

    Raises:
        RequestError: nothing is given, nothing is left to compose, or the constraints cannot be met.
    """
    return compose_candidates(
        model,
        harmonization_prompt(given, names, learned_voice_names(model.vocabulary)),
        request or Request(),
        rule,
    )


def regeneration(
    model: DecodableModel,
    score: Score,
    request: Request | None = None,
    *,
    bars: tuple[int, int] | None = None,
    voices: Sequence[str] = (),
    rule: Rule | None = None,
) -> list[Candidate]:
    """Candidates with some bars of some voices composed anew and everything else as it was, likeliest first.

    Args:
        model: a trained model.
        score: in one voice, in four, in some named Soprano, Alto, Tenor, Bass, or in as many as the model has learned by number.
        request: how candidates are drawn, and what they must obey.
        bars: first and last, numbered as printed (a pickup is bar 0); None for all.
        voices: which, by name; none named means all.
        rule: a rule of your own, as for `continuation`.

    Raises:
        RequestError: there are no such bars or voices, or nothing in them; or the constraints cannot be met.
    """
    prompt = regeneration_prompt(score, bars, voices, learned_voice_names(model.vocabulary))
    candidates = compose_candidates(model, prompt, request or Request(), rule)
    return [replace(one, score=_with_voice_names_of(one.score, score)) for one in candidates]


def revision(
    model: DecodableModel,
    score: Score,
    request: Request | None = None,
    *,
    share: float,
    rounds: int = 4,
    bars: tuple[int, int] | None = None,
    voices: Sequence[str] = (),
    show: Callable[[int, int, float], None] = lambda candidate, round_, nats: None,
) -> list[Candidate]:
    """Candidates that were revised in rounds, each no less likely as a whole than the one before.

    In a round some notes are drawn and composed anew, with all the others given, as in Gibbs sampling, a few times; the likeliest
    of what comes of it and of what was there is kept.

    Args:
        model: a trained model.
        score: as for `regeneration`.
        request: how candidates are drawn, and what they must obey.
        share: of the notes in the bars and voices, 0..1.
        rounds: how many.
        bars: as for `regeneration`.
        voices: as for `regeneration`.
        show: told after each round (0 is before the first) the candidate, the round, and the log-probability of the whole, in nats.

    Raises:
        RequestError: as for `regeneration`.
    """
    request = request or Request()
    if not 0 < share <= 1:
        raise ValueError(f"the share of notes must be in 0..1 and not 0, got {share}")
    if not 1 <= rounds <= MAX_ROUNDS:
        raise ValueError(f"rounds must be in 1..{MAX_ROUNDS}, got {rounds}")
    revised, known, model = [], learned_voice_names(model.vocabulary), prepare_for_decoding(model)
    for index in range(request.n):
        (best,) = _as_candidates(model, [score])
        show(index, 0, best.log_probability)
        for round_ in range(1, rounds + 1):
            rng = np.random.default_rng([request.seed, index, round_])
            prompt = with_random_holes(
                regeneration_prompt(best.score, bars, voices, known), share, rng
            )
            drawn = replace(request, n=_REVISIONS_PER_ROUND, seed=int(rng.integers(2**31)))
            made = [
                _with_voice_names_of(own.score, score)
                for own in compose_candidates(model, prompt, drawn)
            ]
            best = max([best, *_as_candidates(model, made)], key=lambda one: one.log_probability)
            show(index, round_, best.log_probability)
        revised.append(best)
    return _ranked(revised)


def compose_candidates(
    model: DecodableModel,
    prompt: Prompt,
    request: Request,
    rule: Rule | None = None,
    on_note: OnNote | None = None,
) -> list[Candidate]:
    """Candidates for a prompt, likeliest first, equal ones once; composed where the model knows the voices, and moved back.

    `on_note` is told notes of one of them as they are made, with the place of their voice, as the model knows them.

    Raises:
        RequestError: what is asked contradicts what is given, or is longer than the model can follow.
        UnencodableError: the tokens cannot say what is given.
    """
    shift = fitting_shift(prompt.score)
    constraints = constraints_of(prompt, request, shift)
    events = encode_prompt(prompt.score.transposed(shift), prompt.holes, prompt.style)
    moved = (
        None
        if on_note is None
        else lambda place, note: on_note(place, replace(note, pitch=note.pitch - shift))
    )
    made = complete(model, events, request, constraints, rule, moved)
    return _ranked(
        [
            replace(one, score=_with_given_notes(one.score.transposed(-shift), prompt))
            for one in made
        ]
    )


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    distinct = {candidate.score: candidate for candidate in candidates}
    return sorted(distinct.values(), key=lambda candidate: -candidate.log_probability_per_note)


def _with_given_notes(score: Score, prompt: Prompt) -> Score:
    """The notes composed, in the prompt's score, whose own notes keep their fermatas."""
    voices = tuple(
        Voice(
            own.name,
            tuple(
                sorted(
                    [
                        *(n for n in own.notes if prompt.is_given(i, n)),
                        *_composed_notes(prompt, i, line),
                    ],
                    key=lambda n: n.onset_ticks,
                )
            ),
        )
        for i, (own, line) in enumerate(zip(prompt.score.voices, score.voices, strict=True))
    )
    return replace(prompt.score, voices=voices)


def _composed_notes(prompt: Prompt, voice: int, line: Voice) -> list[Note]:
    return [note for note in line.notes if not prompt.is_given(voice, note)]


def _with_voice_names_of(score: Score, own: Score) -> Score:
    """The score with the voices called as they were."""
    return with_voices(score, [v.name for v in own.voices], [v.name for v in own.voices])


def _as_candidates(model: DecodableModel, scores: Sequence[Score]) -> list[Candidate]:
    """Whole scores as if all of them were composed."""
    judged = log_likelihoods(model, [score.transposed(fitting_shift(score)) for score in scores])
    return [
        Candidate(score, n_events, nats)
        for score, (nats, n_events) in zip(scores, judged, strict=True)
    ]
