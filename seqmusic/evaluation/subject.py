"""What is evaluated: a model and works, and whether the model was trained on any of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seqmusic.corpus.dataset import Dataset, Work
from seqmusic.corpus.loading import load_corpus
from seqmusic.corpus.similarity.fingerprints import (
    FINGERPRINTS_FILE,
    known_pieces,
    read_fingerprints,
)
from seqmusic.corpus.works_table import read_works, with_table
from seqmusic.errors import CorpusError
from seqmusic.model.transformer import Transformer
from seqmusic.runs.pretrained import load_model, model_folder

_WORKS_FILE = "works.csv"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the works that it is evaluated on.

    Attributes:
        name: of the model.
        folder: of the model.
        model: ready to predict.
        dataset: the corpus.
        split: the part of the corpus that is evaluated.
        works: of that split, one or more.
        trained_on: names of those that the model was trained on, in any key; None if unknown.
        is_finished: whether the training of the model ended as configured.
    """

    name: str
    folder: Path
    model: Transformer
    dataset: Dataset
    split: str
    works: tuple[Work, ...]
    trained_on: frozenset[str] | None
    is_finished: bool

    @property
    def label(self) -> str:
        """What a reader of the figures must know; "" if there is nothing."""
        remarks = [self._training_remark]
        if not self.is_finished:
            remarks.append("this run is not finished: its best model so far is evaluated")
        text = "; ".join(filter(None, remarks))
        return text[:1].upper() + text[1:]

    @property
    def _training_remark(self) -> str:
        if self.trained_on is None:
            return "it is not known which of these works the model was trained on"
        n, n_known = len(self.works), len(self.trained_on)
        if not n_known:
            return ""
        return f"{f'all {n}' if n_known == n else f'{n_known} of these {n}'} works were trained on"


def load_subject(run: Path | None = None, split: str = "test", data: Path | None = None) -> Subject:
    """The model of a run, with a split of the corpus that it was trained on or of another corpus.

    Args:
        run: a run's folder or the name of a model that comes with seqmusic; None is the default.
        split: "train", "valid" or "test".
        data: another corpus, as in `load_corpus`; None is the one of the run.

    Raises:
        CheckpointError: there is no such model.
        CorpusError: there is no such corpus, the run does not say which one is its own, the split
            is empty, or a work has too many voices.
    """
    folder = model_folder(run)
    model = load_model(folder)
    dataset = load_corpus(data) if data is not None else _training_corpus(folder)
    works = tuple(dataset.works_in(split))
    if not works:
        raise CorpusError(
            f"{data or folder}: the corpus has no {split} works ({dataset!r}); "
            "choose another --split or --data"
        )
    most = model.vocabulary.max_voices
    if many := next((work for work in dataset.kept_works if len(work.score.voices) > most), None):
        raise CorpusError(
            f"{folder.name}: knows up to {most} voices, and {many.name!r} has "
            f"{len(many.score.voices)}; choose another model"
        )
    trained_on = _trained_on(folder, works, is_training_corpus=data is None)
    is_finished = (folder / "card.md").is_file()
    return Subject(folder.name, folder, model, dataset, split, works, trained_on, is_finished)


def _training_corpus(folder: Path) -> Dataset:
    """The chorales with the split that the run was trained with."""
    chorales = load_corpus()
    table = folder / _WORKS_FILE
    if not table.is_file():
        raise CorpusError(
            f"{folder}: has no {_WORKS_FILE} that says which works it was trained on; "
            "name a corpus with --data"
        )
    known = {work.name for work in chorales.works}
    if foreign := next((name for name in read_works(table) if name not in known), None):
        raise CorpusError(
            f"{folder}: was not trained on the chorales (its {_WORKS_FILE} has {foreign!r}); "
            "name its corpus with --data"
        )
    return with_table(chorales, table)


def _trained_on(
    folder: Path, works: tuple[Work, ...], *, is_training_corpus: bool
) -> frozenset[str] | None:
    """Names of the training works among them, by fingerprints of the music if the run kept any."""
    if (folder / FINGERPRINTS_FILE).is_file():
        found = known_pieces(read_fingerprints(folder), [work.score for work in works])
        return frozenset(works[position].name for position in found)
    if is_training_corpus:
        return frozenset(work.name for work in works if work.split == "train")
    return None
