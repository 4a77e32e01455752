"""The whole sequence of a score, as a model composes it from a prompt."""

from __future__ import annotations

from seqmusic.generation.prompts import Prompt
from seqmusic.model.settings import Vocabulary
from seqmusic.runs.pretrained import readable_score
from seqmusic.score import Score
from seqmusic.tokens.fermatas import fermata_ticks
from seqmusic.tokens.tokenizer import Event, encode


def sequence_after_prompt(
    vocabulary: Vocabulary, score: Score, prompt: Prompt | None
) -> list[Event]:
    """The events of a score, given and composed notes where the prompt has them.

    Args:
        vocabulary: of the model.
        score: the finished piece, its voices named as those of the prompt.
        prompt: what it was composed from; None if nothing was given.
    """
    if prompt is None:
        return encode(readable_score(vocabulary, score))
    return encode(
        score,
        prompt.holes,
        given_fermatas=fermata_ticks(prompt.score),
        marks_phrases=vocabulary.marks_phrases,
    )
