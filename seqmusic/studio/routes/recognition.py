"""What a score is: its class where a recognizer is there, and its techniques."""

from __future__ import annotations

from functools import lru_cache, partial

from starlette.requests import Request
from starlette.routing import Route

from seqmusic.errors import CheckpointError
from seqmusic.recognition.recognized_score import recognize_score, recognized_values
from seqmusic.recognition.recognizer import Recognizer
from seqmusic.recognition.storage import load_recognizer
from seqmusic.recognition.techniques.sentences import techniques_to_data
from seqmusic.recognition.techniques.techniques import find_techniques
from seqmusic.score import Score
from seqmusic.studio.french import french
from seqmusic.studio.routes.responses import Data, answering, body_of, score_in
from seqmusic.studio.state import studio_of


async def recognize(request: Request) -> Data:
    """The answer about a score."""
    data = await body_of(request)
    work = partial(recognized, score_in(data), str(data.get("voice") or ""))
    return await studio_of(request).long_work.run(work)


def recognized(score: Score, voice: str) -> Data:
    """Class, reasons, similar works and techniques; without a recognizer the techniques alone."""
    recognizer = included_recognizer()
    found: Data = {"outcome": "", "techniques": techniques_to_data(score, find_techniques(score))}
    if recognizer is not None:
        found = recognized_values(recognize_score(recognizer, score, voice))
    for technique in found["techniques"]:
        technique["french"] = french(technique["sentence"])
    return found


@lru_cache(maxsize=1)
def included_recognizer() -> Recognizer | None:
    """The recognizer that comes with this copy; None where none does."""
    try:
        return load_recognizer()
    except CheckpointError:
        return None


ROUTES = [Route("/recognize", answering(recognize), methods=["POST"])]
