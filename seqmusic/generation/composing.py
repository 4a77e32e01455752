"""Composing with a model: to continue, to harmonize, to compose anew in the middle of a piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from seqmusic.generation.completion import Candidate, OnNote, complete, stream_notes
from seqmusic.generation.constraints import Constraints
from seqmusic.generation.feasibility import constraints_of
from seqmusic.generation.partial_candidate import Rule
from seqmusic.generation.prompts import (
    Prompt,
    continuation_prompt,
    fitting_shift,
    harmonization_prompt,
    regeneration_prompt,
)
from seqmusic.generation.request import Request
from seqmusic.generation.requested_voices import with_voices
from seqmusic.generation.search.ranking import Term, likelihood, ranked
from seqmusic.generation.search.searching import search_candidates, search_of
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.model.settings import Vocabulary
from seqmusic.runs.pretrained import learned_voice_names
from seqmusic.score import Note, Score, Voice
from seqmusic.tokens.tokenizer import Event, encode_prompt


def continuation(
    model: DecodableModel,
    theme: Score,
    request: Request | None = None,
    *,
    bars: int = 8,
    voices: str = "satb",
    rule: Rule | None = None,
) -> list[Candidate]:
    """Candidates that begin with `theme`, best first.

    Args:
        model: a trained model.
        theme: the beginning, which is kept.
        request: how candidates are drawn, and what they must obey.
        bars: in all, those of the theme included and a pickup not counted; the last bar is short
            by the pickup.
        voices: "melody", "satb" (four voices), or a number such as "3" for a model that has learned
            numbered voices.
        rule: a rule of the caller, applied before each draw; `partial_candidate.Rule` gives its
            shapes.

    Raises:
        RequestError: the theme has no notes, too many voices, or no fewer bars than `bars`; or the
            constraints cannot be met.
    """
    prompt = continuation_prompt(theme, bars, voices, learned_voice_names(model.vocabulary))
    return compose_candidates(model, prompt, request or Request(), rule)


def stream(
    model: DecodableModel,
    theme: Score,
    request: Request | None = None,
    *,
    bars: int = 8,
    voices: str = "satb",
    rule: Rule | None = None,
) -> Iterator[tuple[str, Note]]:
    """Notes that continue `theme`, each with the name of its voice, as they are composed.

    They are the notes of `continuation` for the same arguments and n = 1. With `effort` 0, a note
    is returned when its duration is certain: in order within each voice, and between voices in the
    order of composing. A search returns all notes once it has reached the end of the piece, and so
    does composing with `strict` or a rule, which may lead into a dead end.

    Raises:
        RequestError: as for `continuation`.
    """
    request = request or Request()
    prompt = continuation_prompt(theme, bars, voices, learned_voice_names(model.vocabulary))
    shift, constraints, events = _encoded_request(model.vocabulary, prompt, request)
    names = [voice.name for voice in prompt.score.voices]
    search = search_of(model, prompt, request, shift)
    if search is None:
        notes = stream_notes(model, events, request, constraints, rule)
    else:
        one = replace(request, n=1)
        (candidate,) = search_candidates(model, events, one, constraints, search, rule)
        notes = _composed_notes(candidate.score, prompt)
    return ((names[index], replace(note, pitch=note.pitch - shift)) for index, note in notes)


def harmonization(
    model: DecodableModel,
    given: Score,
    request: Request | None = None,
    *,
    names: Sequence[str] = (),
    rule: Rule | None = None,
) -> list[Candidate]:
    """Candidates in four voices that keep the given ones exactly, best first.

    The composed voices are drawn with all of the given ones known, later notes included.

    Args:
        model: a trained model.
        given: one to three voices.
        request: how candidates are drawn, and what they must obey.
        names: which of soprano, alto, tenor, bass are given; by default a single voice is the
            soprano, and several are known by their own names.
        rule: a rule of the caller, as for `continuation`.

    Raises:
        RequestError: nothing is given or left to compose, or the constraints cannot be met.
    """
    prompt = harmonization_prompt(given, names, learned_voice_names(model.vocabulary))
    return compose_candidates(model, prompt, request or Request(), rule)


def regeneration(
    model: DecodableModel,
    score: Score,
    request: Request | None = None,
    *,
    bars: tuple[int, int] | None = None,
    voices: Sequence[str] = (),
    rule: Rule | None = None,
) -> list[Candidate]:
    """Candidates in which some bars of some voices are composed anew, best first.

    Args:
        model: a trained model.
        score: in one voice, in four, in some named Soprano, Alto, Tenor, Bass, or in as many as the
            model has learned by number.
        request: how candidates are drawn, and what they must obey.
        bars: first and last, numbered as printed (a pickup is bar 0); None for all.
        voices: names of the voices to compose; all by default.
        rule: a rule of the caller, as for `continuation`.

    Raises:
        RequestError: there are no such bars or voices, or nothing in them; or the constraints
            cannot be met.
    """
    prompt = regeneration_prompt(score, bars, voices, learned_voice_names(model.vocabulary))
    candidates = compose_candidates(model, prompt, request or Request(), rule)
    return [with_voice_names_of(candidate, score) for candidate in candidates]


def _composed_notes(score: Score, prompt: Prompt) -> Iterator[tuple[int, Note]]:
    """The notes that were composed, in order of onset, each with the number of its voice."""
    composed = [
        (number, note)
        for number, voice in enumerate(score.voices)
        for note in voice.notes
        if not prompt.is_given(number, note)
    ]
    return iter(sorted(composed, key=lambda pair: pair[1].onset_ticks))


def compose_candidates(
    model: DecodableModel,
    prompt: Prompt,
    request: Request,
    rule: Rule | None = None,
    on_note: OnNote | None = None,
    terms: Sequence[Term] = (),
) -> list[Candidate]:
    """Distinct candidates for a prompt, best first.

    They are composed where the model knows the voices, and moved back. Candidates that were drawn
    once are ordered by log-probability per note; where several were searched for each, it is added
    to what the judge says.

    Args:
        model: a trained model.
        prompt: what is given, and what is to be composed.
        request: how candidates are drawn, and what they must obey.
        rule: a rule of the caller, as for `continuation`.
        on_note: receives the notes of one candidate as they are composed, with the index of their
            voice in the prompt.
        terms: what else is added, such as what a person prefers; also chooses in a search.

    Raises:
        RequestError: the request contradicts the given music, or is longer than the model can
            follow.
        UnencodableError: the tokens cannot express the given music.
    """
    shift, constraints, events = _encoded_request(model.vocabulary, prompt, request)
    search = search_of(model, prompt, request, shift, terms)
    callback = None if on_note is None else _moved_back(on_note, shift)
    if search is None:
        completed = complete(model, events, request, constraints, rule, callback)
    else:
        completed = search_candidates(model, events, request, constraints, search, rule, callback)
    moved = (
        replace(one, score=_with_given_notes(one.score.transposed(-shift), prompt))
        for one in completed
    )
    return ranked(moved, [likelihood, *terms] if search is None else search.terms)


def _moved_back(on_note: OnNote, shift: int) -> OnNote:
    """The callback for notes that are higher by `shift` semitones."""
    return lambda voice_index, note: on_note(voice_index, replace(note, pitch=note.pitch - shift))


def _encoded_request(
    vocabulary: Vocabulary, prompt: Prompt, request: Request
) -> tuple[int, Constraints, list[Event]]:
    """The shift into the compass of the voices, the constraints there, and the events there."""
    shift = fitting_shift(prompt.score)
    constraints = constraints_of(prompt, request, shift)
    events = encode_prompt(
        prompt.score.transposed(shift),
        prompt.holes,
        prompt.style,
        marks_phrases=vocabulary.marks_phrases,
    )
    return shift, constraints, events


def with_voice_names_of(candidate: Candidate, score: Score) -> Candidate:
    """The candidate with its voices named as in a score."""
    names = [voice.name for voice in score.voices]
    return replace(candidate, score=with_voices(candidate.score, names, names))


def _with_given_notes(composed: Score, prompt: Prompt) -> Score:
    """The prompt's score with the composed notes in its holes, and with the composed fermatas."""
    pairs = zip(prompt.score.voices, composed.voices, strict=True)
    voices = tuple(
        Voice(given.name, _merged_notes(prompt, number, given, voice))
        for number, (given, voice) in enumerate(pairs)
    )
    return replace(prompt.score, voices=voices)


def _merged_notes(prompt: Prompt, number: int, given: Voice, composed: Voice) -> tuple[Note, ...]:
    """The given notes of a voice, which may gain fermatas, and the composed ones in its holes."""
    fermatas = {note.onset_ticks for note in composed.notes if note.fermata}
    notes = [
        replace(note, fermata=note.fermata or note.onset_ticks in fermatas)
        for note in given.notes
        if prompt.is_given(number, note)
    ]
    notes += [note for note in composed.notes if not prompt.is_given(number, note)]
    return tuple(sorted(notes, key=lambda note: note.onset_ticks))
