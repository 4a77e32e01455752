"""Everything that is said about a score: its classes, why, the works like it, its techniques."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqmusic.errors import RequestError
from seqmusic.formats.notebook import mime_bundle
from seqmusic.recognition.lines import Line, line_of, lines_of
from seqmusic.recognition.nearest import NearWork
from seqmusic.recognition.reasons import Reason, reasons_for
from seqmusic.recognition.recognizer import SURE, UNKNOWN, Recognition, Recognizer
from seqmusic.recognition.techniques.sentences import sentences, techniques_to_data
from seqmusic.recognition.techniques.techniques import Techniques, find_techniques
from seqmusic.score import Score

REASONS_KEY = (
    "in figures of single voices (intervals in semitones; durations relative to the note before, "
    "= the same; degrees above the tonic)"
)
_N_SHOWN_BARS = 3


@dataclass(frozen=True, slots=True)
class RecognizedScore:
    """The answer to "What is this?".

    Attributes:
        score: what was asked about.
        voices: names of the voices that were read.
        recognition: the classes.
        reasons_for, reasons_against: n-grams that speak for and against the likeliest class.
        nearest: works like it, of the classes of the answer or of the likeliest class.
        techniques: found by rule.
    """

    score: Score
    voices: tuple[str, ...]
    recognition: Recognition
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    nearest: tuple[NearWork, ...]
    techniques: Techniques

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """The score as a notebook shows it, with the answer below it."""
        return mime_bundle(self.score, recognized_text(self), answer_text(self))


def recognize_score(recognizer: Recognizer, score: Score, voice: str = "") -> RecognizedScore:
    """What a score is.

    Args:
        recognizer: trained.
        score: of one voice or more.
        voice: name of the only voice that is read for the classes; "" for all.

    Raises:
        RequestError: the score has no such voice, or no voice of two notes.
    """
    lines = chosen_lines(score, voice)
    recognition = recognizer.recognize(lines)
    likeliest = next(iter(recognition.probabilities))
    answer = recognition.answer or (likeliest,)
    supporting, opposing = reasons_for(
        score, lines, recognizer.linear, recognizer.classes.index(likeliest)
    )
    numbers = [recognizer.classes.index(name) for name in answer]
    nearest = recognizer.index.nearest(lines, recognizer.linear.vocabulary, numbers)
    return RecognizedScore(
        score,
        tuple(score.voices[line.voice].name for line in lines),
        recognition,
        tuple(supporting),
        tuple(opposing),
        tuple(nearest),
        find_techniques(score),
    )


def chosen_lines(score: Score, voice: str = "") -> list[Line]:
    """The lines of a score, or that of one voice.

    Raises:
        RequestError: the score has no such voice, or no voice of two notes.
    """
    if not score.n_notes:
        raise RequestError("holds no note; nothing can be recognized")
    if voice:
        lines = [
            line_of(candidate, number)
            for number, candidate in enumerate(score.voices)
            if candidate.notes and candidate.name.casefold() == voice.casefold()
        ]
        if not lines:
            names = ", ".join(candidate.name for candidate in score.voices if candidate.notes)
            raise RequestError(f"has no voice {voice!r}; its voices are {names}")
    else:
        lines = lines_of(score)
    if all(len(line) < 2 for line in lines):
        each = "each" if sum(bool(one.notes) for one in score.voices) > 1 and not voice else "a"
        raise RequestError(
            f"holds one note in {each} voice; two are the least, and eight say something"
        )
    return [line for line in lines if len(line) > 1]


def answer_text(found: RecognizedScore) -> str:
    """The answer in one sentence, such as "motet or mass, 97% (one repertory to this recognizer;
    108 notes, 1 of 4 voices)".
    """
    recognition = found.recognition
    likeliest, probability = next(iter(recognition.probabilities.items()))
    size = f"{recognition.n_notes} notes, {_voices_text(found)}"
    if recognition.outcome == UNKNOWN:
        return f"none of these ({size}); the nearest class is {likeliest}"
    if recognition.outcome == SURE:
        names = [name for name in recognition.probabilities if name in recognition.answer]
        joined = "one repertory to this recognizer; " if len(names) > 1 else ""
        listed = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        return f"{listed}, {recognition.confidence:.0%} ({joined}{size})"
    foreign = "; it has learned from no keyboard music" if recognition.is_foreign else ""
    return f"not sure; {likeliest} is likeliest, {probability:.0%} ({size}){foreign}"


def _voices_text(found: RecognizedScore) -> str:
    n_voices = sum(bool(voice.notes) for voice in found.score.voices)
    n_read = found.recognition.n_lines
    return _count(n_read, "voice") if n_read == n_voices else f"{n_read} of {n_voices} voices"


def recognized_text(found: RecognizedScore) -> str:
    """The whole answer as lines of text."""
    probabilities = found.recognition.probabilities.items()
    shown = [f"{name} {p:.0%}" for name, p in probabilities if p >= 0.005]
    lines = [answer_text(found), f"probabilities: {', '.join(shown)}", f"why, {REASONS_KEY}:"]
    for title, reasons in (("for", found.reasons_for), ("against", found.reasons_against)):
        lines += [f"  {title}: {_reason_text(reason, found.score)}" for reason in reasons]
    near = ", ".join(f"{work.title} ({work.similarity:.2f})" for work in found.nearest)
    lines.append(f"most similar works: {near}")
    texts = sentences(found.score, found.techniques)
    lines += ["techniques:", *(f"  {text}" for text in texts)] if texts else []
    return "\n".join(lines)


def recognized_values(found: RecognizedScore) -> dict[str, object]:
    """The whole answer as plain values."""
    recognition = found.recognition
    return {
        "outcome": recognition.outcome,
        "answer": list(recognition.answer),
        "confidence": round(recognition.confidence, 4),
        "probabilities": {name: round(p, 4) for name, p in recognition.probabilities.items()},
        "notes": recognition.n_notes,
        "voices": list(found.voices),
        "for": [_reason_values(reason, found.score) for reason in found.reasons_for],
        "against": [_reason_values(reason, found.score) for reason in found.reasons_against],
        "nearest": [
            {"work": work.name, "similarity": round(work.similarity, 3)} for work in found.nearest
        ],
        "techniques": techniques_to_data(found.score, found.techniques),
    }


def _reason_text(reason: Reason, score: Score) -> str:
    n = len(reason.occurrences)
    where = shown_bars(reason, score)
    return f"{reason.text} ({reason.weight:+.2f}, {_count(n, 'time')}{where and f': {where}'})"


def shown_bars(reason: Reason, score: Score) -> str:
    """The voices and bars of the first occurrences of an n-gram; "" without a meter."""
    found = dict.fromkeys(
        f"{score.voices[one.voice].name} bar {one.bars[0]}"
        for one in reason.occurrences
        if one.bars
    )
    shown = list(found)[:_N_SHOWN_BARS]
    more = ", ..." if len(found) > _N_SHOWN_BARS else ""
    return f"{', '.join(shown)}{more}" if shown else ""


def _reason_values(reason: Reason, score: Score) -> dict[str, object]:
    occurrences: Sequence[object] = [
        {"voice": score.voices[one.voice].name, "bars": one.bars and list(one.bars)}
        for one in reason.occurrences
    ]
    return {"figure": reason.text, "weight": round(reason.weight, 4), "occurrences": occurrences}


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
