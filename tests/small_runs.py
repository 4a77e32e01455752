"""A tiny model and few works, for tests of many trainings."""

from seqmusic.corpus.dataset import Dataset
from seqmusic.model.settings import ModelSettings
from seqmusic.runs.configuration import Configuration
from seqmusic.training.settings import TrainingSettings

TINY = Configuration(
    model=ModelSettings(width=16, layers=1, heads=2, dropout=0.1),
    training=TrainingSettings(steps=4, batch_size=2, evaluate_every=2),
)


def shortest_works(dataset: Dataset, *, train: int, valid: int, test: int) -> Dataset:
    """The shortest works of each split, so that a batch is quick."""
    sizes = {"train": train, "valid": valid, "test": test}
    return Dataset(
        tuple(
            work
            for split, n_works in sizes.items()
            for work in sorted(dataset.works_in(split), key=lambda w: w.score.n_notes)[:n_works]
        )
    )
