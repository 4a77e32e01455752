"""Options that several commands have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seqmusic.generation.request import Request

Flag = Parameter(negative="")


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Which model composes, how its input is read, and where the results go.

    Attributes:
        model: The folder of a trained model, or the name of one that comes with seqmusic.
        key: Such as "D minor"; by default that of the file or, without one, the likeliest of the
            keys whose scales hold the most notes.
        grid: For a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t for
            triplets.
        out: A new folder for the files; by default continuations/1, 2, ...
        prefer: A file that seqmusic compare wrote, about this model: what it prefers also decides
            which candidates are found and which come first. replay leaves it out.
        explain: Also write a page for each candidate: how surprising every note is, what else was
            likely, and what a training work shares.
        json: Print the result as one JSON object, on the last line.
    """

    model: Path | None = None
    key: str | None = None
    grid: str | None = None
    out: Path | None = None
    prefer: Path | None = None
    explain: Annotated[bool, Flag] = False
    json: Annotated[bool, Flag] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ComposeOptions(Request, OutputOptions):
    """The options of all commands that compose."""

    n: Annotated[int, Parameter(name="-n")] = 3
    scale: Annotated[bool, Flag] = False
    strict: Annotated[bool, Flag] = False
    compass: Annotated[tuple[str, ...], Flag] = ()

    def request(self) -> Request:
        """The options that say how candidates are drawn, and what they must obey."""
        return Request(**{field.name: getattr(self, field.name) for field in fields(Request)})


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ConfigurationOptions:
    """Keys of a configuration that are set on the command line.

    Attributes:
        model: Any key of the table [model], such as --model.dropout 0.3.
        training: Any key of the table [training], such as --training.steps 900.
    """

    model: dict[str, str] | None = None
    training: dict[str, str] | None = None

    def overrides(self) -> dict[str, str]:
        """Values by key, such as "model.dropout"."""
        tables = {"model": self.model or {}, "training": self.training or {}}
        return {
            f"{table}.{key}": text for table, keys in tables.items() for key, text in keys.items()
        }


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TrainOptions(ConfigurationOptions):
    """The same, with the time limit of a training.

    Attributes:
        minutes: Stop after this time; the same as --training.minutes.
        distillation: Any key of the table [distillation], such as --distillation.weight 0.5.
        teachers: Trained models to learn from, by folder, separated by commas; the same as
            --distillation.teachers.
    """

    minutes: str | None = None
    distillation: dict[str, str] | None = None
    teachers: str | None = None

    def overrides(self) -> dict[str, str]:
        """Values by key, such as "model.dropout"."""
        given = {"training.minutes": self.minutes, "distillation.teachers": self.teachers}
        given |= {f"distillation.{key}": text for key, text in (self.distillation or {}).items()}
        return super().overrides() | {key: text for key, text in given.items() if text is not None}
