"""seqmusic learns from scores and continues a partial theme.

The names in `__all__` are its public interface; each is loaded at its first use, so that
`import seqmusic` stays fast.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqmusic.corpus.chorales import load_chorales
    from seqmusic.errors import SeqmusicError
    from seqmusic.formats import read_score, write_score
    from seqmusic.formats.theme import parse_theme, theme_text
    from seqmusic.generation.completion import Candidate
    from seqmusic.generation.composing import continuation, harmonization, regeneration, stream
    from seqmusic.generation.key_choice import likeliest_key
    from seqmusic.generation.output import compose_run
    from seqmusic.generation.partial_candidate import Rule
    from seqmusic.generation.prediction import next_sounds
    from seqmusic.generation.request import Request
    from seqmusic.generation.revision import revision
    from seqmusic.generation.task import Task
    from seqmusic.runs.configuration import read_configuration
    from seqmusic.runs.pretrained import load_model
    from seqmusic.runs.train import train_run
    from seqmusic.score import Key, Note, Score, TimeSignature, Voice, melody
    from seqmusic.tokens.tokenizer import Trace, decode, encode, normalized, trace
    from seqmusic.transformation.chorale import ChoraleSettings
    from seqmusic.transformation.motet_plan import MotetSettings
    from seqmusic.transformation.transform import Transformation, transform

__version__ = "0.1.0"
__all__ = [
    "Candidate",
    "ChoraleSettings",
    "Key",
    "MotetSettings",
    "Note",
    "Request",
    "Rule",
    "Score",
    "SeqmusicError",
    "Task",
    "TimeSignature",
    "Trace",
    "Transformation",
    "Voice",
    "__version__",
    "compose_run",
    "continuation",
    "decode",
    "encode",
    "harmonization",
    "likeliest_key",
    "load_chorales",
    "load_model",
    "melody",
    "next_sounds",
    "normalized",
    "parse_theme",
    "read_configuration",
    "read_score",
    "regeneration",
    "revision",
    "stream",
    "theme_text",
    "trace",
    "train_run",
    "transform",
    "write_score",
]
_EXPORTS = {
    "runs.pretrained": ("load_model",),
    "generation.output": ("compose_run",),
    "runs.configuration": ("read_configuration",),
    "corpus.chorales": ("load_chorales",),
    "errors": ("SeqmusicError",),
    "formats": ("read_score", "write_score"),
    "formats.theme": ("theme_text", "parse_theme"),
    "generation.completion": ("Candidate",),
    "generation.composing": ("continuation", "harmonization", "regeneration", "stream"),
    "generation.key_choice": ("likeliest_key",),
    "generation.prediction": ("next_sounds",),
    "generation.request": ("Request",),
    "generation.revision": ("revision",),
    "generation.task": ("Task",),
    "generation.partial_candidate": ("Rule",),
    "runs.train": ("train_run",),
    "score": ("Key", "Note", "Score", "TimeSignature", "Voice", "melody"),
    "transformation.chorale": ("ChoraleSettings",),
    "transformation.motet_plan": ("MotetSettings",),
    "transformation.transform": ("Transformation", "transform"),
    "tokens.tokenizer": ("Trace", "decode", "encode", "normalized", "trace"),
}
# A program that sets up no logging sees none of ours; the command line shows it.
logging.getLogger(__name__).addHandler(logging.NullHandler())
_MODULE_OF = {name: home for home, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'seqmusic' has no attribute {name!r}")
    return getattr(importlib.import_module(f"seqmusic.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
