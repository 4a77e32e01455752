"""What is evaluated: a model, some works, and what must be known of the two to judge the figures."""

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
    """A model and the works it is asked about.

    Attributes:
        name: of the model.
        folder: of the model.
        model: ready to predict.
        dataset: the corpus.
        split: the part of it that is asked about.
        works: of that part, one or more.
        trained_on: names of those that were among the model's training works, also in another key; None where nobody knows.
        is_finished: whether the training of the model came to its end.
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
        """What a reader of the figures must know; "" for nothing."""
        n, known = len(self.works), len(self.trained_on or ())
        notes = []
        if self.trained_on is None:
            notes.append("it is not known which of these works the model was trained on")
        elif known:
            notes.append(
                f"{f'all {n}' if known == n else f'{known} of these {n}'} works were trained on"
            )
        if not self.is_finished:
            notes.append("this run is not finished: its best model so far is asked")
        text = "; ".join(notes)
        return text[:1].upper() + text[1:]


def load_subject(run: Path | None = None, split: str = "test", data: Path | None = None) -> Subject:
    """The model of a run, and a part of the split that it was trained with, or of another corpus.

    Args:
        run: a run's folder or the name of a model that comes with seqmusic; None is the default one.
        split: "train", "valid" or "test".
        data: another corpus, as in `load_corpus`; None is the run's own.

    Raises:
        CheckpointError: there is no such model.
        CorpusError: there is no such corpus, the run's own must be named, that part of it is empty, or a work has too many voices.
    """
    folder = model_folder(run)
    model = load_model(folder)
    dataset = load_corpus(data) if data is not None else _training_corpus(folder)
    works = tuple(dataset.works_in(split))
    if not works:
        raise CorpusError(
            f"{data or folder}: the corpus has no {split} works ({dataset!r}); choose another --split or --data"
        )
    most = model.vocabulary.max_voices
    if many := next((work for work in dataset.kept_works if len(work.score.voices) > most), None):
        raise CorpusError(
            f"{folder.name}: knows up to {most} voices, and {many.name!r} has {len(many.score.voices)}; ask another model"
        )
    trained_on = _trained_on(folder, works, is_training_corpus=data is None)
    return Subject(
        folder.name,
        folder,
        model,
        dataset,
        split,
        works,
        trained_on,
        (folder / "card.md").is_file(),
    )


def _training_corpus(folder: Path) -> Dataset:
    """The chorales with the split that the run was trained with."""
    chorales = load_corpus()
    table = folder / _WORKS_FILE
    if not table.is_file():
        raise CorpusError(
            f"{folder}: has no {_WORKS_FILE} that says which works it was trained on; name a corpus with --data"
        )
    known = {work.name for work in chorales.works}
    if foreign := next((name for name in read_works(table) if name not in known), None):
        raise CorpusError(
            f"{folder}: was not trained on the chorales (its {_WORKS_FILE} has {foreign!r}); name its corpus with --data"
        )
    return with_table(chorales, table)


def _trained_on(
    folder: Path, works: tuple[Work, ...], *, is_training_corpus: bool
) -> frozenset[str] | None:
    """By the music, where the run kept fingerprints of it; else by name, where the corpus is the run's own."""
    if (folder / FINGERPRINTS_FILE).is_file():
        found = known_pieces(read_fingerprints(folder), [work.score for work in works])
        return frozenset(works[position].name for position in found)
    return (
        frozenset(work.name for work in works if work.split == "train")
        if is_training_corpus
        else None
    )
