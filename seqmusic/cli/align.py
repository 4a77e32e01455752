"""seqmusic align: a trained model learns from preferences."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seqmusic.alignment.settings import CAREFUL, AlignmentSettings
from seqmusic.cli.options import Flag


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AlignmentOptions(AlignmentSettings):
    """How a model learns from preferences.

    Attributes:
        rounds: How many; each composes anew with the model of the round before.
        passages: Beginnings of training works that are continued in each round.
        candidates: Continuations of each beginning.
        steps: Batches in each round.
        pairs: Pairs in a batch.
        works: Training works in a batch, which hold the model near them.
        beta: How strongly the model is held near the one of the round before.
        anchor: Weight of the nats per event of training works.
        penalty: With --careful, the weight of a preferred candidate that grows less likely.
        learning_rate: At its highest.
        warmup: Share of the batches in which the learning rate rises.
        seed: Of the passages, the candidates and the batches.
    """

    objective: Annotated[str, Parameter(parse=False)] = AlignmentSettings.objective

    def settings(self, *, careful: bool) -> AlignmentSettings:
        """The same as the package knows it."""
        values = {field.name: getattr(self, field.name) for field in fields(AlignmentSettings)}
        return AlignmentSettings(**values | ({"objective": CAREFUL} if careful else {}))


def align(
    run: Path,
    /,
    *,
    preferences: list[str],
    out: Path,
    careful: Annotated[bool, Flag] = False,
    per_time: Annotated[bool, Flag] = False,
    data: Path | None = None,
    options: AlignmentOptions | None = None,
) -> None:
    """Let a trained model learn from preferences, and write the result as a new run.

    After each round a table shows what the model composes on held-out beginnings with masks off,
    beside the base, fine-tuning on the best of n, and Bach. The first guard that breaks ends it.
    The same command goes on after a stop.

    For example: seqmusic align chorales --preferences rules --out runs/aligned

    Args:
        run: The folder of a trained model, or the name of one that comes with seqmusic; it is not
            changed.
        preferences: rules (what masks cannot enforce), judge (trained on training works), or a file
            that seqmusic compare wrote; several files are joined.
        out: The folder of the new run; if an alignment was begun there, it goes on.
        careful: Use DPOP, which keeps what is preferred at least as likely as it was.
        per_time: Count the faults of the rules per quarter and not per opportunity, which teaches
            the model to write fewer notes.
        data: The corpus the model was trained on, if not the chorales, as for train.
    """
    from seqmusic.alignment.align import PreferenceFiles
    from seqmusic.alignment.align import align as align_model

    settings = (options or AlignmentOptions()).settings(careful=careful)
    files = PreferenceFiles(names=tuple(preferences), per_time=per_time)
    align_model(run, files, out, settings, data)
