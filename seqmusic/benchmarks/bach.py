"""How well a classifier separates a model's music from held-out Bach, and by which features.

Two judges look at windows of 64 sixteenth steps, see `seqmusic.metrics.two_sample`. They are
trained on windows of other tunes of the same comparison, never on what they judge. Beside the model
stand the floor, which is Bach against other Bach, and on request a peer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqmusic.benchmarks.held_out_tasks import (
    TASKS,
    Chorale,
    Pair,
    compose_pairs,
    four_part_chorales,
)
from seqmusic.benchmarks.peer import read_peer
from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset
from seqmusic.corpus.similarity.fingerprints import (
    FINGERPRINTS_FILE,
    known_pieces,
    read_fingerprints,
)
from seqmusic.errors import CorpusError, RequestError
from seqmusic.generation.request import Request
from seqmusic.metrics.rates import RateEstimate
from seqmusic.metrics.style import style_estimates
from seqmusic.metrics.two_sample.judges import Sign, judge, require_judges, strongest_signs
from seqmusic.metrics.two_sample.separation import N_FOLDS, Separation
from seqmusic.metrics.two_sample.windows import cut_windows
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.progress import progress_bar, track
from seqmusic.runs.pretrained import load_array_model, model_folder
from seqmusic.score import Score
from seqmusic.tokens.tokenizer import normalized

HELD_OUT = {"held-out": ("valid", "test"), "valid": ("valid",), "test": ("test",)}
"""The splits that can be asked for."""
DEFAULT, AS_REQUESTED = "default", "as requested"
FLOOR = "other Bach"
MIN_OTHER_WORKS = 20  # fewer may share their tunes
FIRST_PEER_GROUP = 1_000_000  # no tune family has so high a number
GroupedScore = tuple[Score, int]
"""A piece and its group: the number of its tune family, if it is known."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Bach's music beside other music.

    Attributes:
        name: of the other music.
        n_works: of Bach's.
        n_tunes: tune families of Bach's that have a window.
        n_windows: of Bach and of the other music.
        separations: how well each judge tells them apart.
        signs: what the linear judge goes by most.
        bach: the measures of style of Bach's pieces.
        other: the same of the other music.
    """

    name: str
    n_works: int
    n_tunes: int
    n_windows: tuple[int, int]
    separations: Mapping[str, Separation]
    signs: Sequence[Sign]
    bach: Sequence[RateEstimate]
    other: Sequence[RateEstimate]


def benchmark_bach(
    folder: Path | None = None,
    *,
    request: Request | None = None,
    against: Path | None = None,
    split: str = "held-out",
    works: int | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """Compare the music of a model with held-out Bach: first the floor, then the peer, the tasks.

    Args:
        folder: a trained model, or the name of one that comes with seqmusic; None is the default.
        request: a setting to compose with, beside the default one.
        against: a file of a peer, see `read_peer`.
        split: one of HELD_OUT.
        works: number of works, the first ones; None for all.
        seed: of the music, and of the folds.

    Raises:
        MissingExtraError: scikit-learn is not installed.
        CheckpointError: there is no such model.
        FormatError: the peer's file is not four voices on a grid.
        CorpusError: there are works of too few tunes.
        RequestError: the request can be met for works of too few tunes.
    """
    require_judges()
    peer = {} if against is None else {against.name: read_peer(against)}
    folder = model_folder(folder)
    model, dataset = load_array_model(folder), load_chorales()
    chosen = four_part_chorales(dataset, HELD_OUT[split])[:works]
    _require_tunes(chosen)
    _warn_of_known_works(folder, chosen)
    bach = [(work.score, work.family) for work in chosen]
    references = _references(dataset, peer, len(chosen), seed)
    requests = {DEFAULT: Request(seed=seed)} | ({AS_REQUESTED: request} if request else {})
    return [
        *(_compare(name, bach, other, seed) for name, other in references.items()),
        *_compare_tasks(model, chosen, requests, seed),
    ]


def _require_tunes(works: Sequence[Chorale]) -> None:
    n_tunes = len({work.family for work in works})
    if n_tunes < N_FOLDS:
        raise CorpusError(
            f"telling music apart needs works of {N_FOLDS} tunes or more, "
            f"got {n_tunes} in {len(works)} works"
        )


def _references(
    dataset: Dataset, peers: Mapping[str, Sequence[Score]], n: int, seed: int
) -> dict[str, list[GroupedScore]]:
    """Other pieces by Bach, which are the floor, and pieces of peers; about `n` of each."""
    n = max(n, MIN_OTHER_WORKS)
    training = [(work.score, work.family) for work in four_part_chorales(dataset, ("train",))]
    references = {FLOOR: _draw(training, n, seed)}
    for name, scores in peers.items():
        pieces = [(score, FIRST_PEER_GROUP + number) for number, score in enumerate(scores)]
        references[name] = _draw(pieces, n, seed)
    return references


def _draw(pieces: Sequence[GroupedScore], n: int, seed: int) -> list[GroupedScore]:
    """`n` of the pieces in random order, or all if they are fewer."""
    order = np.random.default_rng(seed).permutation(len(pieces))[:n].tolist()
    return [pieces[position] for position in order]


def _compare_tasks(
    model: DecodableModel, works: Sequence[Chorale], requests: Mapping[str, Request], seed: int
) -> list[Comparison]:
    """What the model composes for each task, at each setting, beside what Bach wrote."""
    pairs: dict[str, list[Pair]] = {}
    with progress_bar(len(TASKS) * len(requests) * len(works), "composing", "piece") as bar:
        for task in TASKS:
            for setting, request in requests.items():
                name = f"{task}, {setting}"
                pairs[name] = compose_pairs(model, task, works, request, bar)
                if len({pair.family for pair in pairs[name]}) < N_FOLDS:
                    raise RequestError(f"{name}: cannot be met for works of {N_FOLDS} tunes")
    return [
        _compare(
            name,
            [(pair.written, pair.family) for pair in found],
            [(pair.composed, pair.family) for pair in found],
            seed,
        )
        for name, found in track(pairs.items(), "judging", "task", len(pairs))
    ]


def _compare(
    name: str, bach: Sequence[GroupedScore], other: Sequence[GroupedScore], seed: int
) -> Comparison:
    """Bach's pieces beside others, both with their groups.

    If the others have no fermatas, those of Bach's pieces are left out, so that the ends of phrases
    are known of both or of neither.
    """
    (scores, groups), (other_scores, other_groups) = (
        zip(*pieces, strict=True) for pieces in (bach, other)
    )
    if not any(map(_has_fermatas, other_scores)):
        scores = tuple(map(normalized, scores))
    windows, other_windows = cut_windows(scores, groups), cut_windows(other_scores, other_groups)
    return Comparison(
        name,
        len(scores),
        windows.n_groups,
        (len(windows), len(other_windows)),
        judge(windows, other_windows, seed=seed),
        strongest_signs(windows, other_windows),
        style_estimates(scores),
        style_estimates(other_scores),
    )


def _has_fermatas(score: Score) -> bool:
    return any(note.fermata for voice in score.voices for note in voice.notes)


def _warn_of_known_works(folder: Path, works: Sequence[Chorale]) -> None:
    """Log a warning if the model was trained on some of the works, or may have been."""
    if not (folder / FINGERPRINTS_FILE).is_file():
        logger.warning(f"{folder.name}: it is not known which of these works it was trained on")
        return
    known = known_pieces(read_fingerprints(folder), [work.score for work in works])
    if known:
        logger.warning(
            f"{folder.name}: was trained on {len(known)} of these {len(works)} works, "
            "so its figures are flattered"
        )
