"""A whole configuration: read from TOML and the command line, checked, and written back."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from seqmusic.errors import ConfigurationError

if TYPE_CHECKING:
    from seqmusic.model.settings import ModelSettings
    from seqmusic.training.settings import TrainingSettings

_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


class _Range(NamedTuple):
    holds: Callable[[Any], bool]
    description: str


_POSITIVE = _Range(lambda value: value > 0, "more than 0")
_AT_LEAST_0 = _Range(lambda value: value >= 0, "0 or more")
_AT_LEAST_1 = _Range(lambda value: value >= 1, "1 or more")
_SHARE = _Range(lambda value: 0 <= value <= 1, "in 0..1")
_BELOW_1 = _Range(lambda value: 0 <= value < 1, "0 or more and below 1")
_RANGES = {
    "model": dict.fromkeys(("width", "layers", "heads", "feedforward"), _AT_LEAST_1)
    | {
        "context_length": _Range(lambda value: value >= 16, "16 or more"),
        "dropout": _BELOW_1,
        "input_dropout": _BELOW_1,
    },
    "training": dict.fromkeys(("steps", "batch_size", "accumulate", "evaluate_every"), _AT_LEAST_1)
    | dict.fromkeys(("minutes", "weight_decay", "l1", "clip", "patience", "seed"), _AT_LEAST_0)
    | {"learning_rate": _POSITIVE, "warmup": _SHARE, "averaging": _BELOW_1, "given_share": _SHARE},
}


@dataclass(frozen=True)
class Configuration:
    """Everything that decides a run."""

    model: ModelSettings
    training: TrainingSettings


def read_configuration(
    path: Path | None = None, overrides: Mapping[str, object] | None = None
) -> Configuration:
    """The configuration in a TOML file, with the defaults for what it leaves out and `overrides` over both.

    Args:
        path: the file, or the name of one that comes with seqmusic, such as ``quick``; None stands for the defaults.
        overrides: values by table and key, such as ``{"model.dropout": "0.2"}``; texts are read as the key's type.

    Raises:
        ConfigurationError: the file is missing or no TOML, a table or key is unknown, or a value is not allowed.

    >>> read_configuration(None, {"training.batch-size": "8"}).training.batch_size
    8
    """
    tables = _tables()
    values: dict[str, dict[str, object]] = {name: {} for name in tables}
    if path is not None:
        for name, table in _read_toml(path).items():
            _check_known(name, tables, f"{path}: unknown table [{name}]")
            if not isinstance(table, dict):
                raise ConfigurationError(
                    f"{path}: {name} must be a table, got {table!r}; write [{name}] with its keys below"
                )
            for key, value in table.items():
                values[name][key] = _validated(tables[name], name, key, value, f"{path}: [{name}]")
    for option, value in (overrides or {}).items():
        name, _, key = option.replace("-", "_").partition(".")
        _check_known(name, tables, f"--{option}: unknown table [{name}]")
        values[name][key] = _validated(
            tables[name], name, key, value, f"--{option}: [{name}]", is_text=isinstance(value, str)
        )
    model, training = (settings(**values[name]) for name, settings in tables.items())
    configuration = Configuration(model, training)
    _check_combination(configuration, f"{path}: " if path else "")
    return configuration


def configuration_text(configuration: Configuration) -> str:
    """The complete configuration as TOML; `read_configuration` of it gives the same one."""
    parts = []
    for table in dataclasses.fields(configuration):
        settings = getattr(configuration, table.name)
        rows = [
            f"{field.name} = {_to_toml(getattr(settings, field.name))}"
            for field in dataclasses.fields(settings)
        ]
        parts.append("\n".join([f"[{table.name}]", *rows]) + "\n")
    return "\n".join(parts)


def _tables() -> dict[str, Any]:
    from seqmusic.model.settings import ModelSettings
    from seqmusic.training.settings import TrainingSettings

    return {"model": ModelSettings, "training": TrainingSettings}


def _choices() -> dict[str, tuple[str, ...]]:
    from seqmusic.model.settings import NORMALIZATIONS
    from seqmusic.training.settings import OPTIMIZERS, PRECISIONS, SCHEDULES

    return {
        "normalization": NORMALIZATIONS,
        "optimizer": OPTIMIZERS,
        "schedule": SCHEDULES,
        "precision": PRECISIONS,
    }


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = _locate(Path(path)).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path}: there is no such file; `quick` and `tiny` name those that come with seqmusic"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not text in UTF-8 (byte {error.start})") from error
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error


def _locate(path: Path) -> Path:
    """The path itself, or the file that comes with seqmusic where nothing but its name is said."""
    if path.suffix or path.is_file() or path.name != str(path):
        return path
    package = Path(__file__).parent.parent
    shipped = (folder / "configs" / f"{path.name}.toml" for folder in (package, package.parent))
    return next((file for file in shipped if file.is_file()), path)


def _check_known(name: str, names: Iterable[str], problem: str) -> None:
    names = list(names)
    if name not in names:
        near = difflib.get_close_matches(name, names, 1, 0.5) or [
            known for known in names if name.endswith(known)
        ]
        remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
        raise ConfigurationError(f"{problem}; {remedy}")


def _validated(
    settings: Any, table: str, key: str, value: object, location: str, *, is_text: bool = False
) -> object:
    """The value in the type of its key."""
    kinds = get_type_hints(settings)
    _check_known(key, kinds, f"{location} unknown key {key!r}")
    kind = kinds[key]
    found = _parsed(value, kind) if is_text else value
    if kind is float and type(found) is int:
        found = float(found)
    if type(found) is not kind or (isinstance(found, float) and not math.isfinite(found)):
        raise ConfigurationError(
            f"{location} {key} must be {_TYPE_NAMES.get(kind, kind)}, got {value!r}"
        )
    choices, limits = _choices().get(key, ()), _RANGES[table].get(key)
    if choices and found not in choices:
        near = difflib.get_close_matches(str(found), choices, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigurationError(
            f"{location} {key} must be one of {', '.join(choices)}, got {found!r}{hint}"
        )
    if limits and not limits.holds(found):
        raise ConfigurationError(f"{location} {key} must be {limits.description}, got {found}")
    return found


def _parsed(value: object, kind: type) -> object:
    text = str(value).strip()
    if kind is bool:
        return _BOOLEANS.get(text.lower(), value)
    try:
        return kind(text)
    except (ValueError, OverflowError):
        return value


def _check_combination(configuration: Configuration, location: str) -> None:
    width, heads = configuration.model.width, configuration.model.heads
    if width % (4 * heads):
        raise ConfigurationError(
            f"{location}[model] width must be a multiple of 4 x heads ({4 * heads}), got {width}; "
            f"{max(1, round(width / (4 * heads))) * 4 * heads} is the nearest"
        )


def _to_toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
